// Settings of the account and the application, changed in place; accounts to switch between and to reset.

import { attempt, onDo, say } from "./actions.js";
import { APP, call, get } from "./api.js";
import { appWords, count } from "./format.js";
import { loadAccounts, read } from "./live.js";
import { $, button, dim, fill, gap, heading, html, icon, select } from "./parts.js";
import { state } from "./store.js";

const SCOPES = { application: "Application", account: "Account", server: "Server" };
let all = [];
let text = "";

export const settings = {
  render(main) {
    fill(main, html`<div class="page">${heading("Settings", "")}<div class="line block"><label class="search">${icon("search")}<input id="settings-q" placeholder="Filter" aria-label="Filter settings" autocomplete="off"></label></div>
      <div id="settings"></div><section class="block"><h2>Accounts</h2><ul class="table" id="accounts"></ul></section></div>`);
    $("#settings-q").value = text;
    $("#settings-q").addEventListener("input", ({ target }) => {
      text = target.value.trim().toLowerCase();
      draw();
    });
    drawAccounts();
    load();
  },
  changed(parts) {
    if (parts.has("accounts")) drawAccounts();
    if (parts.has("config")) load();
  },
};

async function load() {
  const found = await attempt(() => get("/settings", APP));
  if (found) all = found.settings;
  draw();
}

const isChanged = (one) => one.origin !== "default";
const key = (one) => one.name.replaceAll("_", "-");

function draw() {
  fill("#intro", `Of ${state.account ? `account ${state.account}` : "the default account"}, ${appWords(state.filter.app)}.`);
  const shown = all.filter((one) => (key(one) + one.description).toLowerCase().includes(text));
  fill("#settings", Object.entries(SCOPES).map(([scope, title]) => html`<section class="block"><h2>${title} ${dim(scope === "server" ? "fixed while the server runs" : "changed at once")}</h2>
    <ul class="table">${shown.filter((one) => one.scope === scope).map(row)}</ul></section>`));
}

function row(one) {
  const value = one.value == null ? "" : String(one.value);
  const [id, kinds] = [`s-${one.name}`, one.kind.split("|")];
  const attributes = `id="${id}" name="${one.name}" data-kind="${one.kind}"`;
  const control = one.scope === "server" ? html`<code>${value || "–"}</code>` : kinds.length > 1 ? select(attributes, one.default === null ? [["", "not set"], ...kinds] : kinds, value)
    : html`<input id="${id}" name="${one.name}" data-kind="${one.kind}" class="mono" value="${value}" placeholder="not set" autocomplete="off">`;
  return html`<li class="setting ${isChanged(one) && "changed"}"><div><label class="mono" for="${id}">${key(one)}</label><p class="muted">${one.origin}</p></div><div>${control}<p class="errors"></p></div><p class="muted">${one.description}</p></li>`;
}

/** What was typed, as `PATCH /config` takes it. */
function typed(value, kind) {
  if (kind === "true|false") return value === "true";
  if (!value && kind !== "text") return null;
  return kind === "number" && !Number.isNaN(Number(value)) ? Number(value) : value;
}

document.addEventListener("change", async ({ target }) => {
  const { kind } = target.dataset;
  if (!kind) return;
  const place = $(".errors", target.closest(".setting"));
  try {
    await call("PATCH", "/config", { [target.name]: typed(target.value, kind) }, APP);
    say(`${target.name.replaceAll("_", "-")} is changed.`);
    await read("config");
  } catch (problem) {
    place.textContent = problem.message;
  }
  target.setAttribute("aria-invalid", Boolean(place.textContent));
});

// --- accounts

function drawAccounts() {
  fill("#accounts", state.accounts.map((one) => {
    const [name, id] = [one.default ? "default" : one.secret_id, one.default ? "" : one.secret_id];
    return html`<li class="account"><div><b class="mono wrap">${name}</b><p class="muted">seed ${one.seed}${one.sub_app_id && ` · SubAppId ${one.sub_app_id}`} · ${count(one.events, "event")}</p></div>
      ${id === state.account ? dim("shown") : html`<a class="btn small" href="#/events${id && `?account=${encodeURIComponent(id)}`}">Show</a>`}${button("reset", "Reset", { kind: "small", more: `data-id="${one.secret_id}" data-name="${name}" aria-label="Reset ${name}"` })}</li>`;
  }));
}

onDo({
  reset: ({ id, name }) => {
    const dialog = $("#dialog");
    fill(dialog, html`<h2 id="dialog-title">Reset account ${name}?</h2><p>Its events, leases, deliveries, faults and media are discarded. Its clock and settings are those of the start.</p>
      <form method="dialog" class="line">${gap}<button class="btn" value="no">Cancel</button><button class="btn primary" value="yes">Reset</button></form>`);
    dialog.returnValue = "";
    dialog.onclose = () => dialog.returnValue === "yes" && attempt(async () => {
      const gone = await call("POST", "/reset", undefined, { account: id });
      say(`Account ${name} is reset: ${count(gone.events, "event")} discarded.`);
      loadAccounts();
    });
    dialog.showModal();
  },
});
