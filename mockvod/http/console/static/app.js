// Starts the page: the top bar, the navigation, the keyboard, and the view that the address names.

import { listen, onDo } from "./actions.js";
import { get } from "./api.js";
import { drawClock, tickClock } from "./clock.js";
import { listenToPicture, shownEvent } from "./detail.js";
import { diagnosis } from "./diagnosis.js";
import { emit } from "./emit.js";
import { events, move } from "./events.js";
import { faults } from "./faults.js";
import { appName } from "./format.js";
import { inbox } from "./inbox.js";
import { follow, loadAccounts, onEntry } from "./live.js";
import { $, button, chip, fill, gap, glyph, html, icon, raw } from "./parts.js";
import { queue } from "./queue.js";
import { report } from "./report.js";
import { accountLink, filterBy, go, link, readAddress, visit } from "./router.js";
import { settings } from "./settings.js";
import { onChange, state, STATES } from "./store.js";

const VIEWS = { events, queue, inbox, faults, diagnosis, report, settings, emit };
const NAVIGATION = Object.keys(VIEWS).slice(0, -1);
const title = (name) => name[0].toUpperCase() + name.slice(1);
const view = () => VIEWS[state.view.name];

// --- the top bar

function drawBar() {
  if (!$("#q")) {
    const pick = (name, words) => html`<label class="pick"><span>${words}</span><select id="${name}" data-change="${name}" aria-label="${words}"></select>${icon("down")}</label>`;
    fill("#bar", html`<a class="brand" id="brand" href="#/" aria-label="mockvod, events"><img src="console/icon.svg" alt=""><b>mockvod</b></a><div class="scope">${pick("account", "Account")}${pick("app", "Application")}</div>
      <span class="conn" id="conn" role="status"></span><label class="search">${icon("search")}<input id="q" type="search" placeholder="Search id, TaskId, FileId, type" aria-label="Search events" autocomplete="off" spellcheck="false"><kbd>/</kbd></label>
      <a class="btn primary" id="emit" href="#/emit" aria-label="Emit an event">${icon("emit")}<span>Emit</span><kbd>e</kbd></a>${button("help", "?", { kind: "icon-only", more: 'aria-label="Help and keyboard"' })}`);
  }
  const option = (value, text, chosen) => html`<option value="${value}"${raw(chosen === value ? " selected" : "")}>${text}</option>`;
  const accounts = state.accounts.map((one) => (one.default ? "" : one.secret_id));
  const apps = [...state.apps].sort((a, b) => a - b).map(String);
  const all = (known, chosen) => (known.includes(chosen) ? known : [...known, chosen]);
  fill("#account", all(accounts, state.account).map((id) => option(id, id || "default", state.account)));
  fill("#app", all(["", ...apps], state.filter.app).map((id) => option(id, id && appName(Number(id)) || "all", state.filter.app)));
  if (document.activeElement !== $("#q")) $("#q").value = state.filter.text;
  $("#emit").href = link("emit");
  $("#brand").href = link("events");
}

function drawConnection() {
  const { kind, until } = state.connection;
  const seconds = Math.max(1, Math.ceil((until - performance.now()) / 1000));
  const words = { live: html`Live <code>${location.host}</code>`, connecting: "Connecting", retrying: `Disconnected, retrying in ${seconds} s`, gone: "Account deleted or unknown" };
  $("#conn").dataset.kind = kind;
  fill("#conn", html`<i></i>${words[kind]}`);
}

function drawCounts() {
  fill("#counts", STATES.map((name) => html`<li><button data-do="state" data-name="${name}" data-tone="${name}" aria-pressed="${state.filter.state === name}" class="${!state.counts[name] && "none"}" title="Show only ${name}">
    <span>${glyph(name)}${name}</span><b>${(state.counts[name] ?? 0).toLocaleString("en")}</b></button></li>`));
}

function drawNavigation() {
  const numbers = { faults: state.faults.length, queue: state.queues.reduce((sum, one) => sum + one.visible + one.leased, 0) };
  fill("#nav", html`<ul>${NAVIGATION.map((name) => html`<li><a href="${link(name)}"${raw(name === state.view.name ? ' aria-current="page"' : "")}>${icon(name)}<span>${title(name)}</span>
    ${numbers[name] > 0 && html`<b>${Math.min(numbers[name], 999)}</b>`}</a></li>`)}</ul>${state.server.version && html`<p class="about">mockvod ${state.server.version.split("+")[0]}<br>seed ${state.server.seed}</p>`}`);
}

