// Faults: what is active and how often it fired; recipes; a form for one fault.

import { attempt, clearErrors, copy, onDo, onForm, say, showError } from "./actions.js";
import { address, call, get } from "./api.js";
import { $, $$, bool, fill, html, raw } from "./html.js";
import { glyph, icon } from "./glyphs.js";
import { count } from "./format.js";
import { refreshNow } from "./live.js";
import { curl } from "./snippets.js";
import { state } from "./store.js";

const RULES = { always: "each time", probability: "with a probability, 0 to 1", nth: "the n-th time only", first: "the first n times", every: "every n-th time", until: "for so many seconds" };
let types = null;

export const faults = {
  title: () => "Faults",
  async render(main) {
    types ??= await attempt(() => get("/fault-types", { account: false }));
    if (!types || state.view.name !== "faults") return;
    const groups = [...new Set(types.faults.map((one) => one.group))];
    fill(main, html`<div class="page"><header><div><h1>Faults</h1><p>Injected until they are removed or the account is reset.</p></div>
        <button class="btn" id="clear-faults" data-do="clear-faults">Remove all</button></header>
      <section class="block"><h2>Active <span class="muted num" id="active"></span></h2><ul class="table" id="faults"></ul></section>
      <section class="block"><h2>Recipes <span class="muted">faults that occur together in real incidents</span></h2><ul class="grid" id="recipes"></ul></section>
      <section class="block"><h2>One fault</h2><form class="card two" data-form="fault"><div class="stack">
        <div class="field"><label for="fault">Fault</label><span class="pick wide"><select id="fault" name="fault">${groups.map((group) => html`<optgroup label="${group}">${types.faults.filter((one) => one.group === group).map((one) => html`<option>${one.fault}</option>`)}</optgroup>`)}</select>${icon("down")}</span><p class="hint" id="fault-words"></p></div>
        <div class="stack" id="parameters"></div></div>
        <div class="stack"><div class="pair"><div class="field"><label for="rule">When</label><span class="pick wide"><select id="rule">${Object.entries(RULES).map(([rule, words]) => html`<option value="${rule}">${words}</option>`)}</select>${icon("down")}</span><p class="hint"></p></div>
            <div class="field"><label for="rule-value">Value</label><input id="rule-value" name="when" inputmode="decimal" autocomplete="off"><p class="hint"></p></div></div>
          <div class="stack" id="scope"></div><pre id="fault-body" tabindex="0"></pre><p class="errors" aria-live="polite"></p>
          <div class="line"><button class="btn primary">Add fault</button><button type="button" class="btn quiet" data-do="copy-fault">${icon("copy")}Copy as curl</button></div></div></form></section></div>`);
    draw();
    drawForm();
    $("[data-form=fault]").addEventListener("input", ({ target }) => (target.id === "fault" ? drawForm() : drawBody()));
  },
  changed: (parts) => parts.has("faults") && draw(),
};

const words = (values) => Object.entries(values).map(([name, value]) => (value === true ? name : `${name} ${JSON.stringify(value)}`)).join(", ");

function draw() {
  if (!$("#faults")) return;
  const active = state.faults;
  fill("#active", String(active.length));
  $("#clear-faults").disabled = !active.length;
  fill("#faults", active.length ? active.map((one) => html`<li class="fault"><span data-tone="${one.fired ? "fault" : "scheduled"}">${glyph("fault")}</span>
      <div><b class="mono">${one.fault}</b> <span class="muted">${words(one.parameters)}</span><p class="muted">${one.id} · ${words(one.when)} · ${words(one.scope) || "everything"}${one.recipe && ` · recipe ${one.recipe}`}</p></div>
      <div class="num"><b>fired ${one.fired}×</b><p class="muted">of ${count(one.seen, "match", "matches")}</p></div><button class="btn small" data-do="remove-fault" data-id="${one.id}" aria-label="Remove ${one.id}, ${one.fault}">Remove</button></li>`)
    : html`<li class="nothing">No fault is active: the service behaves as documented.</li>`);
  const added = new Set(active.map((one) => one.recipe));
  fill("#recipes", types.recipes.map((one) => html`<li class="card"><div class="line"><h3 class="mono">${one.recipe}</h3><span class="fill"></span>
    <button class="btn small" aria-pressed="${bool(added.has(one.recipe))}" data-do="recipe" data-name="${one.recipe}" aria-label="${added.has(one.recipe) ? "Remove" : "Add"} ${one.recipe}">${added.has(one.recipe) ? "Remove" : "Add"}</button></div>
    <p>${one.description}</p><p class="muted">${one.faults.map((fault) => html`<code>${fault.fault}</code> `)}</p></li>`));
}

