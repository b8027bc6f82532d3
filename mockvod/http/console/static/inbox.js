// The built-in receiver: what was pushed to it, and how it responds.

import { attempt, clearErrors, onDo, onForm, say, showError } from "./actions.js";
import { call, get } from "./api.js";
import { $, fill, flag, html, refill } from "./html.js";
import { chip, icon } from "./glyphs.js";
import { appName, duration, size, timeNear } from "./format.js";
import { tree } from "./json.js";
import { signMark } from "./detail.js";
import { refreshNow } from "./live.js";
import { link } from "./router.js";
import { findRow, now, state } from "./store.js";

let inbox = null;
let open = 0; // number of the request that is shown

const url = () => location.origin + (inbox?.url ?? "/mockvod/inbox");

export const inboxView = {
  title: () => "Inbox",
  async render(main) {
    fill(main, html`<div class="page"><header><div><h1>Inbox</h1><p>A built-in receiver. Point a callback URL here and see what is pushed, before you have a receiver of your own.</p></div>
      <button class="btn" data-do="copy-inbox">${icon("copy")}<span class="mono">${url()}</span></button></header>
      <div id="inbox-mode"></div><section class="card block"><div id="responses"></div>
      <form class="response" data-form="response"><h3>Respond to the next requests with</h3><div class="fields">
        <div class="field"><label for="r-status">Status</label><input id="r-status" name="status" inputmode="numeric" value="500"></div>
        <div class="field"><label for="r-delay">Delay <span class="muted">seconds</span></label><input id="r-delay" name="delay" value="0"></div>
        <div class="field"><label for="r-times">Times <span class="muted">empty: always</span></label><input id="r-times" name="times" inputmode="numeric"></div>
        <label class="line check"><input type="checkbox" name="hang_up">Hang up</label><button class="btn">Add</button><button type="button" class="btn quiet" data-do="respond-ok">Always 200</button></div><p class="errors"></p></form></section>
      <section class="block"><h2>Received <span class="muted num" id="received"></span><span class="fill"></span><button class="btn small" data-do="clear-inbox">Clear</button></h2><div id="requests"></div></section></div>`);
    await load();
  },
  changed: (parts) => parts.has("config") && draw(),
  entry: (entry) => (entry.what === "inbox" || entry.what === "reset") && load(),
};
export { inboxView as inbox };

let loading = false;
async function load() {
  if (loading) return;
  loading = true;
  setTimeout(async () => {
    loading = false;
    await attempt(async () => { inbox = await get("/inbox", { app: false }); });
    draw();
  }, 50);
}

function draw() {
  if (!inbox || !$("#requests")) return;
  const { mode_in_force: mode, callback_url: callback } = state.config;
  const here = callback?.startsWith(url().split("?")[0]);
  fill("#inbox-mode", here && mode === "PUSH" ? html`<p class="notes muted block">The callback URL of ${appLabel()} points here.</p>`
    : html`<p class="notes card block">${callback ? html`The callback URL of ${appLabel()} is <code>${callback}</code>.` : `${appLabel()} has no callback URL: its events are pulled.`}
      <button class="btn" data-do="point-here">Point ${appLabel()} here</button></p>`);
  fill("#responses", html`<h2>Responses</h2><ol class="script">${inbox.responses.map((one) => html`<li><span class="muted">${one.times ? `next ${one.times}` : "always"}</span>
    ${one.hang_up ? chip("failed", "hang up") : chip(one.status < 300 ? "delivered" : "failed", one.status)}${one.delay > 0 && html`<span class="num">after ${duration(one.delay)}</span>`}</li>`)}</ol>`);
  fill("#received", String(inbox.received));
  refill("#requests", inbox.requests.length ? inbox.requests.map(request) : html`<p class="nothing card">Nothing was received yet. Point a callback URL at <code>${url()}</code> and <a href="${link("emit")}">emit an event</a>.</p>`);
}

const appLabel = () => (state.filter.app === "" || state.filter.app === "0" ? "the default application" : `application ${state.filter.app}`);

function request(one) {
  const body = parsed(one.body);
  const row = body && findRow(body);
  const done = one.response.hang_up ? chip("failed", "hung up") : chip(one.response.status < 300 ? "delivered" : "failed", one.response.status);
  return html`<details class="card" id="request-${one.number}"${flag("open", one.number === open)}><summary>${done}<span class="num">#${one.number}</span>
      <b>${body?.EventType ?? `${one.method} ${one.url}`}</b><span class="fill"></span>${signMark(one.sign)}<span class="num muted">${size(one.size)}</span><time class="num muted">${timeNear(one.at, now())}</time>${icon("down")}</summary>
    <div class="exchange">${row && html`<p>Event <a class="mono" href="${link("events", row.id)}">${row.id}</a>, application ${appName(row.sub_app_id)}</p>`}
      <pre tabindex="0">${one.method} ${one.url}\n${one.headers.map(([name, value]) => `${name}: ${value}`).join("\n")}</pre>
      ${body ? html`<div class="json mono">${tree(body)}</div>` : html`<pre tabindex="0">${one.body || "no body"}</pre>`}</div></details>`;
}

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

const program = (responses) => call("PUT", "/inbox", { responses }, { app: false }).then((answer) => { inbox = answer; draw(); });

onDo({
  "copy-inbox": async () => {
    await navigator.clipboard.writeText(url());
    say("Copied the address of the inbox.");
  },
  "clear-inbox": () => attempt(async () => { inbox = await call("DELETE", "/inbox", undefined, { app: false }); draw(); }),
  "respond-ok": () => attempt(() => program([{}])),
  "point-here": () => attempt(async () => {
    await call("PATCH", "/config", { callback_url: url(), mode: "PUSH" });
    await refreshNow("config");
    say("Events are pushed to the inbox from now on.");
  }),
});

onForm({
  async response(form) {
    const { status, delay, times, hang_up: hangUp } = form.elements;
    const one = { status: Number(status.value), delay: Number(delay.value || 0), hang_up: hangUp.checked };
    if (times.value) one.times = Number(times.value);
    const before = inbox.responses.filter((other) => other.times);
    try {
      await program([...before, one]);
      clearErrors(form);
    } catch (problem) {
      showError(form, Object.assign(problem, { field: problem.field.split(".").pop() }));
    }
  },
});
