// Starts the page: the top bar, the navigation, the keyboard, and the view that the address names.

import { listen, onDo } from "./actions.js";
import { $, bool, fill, html, raw } from "./html.js";
import { chip, glyph, icon } from "./glyphs.js";
import { get } from "./api.js";
import { drawClock, tickClock } from "./clock.js";
import { listenToPicture, shownEvent } from "./detail.js";
import { diagnosis } from "./diagnosis.js";
import { emit } from "./emit.js";
import { events, move } from "./events.js";
import { appName } from "./format.js";
import { faults } from "./faults.js";
import { inbox } from "./inbox.js";
import { follow, loadAccounts, onEntry } from "./live.js";
import { queue } from "./queue.js";
import { report } from "./report.js";
import { filterBy, go, link, readAddress } from "./router.js";
import { settings } from "./settings.js";
import { onChange, state, STATES } from "./store.js";

const views = { events, queue, inbox, faults, diagnosis, report, settings, emit };
const NAVIGATION = [
  ["events", "Events"], ["queue", "Queue"], ["inbox", "Inbox"], ["faults", "Faults"], ["diagnosis", "Diagnosis"],
  ["report", "Report"], ["settings", "Settings"],
];
const view = () => views[state.view.name];

// --- the top bar

function drawBar() {
  const account = (one) => html`<option value="${one.secret_id}"${raw(isChosen(one) ? " selected" : "")}>${one.default ? "default" : one.secret_id}</option>`;
  const isChosen = (one) => (one.default ? !state.account || state.account === one.secret_id : one.secret_id === state.account);
  const known = state.accounts.some(isChosen);
  const apps = [...state.apps].sort((a, b) => a - b);
  const chosen = state.filter.app;
  if ($("#bar").contains(document.activeElement) && document.activeElement.tagName === "SELECT") return;
  if (!$("#q")) buildBar();
  fill("#account", html`${state.accounts.map(account)}${!known && html`<option selected>${state.account || "default"}</option>`}`);
  fill("#app", html`<option value="">all</option>${apps.map((id) => html`<option value="${id}"${raw(chosen === String(id) ? " selected" : "")}>${appName(id)}</option>`)}
    ${chosen !== "" && !state.apps.has(Number(chosen)) && html`<option value="${chosen}" selected>${chosen}</option>`}`);
  if (document.activeElement !== $("#q")) $("#q").value = state.filter.text;
  $("#emit").href = link("emit");
  $("#brand").href = link("events");
}

function buildBar() {
  fill("#bar", html`<a class="brand" id="brand" href="#/events" aria-label="mockvod, events"><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 12V4l5 5 5-5v8"/></svg><b>mockvod</b></a>
    <div class="scope"><label class="pick"><span>Account</span><select id="account" data-change="account" aria-label="Account"></select>${icon("down")}</label>
      <label class="pick"><span>Application</span><select id="app" data-change="app" aria-label="Application"></select>${icon("down")}</label></div>
    <span class="conn" id="conn" role="status"></span>
    <label class="search">${icon("search")}<input id="q" type="search" placeholder="Search id, TaskId, FileId, type" aria-label="Search events" autocomplete="off" spellcheck="false"><kbd>/</kbd></label>
    <a class="btn primary" id="emit" href="#/emit" aria-label="Emit an event">${icon("emit")}<span>Emit</span><kbd>e</kbd></a>
    <button class="btn icon-only" data-do="help" aria-label="Help and keyboard" title="Help (?)">${icon("help")}</button>`);
}

function drawConnection() {
  const { kind, until } = state.connection;
  const seconds = Math.max(1, Math.ceil(((until ?? 0) - performance.now()) / 1000));
  const words = {
    live: html`Live <code>${location.host}</code>`,
    connecting: "Connecting",
    retrying: `Disconnected, trying again in ${seconds} s`,
    gone: "This account was deleted",
  };
  const place = $("#conn");
  if (place) place.dataset.kind = kind;
  fill(place, html`<i></i>${words[kind]}`);
}

function drawCounts() {
  fill("#counts", STATES.map((name) => {
    const number = state.counts[name] ?? 0;
    return html`<li><button data-do="state" data-state="${name}" data-tone="${name}" aria-pressed="${bool(state.filter.state === name)}" class="${number ? "" : "none"}" title="Show only ${name}">
      <span class="label">${glyph(name)}${name}</span><b>${number.toLocaleString("en")}</b></button></li>`;
  }));
}

function drawNavigation() {
  const numbers = { faults: state.faults.length, queue: state.queues.reduce((sum, one) => sum + one.visible + one.leased, 0) };
  const current = state.view.name;
  fill("#nav", html`<ul>${NAVIGATION.map(([name, words]) => html`<li><a href="${link(name)}"${raw(name === current ? ' aria-current="page"' : "")}>${icon(name)}
    <span>${words}</span>${numbers[name] > 0 && html`<b>${numbers[name] > 999 ? "999+" : numbers[name]}</b>`}</a></li>`)}</ul>
    ${state.server && html`<p class="about">mockvod ${state.server.version}<br>seed ${state.server.seed}</p>`}`);
}