// --- the form

const chosen = () => types.faults.find((one) => one.fault === $("#fault").value);

function drawForm() {
  const fault = chosen();
  fill("#fault-words", fault.description);
  fill("#parameters", fault.parameters.map(parameter));
  fill("#scope", html`<div class="pair">${fault.scope.map((name) => html`<div class="field"><label for="s-${name}">Only ${name}</label><input id="s-${name}" name="scope.${name}" autocomplete="off"><p class="hint"></p></div>`)}</div>`);
  drawBody();
}

function parameter({ name, json_schema: schema }) {
  const one = schema.anyOf?.find((part) => part.type !== "null") ?? schema;
  const options = one.enum ?? (one.type === "boolean" ? ["false", "true"] : null);
  const initial = schema.default == null ? "" : String(schema.default);
  const control = options ? html`<span class="pick wide"><select id="p-${name}" name="${name}" data-default="${initial}">${!options.includes(initial) && html`<option value="">default</option>`}
      ${options.map((option) => html`<option${raw(option === initial ? " selected" : "")}>${option}</option>`)}</select>${icon("down")}</span>`
    : html`<input id="p-${name}" name="${name}" value="${initial}" data-default="${initial}" autocomplete="off">`;
  return html`<div class="field"><label for="p-${name}">${name}</label>${control}<p class="hint">${schema.description}</p></div>`;
}

/** A value as the API takes it: a number or true where the text is one, but for what its schema says is a text. */
function typed(text, schema) {
  const part = schema?.anyOf?.find((one) => one.type !== "null") ?? schema;
  if (part?.type === "string") return text;
  if (text === "true" || text === "false") return text === "true";
  return text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
}

function body() {
  const fault = chosen();
  const made = { fault: fault.fault };
  for (const { name, json_schema: schema } of fault.parameters) {
    const { value, dataset } = $(`#p-${name}`);
    if (value !== dataset.default) made[name] = typed(value, schema);
  }
  const rule = $("#rule").value;
  if (rule !== "always") made.when = { [rule]: typed($("#rule-value").value) };
  const scope = $$("[name^='scope.']").filter((one) => one.value).map((one) => [one.name.slice(6), one.name === "scope.sub_app_id" ? typed(one.value) : one.value]);
  if (scope.length) made.scope = Object.fromEntries(scope);
  return made;
}

function drawBody() {
  $("#rule-value").disabled = $("#rule").value === "always";
  fill("#fault-body", JSON.stringify(body(), null, 1).replace(/\n\s*/g, " "));
}

const after = (text) => refreshNow("faults").then(() => say(text));

onDo({
  "clear-faults": () => attempt(async () => { await call("DELETE", "/faults", undefined, { app: false }); await after("All faults are removed."); }),
  "remove-fault": ({ id }) => attempt(async () => { await call("DELETE", `/faults/${id}`, undefined, { app: false }); await after(`${id} is removed.`); }),
  recipe: ({ name }) => attempt(async () => {
    const active = state.faults.filter((one) => one.recipe === name);
    if (!active.length) await call("POST", "/faults", { recipe: name }, { app: false });
    for (const one of active) await call("DELETE", `/faults/${one.id}`, undefined, { app: false });
    await after(`${name} is ${active.length ? "removed" : "active"}.`);
    $(`[data-name="${name}"]`)?.focus();
  }),
  "copy-fault": () => copy(curl("POST", address("/faults", { app: false }), body())),
});

onForm({
  async fault(form) {
    try {
      const { faults: [added] } = await call("POST", "/faults", body(), { app: false });
      clearErrors(form);
      await after(`${added.fault} is active.`);
    } catch (problem) {
      const [first, second] = problem.field.split(".");
      showError(form, Object.assign(problem, { field: first === "scope" && second ? problem.field : first }));
    }
  },
});
