// Emit: a form and the JSON of the same call; any EventType from its example, a file, or a packaged scenario.

import { attempt, copy, onDo, onForm, say, showProblem } from "./actions.js";
import { APP, call, get } from "./api.js";
import { appWords, count, numeric, pretty } from "./format.js";
import { loadAccounts } from "./live.js";
import { $, $$, button, dim, field, fill, gap, heading, html, icon, input, select, tone } from "./parts.js";
import { go } from "./router.js";
import { EMITS } from "./snippets.js";
import { state } from "./store.js";

const SNAPSHOT = "CreateSnapshotByTimeOffsetComplete";
const MOST_FILE = 4 * 1024 * 1024; // bytes, as the control API takes them
let draft = { time_offsets: [10000, 20000, 30000], failed: [30000] };
let shownAs = "curl";
let [types, scenarios] = [null, null];

export const emit = {
  async render(main) {
    types ??= await attempt(async () => (await get("/event-types", { account: "" })).event_types.map((one) => one.event_type));
    scenarios ??= await get("/scenarios", { account: "" }).then((found) => found.scenarios, (problem) => problem); // without PyYAML
    if (!types || state.view.name !== "emit") return;
    fill(main, html`<div class="page">${heading("Emit an event", "Emits what the service sends when a job ends.")}<form class="two" data-form="emit"><div class="stack">
        ${field("event_type", "EventType", select('id="f-event_type"', [SNAPSHOT, ...types.filter((one) => one !== SNAPSHOT).sort()]))}
        <div id="of-snapshots" class="stack">${field("time_offsets", "Snapshot offsets in milliseconds")}${field("failed", "Offsets that fail")}
          <div class="pair">${field("file_id", "FileId", input("file_id", 'placeholder="drawn from the seed"'))}${field("err_code", "ErrCode of the failed", input("err_code", 'placeholder="default"'))}</div></div>
        <div class="pair">${field("count", "Count", input("count", 'placeholder="1"'))}${field("delay", "Delay in seconds", input("delay", 'placeholder="0"'))}</div>
        <div class="line"><button class="btn primary" id="emit-now">${icon("emit")}Emit</button><span class="muted" id="into"></span></div></div>
      <div class="stack"><div class="field" data-field="json"><div class="line"><label for="json">Body of <code>POST /mockvod/v1/events</code></label>${gap}<span id="valid"></span></div><textarea id="json" class="mono" spellcheck="false" rows="14"></textarea><p class="hint"></p></div><p class="errors" aria-live="polite"></p>
        <label class="line">Open a JSON file <input class="muted" id="file" type="file" accept=".json,application/json"></label>
        <div class="card"><div class="line"><h2>The same call as code</h2>${gap}${Object.keys(EMITS).map((as) => button("show-as", as, { kind: "small quiet", more: `data-as="${as}" aria-pressed="${as === shownAs}"` }))}${button("copy-emit", "Copy", { picture: "copy", kind: "small" })}</div><pre id="same" tabindex="0"></pre></div></div></form>
      <section class="block"><h2>Scenarios ${dim("settings, accounts and future events")}</h2>${scenarios.message ? html`<p>${scenarios.message}</p>` : html`<ul class="grid">${scenarios.map((one, i) => html`<li class="card"><div class="line"><h3 class="mono">${one.name}</h3>${gap}${button("scenario", "Apply", { kind: "small", more: `data-i="${i}" aria-label="Apply ${one.name}"` })}</div><p>${one.description}</p></li>`)}</ul>`}
        <form><label class="line">Apply a YAML or JSON file <input class="muted" id="scenario-file" type="file" accept=".yaml,.yml,.json"></label><p class="errors" aria-live="polite"></p></form></section></div>`);
    $("[data-form=emit]").addEventListener("input", ({ target }) => (target.id === "json" ? edited() : target.name && fromField(target)));
    $("#f-event_type").addEventListener("change", ({ target }) => chooseType(target.value));
    $("#file").addEventListener("change", ({ target }) => attempt(() => openFile(target.files[0])));
    $("#scenario-file").addEventListener("change", ({ target }) => applyFile(target));
    write();
    drawInto();
  },
  changed: (parts) => parts.has("config") && drawInto(),
};

function drawInto() {
  const { mode_in_force: mode, callback_url: url } = state.config;
  fill("#into", html`into ${appWords(state.filter.app)}${mode === "PUSH" ? html`, pushed to <code>${url || "no callback URL"}</code>` : ", to be pulled"}`);
}

