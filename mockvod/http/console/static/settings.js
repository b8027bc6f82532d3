// Settings of the account and the application, changed in place; accounts to switch between, make, reset and delete.

import { attempt, confirmed, copy, onDo, onForm, say, showError } from "./actions.js";
import { call, get } from "./api.js";
import { $, bool, fill, html, raw } from "./html.js";
import { icon } from "./glyphs.js";
import { appName, count } from "./format.js";
import { follow, loadAccounts, refreshNow } from "./live.js";
import { state } from "./store.js";

const SCOPES = [["application", "Application"], ["account", "Account"], ["server", "Server"]];
let all = [];
let text = "";
let onlyChanged = false;

export const settings = {
  title: () => "Settings",
  async render(main) {
    fill(main, html`<div class="page"><header><div><h1>Settings</h1><p id="whose"></p></div></header>
      <div class="line tools"><label class="search">${icon("search")}<input id="settings-q" placeholder="Filter" aria-label="Filter settings" autocomplete="off"></label>
        <button class="btn quiet" data-do="only-changed" aria-pressed="${bool(onlyChanged)}">Only changed</button><span class="fill"></span>
        <button class="btn quiet" data-do="copy-toml">${icon("copy")}Copy as mockvod.toml</button></div>
      <div id="settings"></div><section class="block"><h2>Accounts</h2><ul class="table" id="accounts"></ul>
        <form class="line accounts-form" data-form="account"><div class="field"><label for="a-id">New account <span class="muted">SecretId, or empty for a drawn one</span></label><div class="line"><input id="a-id" class="mono" name="secret_id" autocomplete="off"><button class="btn">Create</button></div><p class="hint"></p></div></form></section></div>`);
    $("#settings-q").value = text;
    $("#settings-q").addEventListener("input", ({ target }) => { text = target.value.trim(); draw(); });
    drawAccounts();
    await load();
  },
  changed(parts) {
    if (parts.has("accounts")) drawAccounts();
    if (parts.has("config") && !$("#settings :focus")) load();
  },
};

async function load() {
  const found = await attempt(() => get("/settings"));
  if (!found) return;
  all = found.settings;
  draw();
}

const isChanged = (one) => one.origin !== "default";
const key = (one) => one.name.replaceAll("_", "-");
const asText = (value) => (value == null ? "" : String(value));

function draw() {
  if (!$("#settings")) return;
  fill("#whose", html`Of ${state.account ? html`account <b>${state.account}</b>` : "the default account"}, application <b>${appName(Number(state.filter.app || 0))}</b>. The control API wins over a flag, a flag over a variable, a variable over the file.`);
  const shown = all.filter((one) => (!onlyChanged || isChanged(one)) && (key(one) + one.description).toLowerCase().includes(text.toLowerCase()));
  fill("#settings", shown.length ? SCOPES.map(([scope, title]) => {
    const rows = shown.filter((one) => one.scope === scope);
    return rows.length > 0 && html`<section class="block"><h2>${title} <span class="muted">${scope === "server" ? "fixed while the server runs" : "changed at once"}</span></h2><ul class="table">${rows.map(row)}</ul></section>`;
  }) : html`<p class="nothing">No setting matches.</p>`);
}

function row(one) {
  const value = asText(one.value);
  const id = `v-${one.name}`;
  const options = one.kind.includes("|") ? one.kind.split("|") : null;
  let control;
  if (one.scope === "server") control = html`<span class="value mono">${value || "–"}</span>`;
  else if (options) {
    control = html`<span class="pick wide"><select id="${id}" name="${one.name}" data-setting="${one.kind}">${one.default === null && html`<option value=""${raw(value ? "" : " selected")}>not set</option>`}
      ${options.map((option) => html`<option${raw(option === value ? " selected" : "")}>${option}</option>`)}</select>${icon("down")}</span>`;
  } else control = html`<input id="${id}" class="mono" name="${one.name}" data-setting="${one.kind}" value="${value}" placeholder="not set" autocomplete="off">`;
  return html`<li class="setting ${isChanged(one) ? "changed" : ""}"><div class="field">${one.scope === "server" ? html`<b class="mono">${key(one)}</b>` : html`<label class="mono" for="${id}">${key(one)}</label>`}<p class="hint">${one.origin}</p></div>
    <div class="field">${control}<p class="errors"></p></div><p class="muted">${one.description}</p></li>`;
}

