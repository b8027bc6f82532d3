// The list of events: only the rows that are visible exist, and each is changed in place.

import { $, bool, html, put, setText } from "./html.js";
import { chip, icon } from "./glyphs.js";
import { age, appName, count, dateTime, shortFile, shortTask } from "./format.js";
import { hold, isFiltered, listSize, loadedCount, now, placeOf, rowAt, state, STATES } from "./store.js";

const WIDE = 800; // px from which a row is one line; the same as in views.css
const MARGIN = 6; // rows drawn above and below what is visible

let scroller;
let rowsElement;
let height = 57;
let elements = new Map(); // of the drawn rows, by number
let fresh = new Set(); // numbers of rows that came in while the list was followed
let before = 0; // the newest number that was shown

export const listMarkup = () => html`
  <section class="list-pane" aria-label="List of events">
    <div class="tools" id="tools"></div>
    <div class="columns" aria-hidden="true"><span>State</span><span>Event</span><span>Type</span><span>TaskId</span>
      <span>FileId</span><span>Application</span><span></span><span>Age</span></div>
    <p class="nothing" id="new"></p>
    <div class="scroller" id="scroller"><ul id="rows" role="listbox" tabindex="0" aria-label="Events, newest first"></ul></div>
    <p class="nothing" id="none"></p>
  </section>`;

export function mountList() {
  scroller = $("#scroller");
  rowsElement = $("#rows");
  elements = new Map();
  fresh = new Set();
  before = Infinity;
  scroller.addEventListener("scroll", () => {
    holdIfAway();
    drawRows();
  }, { passive: true });
  new ResizeObserver(([entry]) => {
    height = entry.contentRect.width >= WIDE ? 37 : 57;
    drawRows();
  }).observe(scroller);
}

/** New events are held back while the list is scrolled or not followed. */
export function holdIfAway() {
  hold(!state.follow || (scroller?.scrollTop ?? 0) > 4);
}

export function drawList() {
  if (!rowsElement?.isConnected) return;
  const size = listSize();
  drawTools(size);
  drawRows(size);
}

function drawTools(size) {
  const { state: wanted, type, app, text } = state.filter;
  const tag = (name, shown) => html`<button class="tag" data-do="unfilter" data-name="${name}" title="Remove this filter">
    ${shown}${icon("close")}</button>`;
  const total = loadedCount();
  const tools = $("#tools");
  const markup = put(html`
    ${picker("state", "Any state", STATES, wanted)}${picker("type", "Any type", knownTypes(), type)}
    ${app !== "" && tag("app", `application ${appName(Number(app))}`)}${text && tag("text", `“${text}”`)}
    <span class="fill"></span><span class="muted num">${isFiltered() ? `${size.shown} of ${total}` : total}</span>
    <button class="btn quiet" data-do="follow" aria-pressed="${bool(state.follow)}"
      title="Follow: new events appear at the top">${icon("follow")}Follow</button>`);
  if (tools.filled !== markup && !tools.contains(document.activeElement)) {
    tools.filled = markup;
    tools.innerHTML = markup;
  } else {
    setText($(".muted.num", tools), isFiltered() ? `${size.shown} of ${total}` : String(total));
    $("[data-do=follow]", tools)?.setAttribute("aria-pressed", bool(state.follow));
  }
  const more = $("#new");
  const words = size.held ? `${count(size.held, "new event")}` : "";
  if (more.dataset.words !== words) {
    more.dataset.words = words;
    more.innerHTML = words && put(html`<button class="btn" data-do="show-new">${words}</button>`);
  }
  const none = $("#none");
  const empty = size.shown || !state.loaded ? "" : put(html`No event matches.
    <button class="link" data-do="clear-filter">Clear the filter</button>`);
  if (none.innerHTML !== empty) none.innerHTML = empty;
}

const picker = (name, all, options, value) => html`<label class="pick small ${value && "on"}"><span class="vh">${all}</span>
  <select data-change="${name}" aria-label="${all}"><option value="">${all}</option>${options.map((option) =>
    option === value ? html`<option selected>${option}</option>` : html`<option>${option}</option>`)}</select>${icon("down")}</label>`;

