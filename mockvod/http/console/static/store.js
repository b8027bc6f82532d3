// What the page knows. Views read it and are told when a part of it has changed; only live.js and router.js write it.

export const STATES = "scheduled queued leased delivering confirmed delivered failed expired dropped".split(" ");
export const TERMINAL = new Set(["confirmed", "delivered", "failed", "expired", "dropped"]);
const STATE_AFTER = { lease_ended: "queued", attempt: "delivering", ...Object.fromEntries(STATES.map((s) => [s, s])) };
export const stateAfter = (what) => STATE_AFTER[what];

export const MOST_ROWS = 20_000;
const MOST_ORPHANS = 5_000;

export const state = {
  account: "", // SecretId; "" is the default account
  accounts: [],
  apps: new Set([0]), // SubAppIds that were seen; 0 is the default application
  view: { name: "events", id: "" },
  filter: { state: "", type: "", app: "", text: "" }, // app: "" is all applications, "0" the default one
  follow: true,
  held: Infinity, // events with larger numbers are not shown yet
  connection: { kind: "connecting" },
  loaded: false,
  counts: {},
  queues: [],
  config: {},
  server: null,
  clock: { now: 0, rate: 1, frozen: false, waiting: [], at: 0 },
  moves: [], // journal entries about the clock
  faults: [],
};

// --- who is told of changes

const listeners = new Set();
let dirty = new Set();
let scheduled = false;
let lastFlush = 0;
const INTERVAL = 100; // ms between two updates of the page while much happens

/** Calls *listener* with the set of changed parts: rows, counts, clock, connection, faults, queues, config, accounts. */
export function onChange(listener) {
  listeners.add(listener);
}

export function changed(...parts) {
  for (const part of parts) dirty.add(part);
  if (scheduled) return;
  scheduled = true;
  const wait = Math.max(0, lastFlush + INTERVAL - performance.now());
  setTimeout(() => (document.hidden ? flush() : requestAnimationFrame(flush)), wait);
}

function flush() {
  const parts = dirty;
  dirty = new Set();
  scheduled = false;
  lastFlush = performance.now();
  for (const listener of listeners) listener(parts);
}

// --- the clock of the account

export const now = () => state.clock.now + ((performance.now() - state.clock.at) / 1000) * state.clock.rate;

export function setClock({ now: at, rate, frozen, waiting, hint }) {
  state.clock = { now: at, rate, frozen, waiting, hint, at: performance.now() };
  changed("clock");
}

// --- events

const rows = new Map(); // by number
let numbers = []; // ascending
let orphans = new Map(); // entries about events that are not loaded yet, by number
let shown = null; // numbers that pass the filter, ascending; null where it must be computed

export const numberOf = (id) => Number(id.slice(4));
export const rowOf = (id) => rows.get(numberOf(id));
export const newest = () => numbers.at(-1) ?? 0;
export const loadedCount = () => numbers.length;

export function clearRows() {
  rows.clear();
  orphans = new Map();
  numbers = [];
  shown = null;
  state.held = Infinity;
  changed("rows");
}

/** Adds rows as `GET /events` answers them, in any order. */
export function addRows(added) {
  let sorted = true;
  for (const row of added) {
    const number = numberOf(row.id);
    if (!rows.has(number)) {
      sorted &&= number > newest();
      numbers.push(number);
    }
    row.number = number;
    row.text = [row.id, row.event_type, row.task_id, row.file_id].join(" ").toLowerCase();
    rows.set(number, row);
    if (row.sub_app_id) state.apps.add(row.sub_app_id);
    for (const entry of orphans.get(number) ?? []) applyTo(row, entry);
    orphans.delete(number);
  }
  if (!sorted) numbers.sort((a, b) => a - b);
  if (numbers.length > MOST_ROWS) for (const number of numbers.splice(0, numbers.length - MOST_ROWS)) rows.delete(number);
  shown = null;
  changed("rows");
}

/** Applies an entry of the journal. Returns false where its event is not loaded. */
export function applyEntry(entry) {
  const number = numberOf(entry.event);
  const row = rows.get(number);
  if (row) {
    applyTo(row, entry);
    return true;
  }
  if (orphans.size > MOST_ORPHANS) orphans = new Map();
  orphans.set(number, [...(orphans.get(number) ?? []), entry]);
  return false;
}

function applyTo(row, entry) {
  if (entry.seq <= row.seq) return;
  row.seq = entry.seq;
  const after = stateAfter(entry.what);
  if (after && after !== row.state) {
    row.state = after;
    if (state.filter.state) shown = null;
  }
  if (entry.what === "leased" || entry.what === "attempt") row.tries += 1;
  changed("rows");
}

// --- the list

export function setFilter(changes) {
  Object.assign(state.filter, changes);
  shown = null;
  changed("rows");
}

export const isFiltered = () => Object.values(state.filter).some(Boolean);

function passes(row) {
  const { state: wanted, type, app, text } = state.filter;
  return (
    (!wanted || row.state === wanted) &&
    (!type || row.event_type === type) &&
    (app === "" || (row.sub_app_id ?? 0) === Number(app)) &&
    (!text || row.text.includes(text.toLowerCase()))
  );
}

/** Numbers of the events that pass the filter, oldest first; the held ones are at the end. */
function passing() {
  shown ??= isFiltered() ? numbers.filter((number) => passes(rows.get(number))) : numbers;
  return shown;
}

/** How many events the list shows, and how many newer ones are held back. */
export function listSize() {
  const all = passing();
  let held = 0;
  while (held < all.length && all[all.length - 1 - held] > state.held) held += 1;
  return { shown: all.length - held, held };
}

/** The event at a place in the list, from 0, newest first. */
export function rowAt(place, { held } = listSize()) {
  const all = passing();
  return rows.get(all[all.length - 1 - held - place]);
}

export function placeOf(id, { held } = listSize()) {
  const all = passing();
  const place = all.lastIndexOf(numberOf(id));
  return place < 0 ? -1 : all.length - 1 - held - place;
}

/** The newest event whose content is *content*, as its TaskId or FileId and its type tell. */
export function findRow(content) {
  const carried = Object.values(content).find((value) => value && typeof value === "object" && !Array.isArray(value)) ?? {};
  const number = numbers.findLast((one) => {
    const row = rows.get(one);
    return row.event_type === content.EventType && row.task_id === (carried.TaskId ?? null) && row.file_id === (carried.FileId ?? null);
  });
  return rows.get(number);
}

/** The event of the same type before the given one. */
export function previousOfType(row) {
  for (let i = numbers.indexOf(row.number) - 1; i >= 0; i -= 1) {
    const other = rows.get(numbers[i]);
    if (other.event_type === row.event_type) return other;
  }
  return undefined;
}

/** Holds new events back, or shows them all. */
export function hold(on) {
  const held = on ? newest() : Infinity;
  if (on && state.held !== Infinity) return;
  if (state.held === held) return;
  state.held = held;
  changed("rows");
}
