// Faults: what is active and how often it fired; recipes; a form for one fault.

import { attempt, onDo, onForm, say, showProblem } from "./actions.js";
import { call, get } from "./api.js";
import { count, numeric } from "./format.js";
import { read } from "./live.js";
import { $, $$, button, dim, field, fill, gap, glyph, heading, html, select } from "./parts.js";
import { state } from "./store.js";

const RULES = { always: "each time", probability: "with probability", nth: "the n-th time", first: "the first n times", every: "every n-th time", until: "for seconds" };
let types = null;

export const faults = {
  async render(main) {
    types ??= await attempt(() => get("/fault-types", { account: "" }));
    if (!types || state.view.name !== "faults") return;
    fill(main, html`<div class="page">${heading("Faults", "Injected until they are removed or the account is reset.", button("clear-faults", "Remove all", { more: 'id="clear-faults"' }))}
      <section class="block"><h2>Active <span class="muted" id="active"></span></h2><ul class="table" id="faults"></ul></section>
      <section class="block"><h2>Recipes ${dim("faults that occur together in real incidents")}</h2><ul class="grid" id="recipes"></ul></section>
      <section class="block"><h2>One fault</h2><form class="card two" data-form="fault"><div class="stack">${field("fault", "Fault", select('id="f-fault" name="fault"', types.faults.map((one) => one.fault)))}<div class="stack" id="parameters"></div></div>
        <div class="stack"><div class="pair">${field("rule", "When", select('id="f-rule"', Object.entries(RULES)))}${field("when", "Value")}</div><div class="pair" id="scope"></div>
          <pre id="fault-body" tabindex="0"></pre><p class="errors" aria-live="polite"></p><button class="btn primary">Add fault</button></div></form></section></div>`);
    draw();
    drawForm();
    $("[data-form=fault]").addEventListener("input", ({ target }) => (target.name === "fault" ? drawForm() : drawBody()));
  },
  changed: (parts) => parts.has("faults") && draw(),
};

const words = (values) => Object.entries(values).map(([name, value]) => (value === true ? name : `${name} ${value ?? "any"}`)).join(", ");

function draw() {
  if (!$("#faults")) return;
  const active = state.faults;
  fill("#active", String(active.length));
  $("#clear-faults").disabled = !active.length;
  fill("#faults", active.length ? active.map((one) => html`<li class="fault"><span data-tone="${one.fired ? "fault" : "other"}">${glyph("fault")}</span><div><b class="mono">${one.fault}</b> ${dim(words(one.parameters))}
      <p class="muted">${one.id} · ${words(one.when)} · ${words(one.scope) || "everything"}${one.recipe && ` · recipe ${one.recipe}`}</p></div><div class="num"><b>fired ${one.fired}×</b><p class="muted">of ${count(one.seen, "match", "matches")}</p></div>
      ${button("remove-fault", "Remove", { kind: "small", more: `data-id="${one.id}" aria-label="Remove ${one.id}"` })}</li>`) : html`<li class="muted">None: the service behaves as documented.</li>`);
  const recipes = new Set(active.map((one) => one.recipe));
  fill("#recipes", types.recipes.map(({ recipe, description, faults: parts }) => {
    const act = recipes.has(recipe) ? "Remove" : "Add";
    return html`<li class="card"><div class="line"><h3 class="mono">${recipe}</h3>${gap}${button("recipe", act, { kind: "small", more: `id="recipe-${recipe}" data-name="${recipe}" aria-label="${act} ${recipe}"` })}</div>
      <p>${description}</p><p class="muted mono">${parts.map((one) => one.fault).join(" ")}</p></li>`;
  }));
}

// --- the form

const chosen = () => types.faults.find((one) => one.fault === $("#f-fault").value);
const schemaOf = ({ json_schema: schema }) => schema.anyOf?.find((one) => one.type !== "null") ?? schema;

function drawForm() {
  const { description, parameters, scope } = chosen();
  $("[data-field=fault] .hint").textContent = description;
  fill("#parameters", parameters.map((one) => {
    const [name, schema, value] = [one.name, schemaOf(one), one.json_schema.default];
    const options = schema.enum ?? (schema.type === "boolean" ? ["false", "true"] : null);
    const control = options && select(`id="f-${name}" name="${name}"`, value == null ? ["", ...options] : options, value);
    return field(name, name, control || html`<input id="f-${name}" name="${name}" autocomplete="off" placeholder="${value}">`, one.json_schema.description);
  }));
  fill("#scope", scope.map((name) => field(`scope.${name}`, `Only ${name}`)));
  drawBody();
}

/** A value as the API takes it: a number or true where the text is one. */
const typed = (text) => ({ true: true, false: false })[text] ?? numeric(text);

function body() {
  const { fault, parameters } = chosen();
  const rule = $("#f-rule").value;
  const value = (name) => document.getElementById(`f-${name}`).value;
  const given = parameters.filter((one) => value(one.name) && value(one.name) !== String(one.json_schema.default));
  const scope = $$("#scope input").filter((one) => one.value).map((one) => [one.name.slice(6), one.name.endsWith("app_id") ? typed(one.value) : one.value]);
  return { fault, ...Object.fromEntries(given.map((one) => [one.name, schemaOf(one).type === "string" ? value(one.name) : typed(value(one.name))])),
    ...(rule !== "always" && { when: { [rule]: typed(value("when")) } }), ...(scope.length && { scope: Object.fromEntries(scope) }) };
}

function drawBody() {
  $("#f-when").disabled = $("#f-rule").value === "always";
  fill("#fault-body", JSON.stringify(body()));
}

const change = (method, path, said, content) => call(method, path, content).then(() => read("faults")).then(() => say(said));

onDo({
  "clear-faults": () => attempt(() => change("DELETE", "/faults", "All faults are removed.")),
  "remove-fault": ({ id }) => attempt(() => change("DELETE", `/faults/${id}`, `${id} is removed.`)),
  recipe: ({ name }) => attempt(async () => {
    const active = state.faults.filter((one) => one.recipe === name);
    if (!active.length) await change("POST", "/faults", `${name} is active.`, { recipe: name });
    for (const { id } of active) await change("DELETE", `/faults/${id}`, `${name} is removed.`);
  }),
});

onForm({
  async fault(form) {
    try {
      await change("POST", "/faults", `${body().fault} is active.`, body());
      showProblem(form);
    } catch (problem) {
      showProblem(form, problem);
    }
  },
});
