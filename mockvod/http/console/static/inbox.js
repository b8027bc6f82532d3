// The built-in receiver: what was pushed to it, and how it responds.

import { attempt, copy, onDo, onForm, say, showProblem } from "./actions.js";
import { APP, call, get } from "./api.js";
import { headerLines, signMark } from "./detail.js";
import { appName, appWords, duration, size, timeNear } from "./format.js";
import { tree } from "./json.js";
import { read } from "./live.js";
import { button, chip, dim, eventLink, field, fill, gap, heading, html, icon, input } from "./parts.js";
import { link } from "./router.js";
import { findRow, now, state } from "./store.js";

let box = { requests: [], responses: [], url: "/mockvod/inbox", received: 0 };
let isDue = false;
const url = () => location.origin + box.url;
const app = () => appWords(state.filter.app);

export const inbox = {
  render(main) {
    fill(main, html`<div class="page">${heading("Inbox", "A built-in receiver. Point a callback URL here and see what is pushed, before you have a receiver of your own.", button("copy-inbox", html`<code>${url()}</code>`, { picture: "copy" }))}
      <p class="block" id="callback"></p><form class="card block" data-form="response"><h2>Responses</h2><ol class="line script" id="responses"></ol><h3>Respond to the next requests with</h3>
        <div class="fields">${field("status", "Status", input("status", 'value="500" inputmode="numeric"'))}${field("delay", "Delay in seconds", input("delay", 'value="0"'))}${field("times", "Times, or empty for always")}
          <label class="line check"><input type="checkbox" name="hang_up">Hang up</label><button class="btn">Add</button>${button("respond-ok", "Always 200", { kind: "quiet" })}</div><p class="errors"></p></form>
      <section class="block"><h2>Received <span class="muted" id="received"></span>${gap}${button("clear-inbox", "Clear", { kind: "small" })}</h2><div id="requests"></div></section></div>`);
    draw();
    load();
  },
  changed: (parts) => parts.has("config") && draw(),
  entry: ({ what }) => (what === "inbox" || what === "reset") && load(),
};

/** Reads the inbox soon; many calls are one request. */
function load() {
  if (isDue) return;
  isDue = true;
  setTimeout(async () => {
    isDue = false;
    box = await get("/inbox").catch(() => box);
    draw();
  }, 100);
}

function draw() {
  const { callback_url: callback, mode_in_force: mode } = state.config;
  fill("#callback", mode === "PUSH" && callback === url() ? dim(`Events of ${app()} are pushed here.`)
    : html`Events of ${app()} are ${mode === "PUSH" ? html`pushed to <code>${callback || "no callback URL"}</code>` : "pulled"}. ${button("point-here", "Push them here")}`);
  fill("#responses", box.responses.map((one) => html`<li>${dim(one.times ? `next ${one.times}` : "always")} ${response(one)} ${one.delay > 0 && `after ${duration(one.delay)}`}</li>`));
  fill("#received", String(box.received));
  fill("#requests", box.requests.length ? box.requests.map(request) : html`<p class="nothing card">Nothing was received yet. Point a callback URL here and <a href="${link("emit")}">emit an event</a>.</p>`);
}

const response = ({ status, hang_up: hangUp }) => (hangUp ? chip("failed", "hang up") : chip(status < 300 ? "delivered" : "failed", status));

function request(one) {
  let body = null;
  try {
    body = JSON.parse(one.body);
  } catch { /* shown as it is */ }
  const isEvent = typeof body?.EventType === "string";
  const row = isEvent && findRow((other) => other.event_type === body.EventType && one.body.includes(other.task_id ?? other.file_id));
  return html`<details class="card" id="request-${one.number}"><summary>${response(one.response)}<span class="num">#${one.number}</span><b>${isEvent ? body.EventType : `${one.method} ${one.url}`}</b>${gap}${signMark(one.sign)}
      ${dim(size(one.size))}<time class="muted">${timeNear(one.at, now())}</time>${icon("down")}</summary><div class="exchange">${row && html`<p>${eventLink(row.id)}, application ${appName(row.sub_app_id)}</p>`}
      <pre tabindex="0">${one.method} ${one.url}\n${headerLines(one.headers)}</pre>${body ? html`<div class="json mono">${tree(body)}</div>` : html`<pre tabindex="0">${one.body || "no body"}</pre>`}</div></details>`;
}

async function change(method, body) {
  box = await call(method, "/inbox", body);
  draw();
}

onDo({
  "copy-inbox": () => copy(url()),
  "clear-inbox": () => attempt(() => change("DELETE")),
  "respond-ok": () => attempt(() => change("PUT", { responses: [{}] })),
  "point-here": () => attempt(async () => {
    await call("PATCH", "/config", { callback_url: url(), mode: "PUSH" }, APP);
    await read("config");
    say(`Events of ${app()} are pushed to the inbox from now on.`);
  }),
});

onForm({
  async response(form) {
    const { status, delay, times, hang_up: hangUp } = form.elements;
    const one = { status: Number(status.value), delay: Number(delay.value), hang_up: hangUp.checked, ...(times.value && { times: Number(times.value) }) };
    try {
      await change("PUT", { responses: [...box.responses.filter((other) => other.times), one] });
      showProblem(form);
    } catch (problem) {
      problem.field = problem.field.split(".").pop();
      showProblem(form, problem);
    }
  },
});