const types = new Set();
function knownTypes() {
  for (let place = 0, size = listSize(); place < Math.min(size.shown, 200); place += 1) types.add(rowAt(place, size).event_type);
  if (state.filter.type) types.add(state.filter.type);
  return [...types].sort();
}

function drawRows(size = listSize()) {
  if (!rowsElement?.isConnected) return;
  const first = Math.max(0, Math.floor(scroller.scrollTop / height) - MARGIN);
  const end = Math.min(size.shown, Math.ceil((scroller.scrollTop + scroller.clientHeight) / height) + MARGIN);
  rowsElement.style.height = `${size.shown * height}px`;
  const top = rowAt(0, size)?.number ?? 0;
  const needed = new Map();
  for (let place = first; place < end; place += 1) {
    const row = rowAt(place, size);
    needed.set(row.number, [row, place]);
    if (row.number > before) fresh.add(row.number);
  }
  before = top;
  const spare = [...elements.keys()].filter((number) => !needed.has(number));
  for (const [number, [row, place]] of needed) {
    let element = elements.get(number);
    if (!element) {
      const reused = spare.pop();
      element = reused === undefined ? newRow() : elements.get(reused);
      elements.delete(reused);
      elements.set(number, element);
    }
    drawRow(element, row, place, size.shown);
  }
  for (const number of spare) {
    elements.get(number).remove();
    elements.delete(number);
  }
  const selected = state.view.id && document.getElementById(`row-${state.view.id}`);
  if (selected) rowsElement.setAttribute("aria-activedescendant", selected.id);
  else rowsElement.removeAttribute("aria-activedescendant");
}

function newRow() {
  const element = document.createElement("li");
  element.setAttribute("role", "option");
  element.className = "row";
  element.dataset.do = "open";
  rowsElement.append(element);
  return element;
}

function drawRow(element, row, place, total) {
  const selected = row.id === state.view.id;
  element.row = row;
  const signature = `${row.number} ${row.state} ${row.tries}`;
  if (element.signature !== signature) {
    const isNew = fresh.delete(row.number);
    if (element.number !== row.number) element.classList.toggle("fresh", isNew);
    element.signature = signature;
    element.number = row.number;
    element.id = `row-${row.id}`;
    element.dataset.id = row.id;
    element.innerHTML = put(rowMarkup(row));
  }
  element.setAttribute("aria-selected", bool(selected));
  element.setAttribute("aria-posinset", place + 1);
  element.setAttribute("aria-setsize", total);
  element.style.transform = `translateY(${place * height}px)`;
  setText(element.lastElementChild, age(now() - row.created_at));
}

const rowMarkup = (row) => html`${chip(row.state)}<span class="id mono">${row.id}</span>
  <span class="type">${row.event_type}</span>
  <span class="task mono" title="TaskId ${row.task_id ?? "none"}">${shortTask(row.task_id)}</span>
  <span class="file mono" title="FileId ${row.file_id ?? "none"}">${shortFile(row.file_id)}</span>
  <span class="app" title="Application ${appName(row.sub_app_id)}">${appName(row.sub_app_id)}</span>
  <span class="tries num" title="${count(row.tries, "pull or attempt", "pulls or attempts")}">${row.tries > 1 && `${row.tries}×`}</span>
  <time class="age num" title="${dateTime(row.created_at)}"></time>`;

/** Ages go on while nothing happens. */
export function tickAges() {
  if (!rowsElement?.isConnected) return;
  for (const element of elements.values()) setText(element.lastElementChild, age(now() - element.row.created_at));
}

/** Scrolls so that an event is visible. */
export function reveal(id) {
  const place = placeOf(id);
  if (place < 0 || !scroller) return;
  const top = place * height;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top + height > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + height - scroller.clientHeight;
}

/** The event *by* places further down than the selected one. */
export function neighbour(by) {
  const size = listSize();
  if (!size.shown) return undefined;
  const place = placeOf(state.view.id, size);
  return rowAt(Math.min(size.shown - 1, Math.max(0, place < 0 ? 0 : place + by)), size);
}

export function showNew() {
  scroller.scrollTop = 0;
  state.held = Infinity;
  drawList();
}
