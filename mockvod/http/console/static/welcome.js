// What is shown before the first event: how to make one happen, for this server's address.

import { copy, onDo } from "./actions.js";
import { address } from "./api.js";
import { button, dim, gap, heading, html, icon } from "./parts.js";
import { link } from "./router.js";
import { curl } from "./snippets.js";
import { state } from "./store.js";

const python = () => `from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.vod.v20180717 import models, vod_client

http = HttpProfile(protocol="${location.protocol.slice(0, -1)}", endpoint="${location.host}")
client = vod_client.VodClient(Credential("${state.account || "any"}", "any"), "", ClientProfile(httpProfile=http))
print(client.PullEvents(models.PullEventsRequest()))`;

const snippets = () => [
  ["Emit an event", "in a shell", curl("POST", address("/events"), { time_offsets: [10000, 20000] })],
  ["Pull it with Tencent's SDK", "Python", python()],
];

export const welcome = () => html`<div class="page">${heading("No event yet", html`This server listens on <code>${location.host}</code>. Events appear here as they happen.`,
    html`<a class="btn primary" href="${link("emit")}">${icon("emit")}Emit one</a>`)}
  <ol class="teach">${snippets().map(([title, how, code], i) => html`<li class="card"><div class="line"><h2>${title}</h2>${dim(how)}${gap}
    ${button("copy-snippet", "Copy", { picture: "copy", kind: "small", more: `data-i="${i}" aria-label="Copy: ${title}"` })}</div><pre tabindex="0">${code}</pre></li>`)}
  <li><p>Any credentials work unless the setting <code>auth</code> is <code>strict</code>. To have events pushed, set a
    <a href="${link("settings")}">callback URL</a> or use the <a href="${link("inbox")}">inbox</a>. Nothing arrives? See the <a href="${link("diagnosis")}">diagnosis</a>.</p></li></ol></div>`;

onDo({ "copy-snippet": ({ i }) => copy(snippets()[i][2]) });
