// Emit: a form and the JSON of the same call; any EventType from its example, a file, or a packaged scenario.

import { attempt, copy, onDo, onForm, say } from "./actions.js";
import { address, ApiError, call, get } from "./api.js";
import { $, $$, bool, fill, html, raw } from "./html.js";
import { glyph, icon, tone } from "./glyphs.js";
import { count, pretty } from "./format.js";
import { tree } from "./json.js";
import { go } from "./router.js";
import { curl, emitCommand, emitPytest } from "./snippets.js";
import { state } from "./store.js";

const SNAPSHOT = "CreateSnapshotByTimeOffsetComplete";
const MOST_FILE = 4 * 1024 * 1024; // bytes, as the control API takes them
const AS = { curl: (body) => curl("POST", address("/events"), body), CLI: emitCommand, pytest: emitPytest };
let draft = { time_offsets: [10000, 20000, 30000], failed: [30000] };
let shownAs = "curl";
let types = null;
let scenarios = null;

const field = (name, label, control) => html`<div class="field" data-field="${name}"><label for="f-${name}">${label}</label>${control}<p class="hint"></p></div>`;
const input = (name, more = "") => html`<input id="f-${name}" name="${name}" autocomplete="off" ${raw(more)}>`;

export const emit = {
  title: () => "Emit",
  async render(main) {
    types ??= await attempt(async () => (await get("/event-types", { account: false })).event_types.map((one) => one.event_type));
    if (!types || state.view.name !== "emit") return;
    fill(main, html`<div class="page"><header><div><h1>Emit an event</h1><p>As if a job of the service had ended.</p></div></header>
      <form class="two" data-form="emit"><div class="stack">
        ${field("event_type", "EventType", html`<span class="pick wide"><select id="f-event_type">${[SNAPSHOT, ...types.filter((one) => one !== SNAPSHOT).sort()].map((one) => html`<option>${one}</option>`)}</select>${icon("down")}</span>`)}
        <div id="of-snapshots" class="stack"><div class="field" data-field="failed"><span class="as-label">Snapshots <span class="muted">click one to make it fail</span></span><ul class="shots" id="picker"></ul><p class="hint"></p></div>
          <div class="pair">${field("file_id", "FileId", input("file_id", 'class="mono" placeholder="drawn from the seed"'))}${field("err_code", "ErrCode of failed ones", input("err_code", 'inputmode="numeric" placeholder="default"'))}</div></div>
        <div class="pair">${field("count", "Count", input("count", 'inputmode="numeric" placeholder="1"'))}${field("delay", "Delay in seconds", input("delay", 'inputmode="decimal" placeholder="0"'))}</div>
        <div class="line"><button class="btn primary" id="emit-now">${icon("emit")}Emit</button><span class="muted" id="into"></span></div>
        <details class="card" id="preview-card"><summary><h2>Preview</h2><span class="fill"></span>${icon("down")}</summary><div class="json mono" id="preview"></div></details></div>
      <div class="stack"><div class="field" data-field="json"><div class="line"><label for="json">Body of <code>POST /mockvod/v1/events</code></label><span class="fill"></span><span id="valid"></span></div>
          <textarea id="json" class="mono" spellcheck="false" rows="14"></textarea><p class="errors" id="errors" aria-live="polite"></p></div>
        <div class="line"><label class="btn">${icon("follow")}Open a JSON file<input class="vh" id="file" type="file" accept=".json,application/json"></label><span class="muted">an event, or a body of this call</span></div>
        <div class="card"><div class="line"><h2>The same elsewhere</h2><span class="fill"></span>${Object.keys(AS).map((as) => html`<button type="button" class="btn small quiet" data-do="show-as" data-as="${as}" aria-pressed="${bool(as === shownAs)}">${as}</button>`)}
          <button type="button" class="btn small icon-only" data-do="copy-emit" aria-label="Copy">${icon("copy")}</button></div><pre id="same" tabindex="0"></pre></div></div></form>
      <section class="block"><h2>Scenarios <span class="muted">settings, accounts and events to come, in one file</span><span class="fill"></span><label class="btn small">Apply a JSON file<input class="vh" id="scenario-file" type="file" accept=".json,application/json"></label></h2>
        <ul class="grid" id="scenarios"></ul><p class="errors" id="scenario-errors" aria-live="polite"></p></section></div>`);
    const form = $("[data-form=emit]");
    form.addEventListener("input", ({ target }) => (target.id === "json" ? edited() : target.name && fromField(target)));
    $("#f-event_type").addEventListener("change", ({ target }) => chooseType(target.value));
    $("#file").addEventListener("change", ({ target }) => attempt(() => openFile(target.files[0])));
    $("#scenario-file").addEventListener("change", ({ target }) => applyScenario(async () => JSON.parse(await readFile(target.files[0]))));
    write();
    drawInto();
    scenarios ??= await attempt(async () => (await get("/scenarios", { account: false })).scenarios);
    if (scenarios) fill("#scenarios", scenarios.map((one, i) => html`<li class="card"><div class="line"><h3 class="mono">${one.name}</h3><span class="fill"></span><button class="btn small" data-do="scenario" data-i="${i}" aria-label="Apply ${one.name}">Apply</button></div><p>${one.description}</p></li>`));
  },
  changed: (parts) => parts.has("config") && drawInto(),
};