// --- help

const KEYS = [
  ["/", "search"], ["j k", "next, previous event"], ["Enter", "to the selected event"], ["Esc", "back; clear; close"], ["e", "emit"],
  ["c", "copy the event as JSON"], ["f", "freeze or release the clock"], ["n", "advance to the next due moment"],
  ["g then e q i f d r s", NAVIGATION.map(([, words]) => words.toLowerCase()).join(", ")], ["?", "this help"],
];

function showHelp() {
  const key = (text) => text.split(" ").map((one) => (one === "then" ? " then " : html`<kbd>${one}</kbd> `));
  fill("#help", html`<div class="line"><h2 id="help-title">Keyboard</h2><span class="fill"></span><form method="dialog">
      <button class="btn icon-only" aria-label="Close">${icon("close")}</button></form></div>
    <dl class="keys">${KEYS.map(([keys, words]) => html`<div><dt>${key(keys)}</dt><dd>${words}</dd></div>`)}</dl>
    <h2>States</h2><p class="muted">Round: pulled. Square: pushed. Filled: terminal. The mark says how it ended.</p>
    <p class="legend">${STATES.map((name) => chip(name))}</p>`);
  $("#help").showModal();
}

// --- routes

function route() {
  const { account, view: other } = readAddress();
  if (account) {
    drawBar();
    follow();
  }
  drawNavigation();
  drawBar();
  drawCounts();
  if (other || account || !view().moved) {
    document.body.dataset.view = state.view.name;
    $("#main").scrollTop = 0;
    view().render($("#main"));
  } else view().moved();
  document.title = `${view().title?.() ?? state.view.name} · mockvod`;
}

onDo({
  help: showHelp,
  skip: (_, __, event) => {
    event.preventDefault();
    $("#main").focus();
  },
  state: ({ state: name }) => {
    filterBy({ state: state.filter.state === name ? "" : name });
    if (state.view.name !== "events") go("events");
  },
});

document.addEventListener("change", ({ target }) => {
  const name = target.dataset.change;
  if (name === "account") {
    const chosen = state.accounts.find((one) => one.secret_id === target.value);
    const to = chosen?.default ? "" : target.value;
    location.hash = `#/${state.view.name}${to ? `?account=${encodeURIComponent(to)}` : ""}`;
  } else if (name in state.filter) {
    filterBy({ [name]: target.value });
    if (name === "app" && state.view.name !== "events") view().render($("#main"));
  }
});

document.addEventListener("input", ({ target }) => {
  if (target.id !== "q") return;
  if (state.view.name !== "events") go("events");
  filterBy({ text: target.value.trim() });
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
  c: () => shownEvent() && $("#body [data-do=copy-as]")?.click(),
  Escape: () => go("events"),
};
const GO = { e: "events", q: "queue", i: "inbox", f: "faults", d: "diagnosis", r: "report", s: "settings" };
let prefix = 0; // when g was pressed

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) {
    if (key === "Escape") {
      if (target.id === "q" && state.filter.text) filterBy({ text: (target.value = "") });
      target.blur();
    }
    return;
  }
  if (event.metaKey || event.ctrlKey || event.altKey || $("dialog[open]")) return;
  const inList = target.id === "rows";
  let act = SHORTCUTS[key];
  if (key === "g") act = () => { prefix = event.timeStamp; };
  else if (prefix && event.timeStamp - prefix < 1500 && GO[key]) act = () => go(GO[key]);
  else if (inList && key === "ArrowDown") act = SHORTCUTS.j;
  else if (inList && key === "ArrowUp") act = SHORTCUTS.k;
  else if ((inList || target === document.body) && key === "Enter") act = () => $("#title")?.focus();
  if (key !== "g") prefix = 0;
  if (!act) return;
  event.preventDefault();
  act();
});

// --- time and news

let ticks = 0;
setInterval(() => {
  if (document.hidden) return;
  ticks += 1;
  const isSecond = ticks % 10 === 0;
  if (isSecond && state.connection.kind === "retrying") drawConnection();
  if (state.clock.frozen) return;
  tickClock();
  if (isSecond || !matchMedia("(prefers-reduced-motion: reduce)").matches) view().tick?.(isSecond);
}, 100);

onChange((parts) => {
  if (parts.has("connection")) drawConnection();
  if (parts.has("clock")) drawClock();
  if (parts.has("counts") || parts.has("rows")) drawCounts();
  if (parts.has("faults") || parts.has("queues")) drawNavigation();
  if (parts.has("accounts") || parts.has("rows") || parts.has("queues")) drawBar();
  view().changed?.(parts);
});
onEntry((entry) => view().entry?.(entry));

listen();
listenToPicture();
addEventListener("hashchange", route);
drawBar();
drawConnection();
drawClock();
readAddress();
route();
document.body.dataset.view = state.view.name;
view().render($("#main"));
follow();
loadAccounts().catch(() => {});
get("/server", { account: false }).then((server) => {
  state.server = server;
  drawNavigation();
}, () => {});

