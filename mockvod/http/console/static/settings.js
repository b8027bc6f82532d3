// Settings of the account and the application, changed in place; accounts and applications to make, show, reset and delete.

import { attempt, onDo, onForm, say, showProblem } from "./actions.js";
import { APP, call, get } from "./api.js";
import { appName, appWords, count, numeric } from "./format.js";
import { loadAccounts, read } from "./live.js";
import { $, button, dim, field, fill, gap, heading, html, icon, input, select } from "./parts.js";
import { accountLink, filterBy } from "./router.js";
import { state } from "./store.js";

const SCOPES = { application: "Application", account: "Account", server: "Server" };
let all = [];
let text = "";

export const settings = {
  render(main) {
    fill(main, html`<div class="page">${heading("Settings", "")}<div class="line block"><label class="search">${icon("search")}<input id="settings-q" placeholder="Filter" aria-label="Filter settings" autocomplete="off"></label></div>
      <div id="settings"></div><div class="two"><section class="block"><h2>Accounts ${dim("isolated: each has its own events, clock and faults")}</h2><ul class="table" id="accounts"></ul>
        <form class="fields card" data-form="account">${field("secret_id", "SecretId", input("secret_id", 'placeholder="generated"'))}${field("seed", "Seed", input("seed", 'placeholder="the server’s"'))}<label class="line check"><input type="checkbox" name="frozen">Frozen</label><button class="btn">Make account</button></form></section>
      <section class="block"><h2>Applications ${dim("made when first used")}</h2><ul class="table" id="applications"></ul>
        <form class="fields card" data-form="application">${field("sub_app_id", "SubAppId", input("sub_app_id", 'inputmode="numeric" placeholder="1500000001"'))}<button class="btn">Make application</button></form></section></div></div>`);
    $("#settings-q").value = text;
    $("#settings-q").addEventListener("input", ({ target }) => {
      text = target.value.trim().toLowerCase();
      draw();
    });
    drawAccounts();
    load();
    loadAccounts();
  },
  changed(parts) {
    if (parts.has("accounts") || parts.has("queues")) drawAccounts();
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
  fill("#intro", `For ${state.account ? `account ${state.account}` : "the default account"} and ${appWords(state.filter.app)}.`);
  const shown = all.filter((one) => (key(one) + one.description).toLowerCase().includes(text));
  fill("#settings", Object.entries(SCOPES).map(([scope, title]) => html`<section class="block"><h2>${title} ${dim(scope === "server" ? "fixed while the server runs" : "changes take effect at once")}</h2>
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
  return kind === "number" ? numeric(value) : value;
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

// --- accounts and applications

const act = (name, words, more) => button(name, words, { kind: "small", more });

function drawAccounts() {
  fill("#accounts", state.accounts.map((one) => {
    const [name, id] = [one.default ? "default" : one.secret_id, one.default ? "" : one.secret_id];
    const which = `data-id="${one.secret_id}" data-name="account ${name}"`;
    return html`<li class="account"><div><b class="mono wrap">${name}</b><p class="muted">seed ${one.seed}${one.sub_app_id && ` · SubAppId ${one.sub_app_id}`} · ${count(one.events, "event")}</p></div>
      <div class="line">${id === state.account ? dim("selected") : html`<a class="btn small" href="${accountLink(id)}">Show</a>`}${act("reset", "Reset", `${which} aria-label="Reset ${name}"`)}${id && act("delete-account", "Delete", `${which} aria-label="Delete ${name}"`)}</div></li>`;
  }));
  fill("#applications", [...state.apps].sort((a, b) => a - b).map((id) => {
    const found = state.queues.find((one) => (one.sub_app_id ?? 0) === id);
    return html`<li class="account"><div><b class="mono">${appName(id)}</b><p class="muted">${found ? `${found.mode} · ${count(found.visible + found.leased, "event")} in the queue` : "not used yet"}</p></div>
      <div class="line">${state.filter.app === String(id) ? dim("selected") : act("use-app", "Show", `data-id="${id}" aria-label="Show ${appWords(id)}"`)}${act("reset", "Reset", `data-id="${state.account}" data-app="${id}" data-name="${appWords(id)}" aria-label="Reset ${appWords(id)}"`)}</div></li>`;
  }));
}

/** Asks before *work*, whose result *said* describes. */
function confirmed(act, name, consequences, work, said) {
  const dialog = $("#dialog");
  fill(dialog, html`<h2 id="dialog-title">${act} ${name}?</h2><p>${consequences}</p>
    <form method="dialog" class="line">${gap}<button class="btn" value="no">Cancel</button><button class="btn primary" value="yes">${act}</button></form>`);
  dialog.returnValue = "";
  dialog.onclose = () => dialog.returnValue === "yes" && attempt(async () => {
    say(said(await work()));
    loadAccounts();
  });
  dialog.showModal();
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

onDo({
  reset: ({ id, app, name }) => confirmed("Reset", name, `Its events, leases, deliveries${app ? "" : ", faults"} and media are discarded. Its ${app ? "" : "clock and "}settings are those of the start.`,
    () => (app ? call("POST", "/reset", undefined, { account: id, query: { sub_app_id: app } }) : call("POST", `/reset?secret_id=${encodeURIComponent(id)}`, undefined, { account: "" })), (gone) => `${sentence(name)} is reset: ${count(gone.events, "event")} discarded.`),
  "delete-account": ({ id, name }) => confirmed("Delete", name, "Everything in it is discarded.",
    () => call("DELETE", `/accounts/${encodeURIComponent(id)}`, undefined, { account: "" }), () => `${sentence(name)} is deleted.`),
  "use-app": ({ id }) => {
    filterBy({ app: id });
    settings.render($("#main"));
  },
});

const submitted = (form, work) => work().then(() => {
  form.reset();
  showProblem(form);
}, (problem) => showProblem(form, problem));

onForm({
  account: (form) => submitted(form, async () => {
    const { secret_id: id, seed, frozen } = form.elements;
    const made = await call("POST", "/accounts", { secret_id: id.value || undefined, seed: seed.value ? numeric(seed.value) : undefined, frozen: frozen.checked }, { account: "" });
    say(`Account ${made.secret_id} is made. Its SecretKey is ${made.secret_key}.`);
    loadAccounts();
  }),
  application: (form) => submitted(form, async () => {
    const id = form.elements.sub_app_id.value;
    await call("PATCH", "/config", {}, { query: { sub_app_id: id || "none" } });
    say(`Application ${id} is made.`);
    read("stats");
  }),
});