/** What was typed, as `PATCH /config` takes it. */
function typed(value, kind) {
  if (kind === "true|false") return value === "true";
  if (value === "" && kind !== "text") return null;
  return kind === "number" && !Number.isNaN(Number(value)) ? Number(value) : value;
}

document.addEventListener("change", async ({ target }) => {
  const kind = target.dataset.setting;
  if (!kind) return;
  try {
    await call("PATCH", "/config", { [target.name]: typed(target.value, kind) });
    say(`${target.name.replaceAll("_", "-")} is changed.`);
    await refreshNow("config");
    await load();
  } catch (problem) {
    target.setAttribute("aria-invalid", "true");
    const place = $(".errors", target.closest(".field"));
    place.textContent = problem.message;
    place.setAttribute("role", "alert");
  }
});

function toml() {
  const rows = all.filter((one) => isChanged(one) && one.value !== "(set)" && one.value !== null && one.value !== "");
  return rows.map((one) => `${key(one)} = ${JSON.stringify(one.value)}\n`).join("");
}

// --- accounts

const nameOf = (one) => (one.default ? "default" : one.secret_id);
const isHere = (one) => (one.default ? !state.account : one.secret_id === state.account);

function drawAccounts() {
  fill("#accounts", state.accounts.map((one) => html`<li class="account"><b class="mono wrap">${nameOf(one)}</b><span class="muted">seed ${one.seed}${one.sub_app_id && ` · SubAppId ${one.sub_app_id}`}</span><span class="num muted">${count(one.events, "event")}</span>
    <span class="line">${isHere(one) ? html`<span class="muted">shown</span>` : html`<a class="btn small" href="#/events${one.default ? "" : `?account=${encodeURIComponent(one.secret_id)}`}">Show</a>`}
      <button class="btn small" data-do="reset-account" data-id="${one.secret_id}" data-name="${nameOf(one)}">Reset</button>${!one.default && html`<button class="btn small" data-do="delete-account" data-id="${one.secret_id}">Delete</button>`}</span></li>`));
}

const question = (title, words, button) => html`<h2 id="confirm-title">${title}</h2><p>${words}</p><form method="dialog" class="line"><span class="fill"></span><button class="btn" value="no">Cancel</button><button class="btn primary" value="yes">${button}</button></form>`;

onDo({
  "only-changed": (_, element) => {
    onlyChanged = !onlyChanged;
    element.setAttribute("aria-pressed", bool(onlyChanged));
    draw();
  },
  "copy-toml": () => copy(toml(), "Copied what differs from the defaults."),
  "reset-account": async ({ id, name }) => {
    const words = "Its events, queue, deliveries, faults, media and clock are discarded, and its settings are those of the start.";
    if (!(await confirmed(question(`Reset account ${name}?`, words, "Reset")))) return;
    await attempt(async () => {
      const gone = await call("POST", "/reset", undefined, { account: false, query: { secret_id: id } });
      say(`Account ${name} was reset: ${count(gone.events, "event")} discarded.`);
      await loadAccounts();
      if (isHere({ default: !id, secret_id: id })) follow();
    });
  },
  "delete-account": async ({ id }) => {
    if (!(await confirmed(question(`Delete account ${id}?`, "Everything it owns is discarded. Calls with its SecretId are rejected.", "Delete")))) return;
    await attempt(async () => {
      await call("DELETE", `/accounts/${encodeURIComponent(id)}`, undefined, { account: false });
      say(`Account ${id} was deleted.`);
      if (state.account === id) location.hash = "#/settings";
      await loadAccounts();
    });
  },
});

onForm({
  async account(form) {
    try {
      const id = form.elements.secret_id.value.trim();
      const made = await call("POST", "/accounts", id ? { secret_id: id } : {}, { account: false });
      await loadAccounts();
      location.hash = `#/settings?account=${encodeURIComponent(made.secret_id)}`;
      await copy(made.secret_key, `Account ${made.secret_id} was created. Its SecretKey is copied.`);
    } catch (problem) {
      showError(form, problem);
    }
  },
});