const KEYS = { "/": "search", "j k": "next, previous event", Enter: "focus the selected event", Esc: "back; clear; close", e: "emit", c: "copy the event as JSON", f: "freeze or release the clock",
  n: "advance to the next due moment", "g e": "events; g q queue, g i inbox, and so on", "?": "this help" };

function showHelp() {
  fill("#dialog", html`<div class="line"><h2 id="dialog-title">Keyboard</h2>${gap}<form method="dialog"><button class="btn icon-only" aria-label="Close">${icon("close")}</button></form></div>
    <dl class="keys">${Object.entries(KEYS).map(([keys, words]) => html`<div><dt>${keys.split(" ").map((one) => html`<kbd>${one}</kbd> `)}</dt><dd>${words}</dd></div>`)}</dl>
    <p>Round: pulled. Square: pushed. Filled: terminal state. ${STATES.map((name) => html`${chip(name)} `)}</p>`);
  $("#dialog").showModal();
}

// --- routes

function route() {
  const other = readAddress();
  if (other.account) follow();
  drawNavigation();
  drawBar();
  drawCounts();
  if (other.view || other.account || !view().moved) {
    $("#main").scrollTop = 0;
    view().render($("#main"));
  } else view().moved();
  document.title = `${view().title?.() ?? title(state.view.name)} · mockvod`;
}

onDo({
  help: showHelp,
  skip: (_, __, event) => {
    event.preventDefault();
    $("#main").focus();
  },
  state: ({ name }) => {
    filterBy({ state: state.filter.state === name ? "" : name });
    if (state.view.name !== "events") go("events");
  },
});

document.addEventListener("change", ({ target: { dataset, value } }) => {
  if (dataset.change === "account") visit(accountLink(value, state.view.name));
  else if (dataset.change) filterBy({ [dataset.change]: value });
  if (dataset.change === "app" && state.view.name !== "events") view().render($("#main"));
});

document.addEventListener("input", ({ target }) => {
  if (target.id !== "q") return;
  filterBy({ text: target.value.trim() });
  if (state.view.name !== "events") go("events");
});

// --- the keyboard

const SHORTCUTS = {
  "/": () => $("#q").focus(),
  "?": showHelp,
  e: () => go("emit"),
  f: () => $("#freeze").click(),
  n: () => $("#next-due").click(),
  j: () => (state.view.name === "events" ? move(1) : go("events")),
  k: () => (state.view.name === "events" ? move(-1) : go("events")),
  c: () => shownEvent() && $("#body button").click(),
  Enter: () => $("#title")?.focus(),
  Escape: () => go("events"),
};
const GO = Object.fromEntries(NAVIGATION.map((name) => [name[0], name]));
let prefix = -Infinity; // when g was pressed

document.addEventListener("keydown", (event) => {
  const { target, key, timeStamp } = event;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) {
    if (key !== "Escape") return;
    if (target.id === "q") filterBy({ text: (target.value = "") });
    target.blur();
    return;
  }
  if (event.metaKey || event.ctrlKey || event.altKey || $("dialog[open]")) return;
  const isList = target.id === "rows";
  if (key === "Enter" && !isList && target !== document.body) return;
  const arrow = isList && { ArrowDown: "j", ArrowUp: "k" }[key];
  const act = timeStamp - prefix < 1500 && GO[key] ? () => go(GO[key]) : SHORTCUTS[arrow || key];
  prefix = key === "g" ? timeStamp : -Infinity;
  if (!act) return;
  event.preventDefault();
  act();
});

// --- time and news

let ticks = 0;
setInterval(() => {
  ticks += 1;
  const isSecond = ticks % 10 === 0;
  if (document.hidden) return;
  if (isSecond && state.connection.kind === "retrying") drawConnection();
  if (state.clock.frozen || (!isSecond && matchMedia("(prefers-reduced-motion: reduce)").matches)) return;
  tickClock();
  view().tick?.(isSecond);
}, 100);

onChange((parts) => {
  const has = (...names) => names.some((name) => parts.has(name));
  if (has("connection")) drawConnection();
  if (has("clock")) drawClock();
  if (has("stats", "rows")) drawCounts();
  if (has("faults", "queues")) drawNavigation();
  if (has("accounts", "rows", "queues") && document.activeElement.tagName !== "SELECT") drawBar();
  view().changed?.(parts);
});
onEntry((entry) => view().entry?.(entry));
listen();
listenToPicture();
addEventListener("hashchange", route);
drawBar();
drawConnection();
drawClock();
route();
if (!state.account) follow();
loadAccounts();
get("/server", { account: "" }).then((server) => {
  state.server = server;
  drawNavigation();
});