function drawInto() {
  const { mode_in_force: mode, callback_url: url } = state.config;
  const app = state.filter.app;
  fill("#into", html`into ${app === "" || app === "0" ? "the default application" : `application ${app}`}${mode === "PUSH" ? html`, pushed to <code>${url || "no callback URL"}</code>` : mode && ", to be pulled"}`);
}

// --- the body: draft, text and fields are one thing

/** Shows the draft in the editor and the fields. */
function write() {
  $("#json").value = pretty(draft);
  edited();
}

function fromField({ name, value }) {
  const text = value.trim();
  if (!text) delete draft[name];
  else draft[name] = name !== "file_id" && !Number.isNaN(Number(text)) ? Number(text) : text;
  write();
}

async function chooseType(name) {
  const kept = Object.fromEntries(["count", "delay"].filter((one) => one in draft).map((one) => [one, draft[one]]));
  if (name === SNAPSHOT) draft = { ...kept, time_offsets: [10000, 20000, 30000] };
  else {
    const found = await attempt(() => get(`/event-types/${name}`, { account: false }));
    if (!found) return;
    draft = { ...kept, event: found.example };
  }
  write();
}

let checking;
/** The text has changed: reads it, and lets the server check it. */
function edited() {
  const text = $("#json").value;
  let body;
  try {
    body = JSON.parse(text);
  } catch (problem) {
    return showProblem({ message: problem.message.replace(/^JSON\.parse: /, ""), field: "json" });
  }
  if (body === null || typeof body !== "object" || Array.isArray(body)) return showProblem({ message: "The body must be an object.", field: "json" });
  draft = body;
  drawFields();
  clearTimeout(checking);
  checking = setTimeout(check, 200);
  return undefined;
}

function drawFields() {
  const type = draft.event?.EventType ?? draft.event_type ?? SNAPSHOT;
  if (types.includes(type)) $("#f-event_type").value = type;
  $("#of-snapshots").hidden = Boolean(draft.event || draft.event_type || draft.snapshots);
  for (const one of $$("[data-form=emit] input[name]")) if (one !== document.activeElement) one.value = draft[one.name] ?? "";
  fill("#picker", picker());
  fill("#same", AS[shownAs](draft) ?? "The command line has no options for this.");
}

/** The snapshots of the event, each a switch: it exists, or it failed. */
function picker() {
  const failed = new Set(Array.isArray(draft.failed) ? draft.failed : []);
  const offsets = Array.isArray(draft.time_offsets) ? draft.time_offsets : [];
  return html`${offsets.slice(0, 40).map((one) => html`<li><button type="button" class="shot ${failed.has(one) ? "bad" : ""}" data-do="fail-offset" data-offset="${one}" aria-pressed="${bool(failed.has(one))}" aria-label="Snapshot at ${one} ms fails">
      ${failed.has(one) ? html`<span data-tone="failed">${glyph("failed")}</span><span>fails</span>` : html`<span data-tone="confirmed">${glyph("ok")}</span>`}</button>
      <span class="num muted">${one / 1000} s<button type="button" class="btn icon-only small" data-do="drop-offset" data-offset="${one}" aria-label="Remove the snapshot at ${one} ms">${icon("close")}</button></span></li>`)}
    <li><button type="button" class="shot add" data-do="add-offset" aria-label="Add a snapshot 10 s later">${icon("emit")}</button><span class="num muted">+10 s</span></li>`;
}

