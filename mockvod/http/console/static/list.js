// The list of events: only the rows that are visible exist, and each is changed in place.

import { onDo } from "./actions.js";
import { age, appName, count, dateTime, shortFile, shortTask } from "./format.js";
import { $, button, chip, fill, gap, html, icon, put, raw, setText } from "./parts.js";
import { filterBy } from "./router.js";
import { hold, isFiltered, list, loadedCount, now, state, STATES } from "./store.js";

const HEIGHT = 57; // px of a row, as in style.css
const MARGIN = 6; // rows drawn above and below what is visible

let elements = new Map(); // of the drawn rows, by number
let newestDrawn = Infinity;
const types = new Set();

export const listMarkup = html`<section class="list-pane" aria-label="List of events"><div class="tools" id="tools"></div>
  <p class="nothing" id="new"></p><div class="scroller" id="scroller"><ul id="rows" role="listbox" tabindex="0" aria-label="Events, newest first"></ul></div>
  <p class="nothing" id="none"></p></section>`;

export function mountList() {
  elements = new Map();
  newestDrawn = Infinity;
  $("#scroller").addEventListener("scroll", drawList, { passive: true });
  new ResizeObserver(drawList).observe($("#scroller"));
}

export function drawList() {
  if (!$("#rows")) return;
  hold(!state.follow || $("#scroller").scrollTop > 4); // what is new must not move what is read
  const events = list();
  drawTools(events);
  drawRows(events);
}

function drawTools(events) {
  const { state: wanted, type, app, text } = state.filter;
  for (let place = 0; place < Math.min(events.length, 100); place += 1) types.add(events.at(place).event_type);
  const pick = (name, all, options, value) => html`<label class="pick small"><span class="vh">${all}</span><select data-change="${name}" aria-label="${all}">
    <option value="">${all}</option>${options.map((option) => html`<option${raw(option === value ? " selected" : "")}>${option}</option>`)}</select>${icon("down")}</label>`;
  const tag = (name, words) => html`<button class="tag" data-do="unfilter" data-name="${name}">${words}${icon("close")}</button>`;
  if (document.activeElement?.tagName !== "SELECT") {
    fill("#tools", html`${pick("state", "Any state", STATES, wanted)}${pick("type", "Any type", [...types].sort(), type)}
      ${app && tag("app", `application ${appName(Number(app))}`)}${text && tag("text", `“${text}”`)}${gap}<span class="muted num" id="total"></span>
      ${button("follow", "Follow", { picture: "follow", kind: "quiet", more: `id="follow" aria-pressed="${state.follow}"` })}`);
  }
  setText($("#total"), isFiltered() ? `${events.length} of ${loadedCount()}` : String(loadedCount()));
  fill("#new", events.held > 0 && button("show-new", count(events.held, "new event")));
  fill("#none", !events.length && state.loaded && html`No event matches. <button class="link" data-do="clear-filter">Clear the filter</button>`);
}

function drawRows(events) {
  const [scroller, parent] = [$("#scroller"), $("#rows")];
  const first = Math.max(0, Math.floor(scroller.scrollTop / HEIGHT) - MARGIN);
  const end = Math.min(events.length, Math.ceil((scroller.scrollTop + scroller.clientHeight) / HEIGHT) + MARGIN);
  parent.style.height = `${events.length * HEIGHT}px`;
  const drawn = new Map();
  for (let place = first; place < end; place += 1) {
    const row = events.at(place);
    const element = elements.get(row.number) ?? newRow(parent, row);
    drawn.set(row.number, element);
    drawRow(element, row, place, events.length);
  }
  for (const [number, element] of elements) if (!drawn.has(number)) element.remove();
  elements = drawn;
  newestDrawn = events.at(0)?.number ?? Infinity;
  const selected = state.view.id && document.getElementById(`row-${state.view.id}`);
  parent.setAttribute("aria-activedescendant", selected ? selected.id : "");
}

function newRow(parent, row) {
  const element = document.createElement("li");
  const arrived = list().at(0).number - newestDrawn; // many at once are not lit up: that would be most of the work
  element.className = row.number > newestDrawn && arrived < 4 ? "row fresh" : "row";
  element.id = `row-${row.id}`;
  element.dataset.do = "open";
  element.dataset.id = row.id;
  element.setAttribute("role", "option");
  parent.append(element);
  return element;
}

function drawRow(element, row, place, total) {
  const signature = `${row.state} ${row.tries}`;
  if (element.row !== row || element.signature !== signature) {
    element.row = row;
    element.signature = signature;
    element.innerHTML = put(html`${chip(row.state)}<span class="type">${row.event_type}</span><time class="age num" title="${dateTime(row.created_at)}"></time>
      <span class="id mono">${row.id}</span><span class="mono" title="TaskId ${row.task_id ?? "none"}">${shortTask(row.task_id)}</span>
      <span class="mono" title="FileId ${row.file_id ?? "none"}">${shortFile(row.file_id)}</span><span>${appName(row.sub_app_id)}</span>
      <span class="tries num">${row.tries > 1 && `${row.tries}×`}</span>`);
  }
  element.setAttribute("aria-selected", row.id === state.view.id);
  element.setAttribute("aria-posinset", place + 1);
  element.setAttribute("aria-setsize", total);
  element.style.transform = `translateY(${place * HEIGHT}px)`;
  setText($(".age", element), age(now() - row.created_at));
}

/** Ages go on while nothing happens. */
export function tickAges() {
  for (const element of elements.values()) setText($(".age", element), age(now() - element.row.created_at));
}

/** Scrolls so that the selected event is visible. */
export function reveal() {
  const [scroller, top] = [$("#scroller"), list().placeOf(state.view.id) * HEIGHT];
  if (top < 0) return;
  scroller.scrollTop = Math.min(top, Math.max(scroller.scrollTop, top + HEIGHT - scroller.clientHeight));
}

/** The event *by* places further down than the selected one. */
export function neighbour(by) {
  const events = list();
  const place = events.placeOf(state.view.id);
  return events.at(Math.min(events.length - 1, Math.max(0, place < 0 ? 0 : place + by)));
}

function showNew() {
  $("#scroller").scrollTop = 0;
  state.held = Infinity;
  drawList();
}

onDo({
  unfilter: ({ name }) => filterBy({ [name]: "" }),
  "clear-filter": () => filterBy({ state: "", type: "", app: "", text: "" }),
  "show-new": showNew,
  follow: () => {
    state.follow = !state.follow;
    if (state.follow) showNew();
    else drawList();
  },
});

