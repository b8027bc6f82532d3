// What is shown before the first event: how to make one happen, for this server's address.

import { copy, onDo } from "./actions.js";
import { html } from "./html.js";
import { icon } from "./glyphs.js";
import { link } from "./router.js";
import { curl } from "./snippets.js";
import { address } from "./api.js";
import { state } from "./store.js";

const python = (secretId) => `from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.vod.v20180717 import models, vod_client

http = HttpProfile(protocol="${location.protocol.replace(":", "")}", endpoint="${location.host}")
client = vod_client.VodClient(Credential("${secretId}", "any"), "", ClientProfile(httpProfile=http))
print(client.PullEvents(models.PullEventsRequest()))`;

const pytest = `def test_the_worker_confirms_what_it_pulls(mockvod):
    mockvod.emit(time_offsets=[10000, 20000])
    run_worker_once(mockvod.endpoint)  # yours
    mockvod.wait_for("confirmed")`;

const snippets = () => [
  ["Emit an event", "in a shell", curl("POST", address("/events"), { time_offsets: [10000, 20000] })],
  ["Pull it with Tencent's SDK", "Python", python(state.account || "any")],
  ["Or do both in a test", "pytest", pytest],
];

export const welcome = () => html`<div class="page first"><header><span class="pulse" aria-hidden="true"></span>
    <div><h1>No event yet</h1><p>This server listens on <code>${location.host}</code>. Events appear here as they happen.</p></div>
    <span class="fill"></span><a class="btn primary" href="${link("emit")}">${icon("emit")}Emit one</a></header>
  <ol class="teach">${snippets().map(([title, how, code], i) => html`<li class="card"><div class="line"><b class="no">${i + 1}</b><h2>${title}</h2>
    <span class="muted">${how}</span><span class="fill"></span><button class="btn small" data-do="copy-snippet" data-i="${i}" aria-label="Copy: ${title}">${icon("copy")}Copy</button></div>
    <pre tabindex="0">${code}</pre></li>`)}</ol>
  <p class="muted">Any credentials work unless the setting <code>auth</code> is <code>strict</code>. Events can be pushed to your receiver instead: set a
    <a href="${link("settings")}">callback URL</a>. No receiver yet? Use the <a href="${link("inbox")}">inbox</a>.
    An event was emitted and nothing arrived? See the <a href="${link("diagnosis")}">diagnosis</a>.</p></div>`;

onDo({ "copy-snippet": ({ i }) => copy(snippets()[i][2]) });