async function check() {
  const body = draft;
  try {
    const found = await call("POST", "/events/check", body);
    if (body !== draft || !$("#json")) return;
    showProblem(null);
    fill("#preview", tree(found.content));
  } catch (problem) {
    if (body === draft && $("#json")) showProblem(problem);
  }
}

/** Shows what is wrong at its field and below the editor. */
function showProblem(problem) {
  const name = problem?.field?.split(".")[0];
  $("#emit-now").disabled = Boolean(problem);
  fill("#valid", problem ? tone("problem", "invalid") : tone("ok", "valid"));
  $("#errors").textContent = problem?.message ?? "";
  $("#json").setAttribute("aria-invalid", bool(problem));
  for (const one of $$("[data-form=emit] [data-field]")) {
    const bad = Boolean(problem) && one.dataset.field === name && name !== "json";
    one.classList.toggle("bad", bad);
    const hint = $(".hint", one);
    if (hint) {
      hint.textContent = bad ? problem.message : "";
      hint.classList.toggle("error", bad);
    }
    $("input", one)?.setAttribute("aria-invalid", bool(bad));
  }
}

// --- files and scenarios

async function readFile(file) {
  if (!file) throw new Error("No file was chosen.");
  if (file.size > MOST_FILE) throw new Error(`${file.name} has ${file.size} bytes; at most ${MOST_FILE} are allowed.`);
  return file.text();
}

async function openFile(file) {
  const read = JSON.parse(await readFile(file));
  draft = read?.EventType ? { event: read } : read;
  write();
  say(`${file.name} is in the editor.`);
}

async function applyScenario(read) {
  const place = $("#scenario-errors");
  place.textContent = "";
  try {
    const done = await call("PUT", "/scenario", await read(), { account: false });
    const parts = Object.entries(done).filter(([, number]) => number).map(([name, number]) => `${number} ${name}`);
    say(`The scenario is applied: ${parts.join(", ") || "settings only"}.`);
  } catch (problem) {
    place.textContent = problem.message;
  }
}

onDo({
  "fail-offset": ({ offset }) => {
    const failed = new Set(draft.failed ?? []);
    if (!failed.delete(Number(offset))) failed.add(Number(offset));
    draft.failed = [...failed];
    if (!failed.size) delete draft.failed;
    write();
    $(`[data-do=fail-offset][data-offset="${offset}"]`).focus();
  },
  "drop-offset": ({ offset }) => {
    draft.time_offsets = draft.time_offsets.filter((one) => one !== Number(offset));
    draft.failed = (draft.failed ?? []).filter((one) => one !== Number(offset));
    if (!draft.failed.length) delete draft.failed;
    write();
  },
  "add-offset": () => {
    const offsets = draft.time_offsets ?? [];
    draft.time_offsets = [...offsets, Math.max(0, ...offsets) + 10000];
    write();
    $("[data-do=add-offset]").focus();
  },
  "show-as": ({ as }) => {
    shownAs = as;
    for (const one of $$("[data-do=show-as]")) one.setAttribute("aria-pressed", bool(one.dataset.as === as));
    drawFields();
  },
  "copy-emit": () => copy($("#same").textContent),
  scenario: ({ i }) => applyScenario(async () => scenarios[i].scenario),
});

onForm({
  async emit() {
    try {
      const { events } = await call("POST", "/events", draft);
      say(events.length === 1 ? `${events[0].id} is ${events[0].state}.` : `${count(events.length, "event")} are emitted.`);
      go("events", events.at(-1).id);
    } catch (problem) {
      showProblem(problem);
      if (problem instanceof ApiError && problem.status !== 400) say(problem.message);
    }
  },
});