// --- the draft, the text and the fields are one thing

function write(changes) {
  Object.assign(draft, changes);
  for (const [name, value] of Object.entries(draft)) if (value === undefined) delete draft[name];
  $("#json").value = pretty(draft);
  edited();
}

function fromField({ name, value }) {
  const isList = name === "time_offsets" || name === "failed";
  write({ [name]: !value.trim() ? undefined : isList ? value.split(/[,\s]+/).filter(Boolean).map(numeric) : name === "file_id" ? value : numeric(value.trim()) });
}

async function chooseType(name) {
  const { count: number, delay } = draft;
  const found = name === SNAPSHOT ? {} : await attempt(() => get(`/event-types/${name}`, { account: "" }));
  draft = {};
  if (found) write({ count: number, delay, ...(found.example ? { event: found.example } : { time_offsets: [10000, 20000, 30000] }) });
}

async function openFile(file) {
  if (file.size > MOST_FILE) throw new Error(`${file.name} has ${file.size} bytes; at most ${MOST_FILE} are allowed.`);
  $("#json").value = await file.text();
  if (!edited() && draft.EventType) {
    draft = { event: draft };
    write();
  }
}

const applied = async (name, done) => {
  const counts = Object.entries(await done).filter(([, number]) => number).map(([what, number]) => count(number, what.replace(/s$/, ""), what));
  say(`${name} is applied: ${counts.join(", ") || "settings only"}.`);
  loadAccounts();
};

/** Applies a scenario file. The server reads YAML, if it can. */
async function applyFile(input) {
  const [file] = input.files;
  let problem = null;
  try {
    const [text, scope] = [await file.text(), { account: "" }];
    await applied(file.name, /\.json$/i.test(file.name) ? call("PUT", "/scenario", JSON.parse(text), scope) : call("POST", "/scenario/file", { name: file.name, text }, scope));
  } catch ({ message }) {
    problem = { message, field: "" };
  }
  showProblem(input.form, problem);
  input.value = ""; // the same file may be chosen again
}

let checking;
/** The text has changed: reads it, and lets the server check it. Returns why it cannot be read. */
function edited() {
  try {
    const body = JSON.parse($("#json").value);
    if (typeof body?.valueOf() !== "object" || Array.isArray(body)) throw new Error("The body must be a JSON object.");
    draft = body;
  } catch ({ message }) {
    show({ message, field: "json" });
    return message;
  }
  drawFields();
  clearTimeout(checking);
  checking = setTimeout(check, 200);
  return null;
}

function drawFields() {
  const type = draft.event?.EventType ?? draft.event_type ?? SNAPSHOT;
  if (types.includes(type)) $("#f-event_type").value = type;
  $("#of-snapshots").hidden = Boolean(draft.event || draft.event_type || draft.snapshots);
  for (const one of $$("[data-form=emit] input[name]")) if (one !== document.activeElement) one.value = [draft[one.name] ?? ""].flat().join(", ");
  fill("#same", EMITS[shownAs](draft));
}

async function check() {
  const body = draft;
  let problem = null;
  await call("POST", "/events/check", body, APP).catch((error) => { problem = error; });
  if (body === draft && $("#json")) show(problem);
}

/** Shows what is wrong, or that nothing is. */
function show(problem) {
  showProblem($("[data-form=emit]"), problem);
  $("#emit-now").disabled = Boolean(problem);
  fill("#valid", problem ? tone("problem", "invalid") : tone("ok", "valid"));
}

onDo({
  "show-as": ({ as }) => {
    shownAs = as;
    for (const one of $$("[data-do=show-as]")) one.setAttribute("aria-pressed", one.dataset.as === as);
    drawFields();
  },
  "copy-emit": () => copy($("#same").textContent),
  scenario: ({ i }) => attempt(() => applied(scenarios[i].name, call("PUT", "/scenario", scenarios[i].scenario, { account: "" }))),
});

onForm({
  async emit() {
    try {
      const { events } = await call("POST", "/events", draft, APP);
      say(events.length === 1 ? `${events[0].id} is ${events[0].state}.` : `${count(events.length, "event")} are emitted.`);
      go("events", events.at(-1).id);
    } catch (problem) {
      show(problem);
    }
  },
});
