// What the page knows. Views read it and are told when a part of it has changed; live.js and router.js write it.

export const STATES = "scheduled queued leased delivering confirmed delivered failed expired dropped".split(" ");
export const TERMINAL = new Set(STATES.slice(4));
const STATE_AFTER = { lease_ended: "queued", attempt: "delivering", ...Object.fromEntries(STATES.map((name) => [name, name])) };
export const MOST_ROWS = 20_000;
const MOST_ORPHANS = 5_000;

export const state = {
  account: "", // SecretId; "" is the default account
  accounts: [],
  apps: new Set([0]), // SubAppIds that were seen; 0 is the default application
  view: { name: "", id: "" },
  filter: { state: "", type: "", app: "", text: "" }, // app: "" is all applications, "0" the default one
  follow: true,
  held: Infinity, // events with larger numbers are not shown yet
  connection: { kind: "connecting" },
  loaded: false,
  counts: {},
  queues: [],
  config: {},
  server: {},
  clock: { now: 0, rate: 1, waiting: [], at: 0 },
  moves: [], // journal entries about the clock
  faults: [],
};

// --- who is told of changes

const INTERVAL = 100; // ms between two updates of the page while much happens
const listeners = [];
let dirty = new Set();
let lastFlush = 0;

/** Calls *listener* with the set of changed parts: rows, clock, connection, faults, queues, config, accounts, journal. */
export const onChange = (listener) => listeners.push(listener);

export function changed(...parts) {
  if (!dirty.size) {
    const wait = Math.max(0, lastFlush + INTERVAL - performance.now());
    setTimeout(() => (document.hidden ? flush() : requestAnimationFrame(flush)), wait);
  }
  for (const part of parts) dirty.add(part);
}

function flush() {
  const parts = dirty;
  dirty = new Set();
  lastFlush = performance.now();
  for (const listener of listeners) listener(parts);
}

// --- the clock of the account

export const now = () => state.clock.now + ((performance.now() - state.clock.at) / 1000) * state.clock.rate;

export function setClock(clock) {
  state.clock = { ...clock, at: performance.now() };
  changed("clock");
}

// --- events

const rows = new Map(); // by number
let numbers = []; // ascending
let orphans = new Map(); // entries about events that are not loaded yet, by number
let shown = null; // numbers that pass the filter, ascending; null where they must be computed

export const numberOf = (id) => Number(id.slice(4));
export const rowOf = (id) => rows.get(numberOf(id));
export const newest = () => numbers.at(-1) ?? 0;
export const loadedCount = () => numbers.length;

export function clearRows() {
  rows.clear();
  state.apps = new Set([0]);
  orphans.clear();
  numbers = [];
  shown = null;
  state.held = Infinity;
  changed("rows");
}

/** Adds rows as `GET /events` has them, in any order. */
export function addRows(added) {
  for (const row of added) {
    row.number = numberOf(row.id);
    row.text = [row.id, row.event_type, row.task_id, row.file_id].join(" ").toLowerCase();
    if (!rows.has(row.number)) numbers.push(row.number);
    rows.set(row.number, row);
    state.apps.add(row.sub_app_id ?? 0);
    for (const entry of orphans.get(row.number) ?? []) apply(row, entry);
    orphans.delete(row.number);
  }
  numbers.sort((a, b) => a - b);
  for (const number of numbers.splice(0, Math.max(0, numbers.length - MOST_ROWS))) rows.delete(number);
  shown = null;
  changed("rows");
}

/** Applies an entry of the journal. Returns false where its event is not loaded. */
export function applyEntry(entry) {
  const number = numberOf(entry.event);
  const row = rows.get(number);
  if (row) apply(row, entry);
  else if (orphans.size < MOST_ORPHANS) orphans.set(number, [...(orphans.get(number) ?? []), entry]);
  return Boolean(row);
}

function apply(row, entry) {
  if (entry.seq <= row.seq) return;
  row.seq = entry.seq;
  row.state = STATE_AFTER[entry.what] ?? row.state;
  if (entry.what === "leased" || entry.what === "attempt") row.tries += 1;
  if (state.filter.state) shown = null;
  changed("rows");
}

// --- the list

export const isFiltered = () => Object.values(state.filter).some(Boolean);

export function setFilter(changes) {
  Object.assign(state.filter, changes);
  shown = null;
  changed("rows");
}

/** Numbers of the events that pass the filter, oldest first; the held ones are at the end. */
function passing() {
  const { state: wanted, type, app, text } = state.filter;
  shown ??= !isFiltered() ? numbers : numbers.filter((number) => {
    const row = rows.get(number);
    return (!wanted || row.state === wanted) && (!type || row.event_type === type)
      && (!app || (row.sub_app_id ?? 0) === Number(app)) && (!text || row.text.includes(text.toLowerCase()));
  });
  return shown;
}

/** The list, newest first: how many events it shows and holds back, the event at a place, the place of an event. */
export function list() {
  const all = passing();
  let held = 0;
  while (held < all.length && all[all.length - 1 - held] > state.held) held += 1;
  const last = all.length - 1 - held;
  return {
    held,
    length: last + 1,
    at: (place) => rows.get(all[last - place]),
    placeOf: (id) => {
      const index = all.lastIndexOf(numberOf(id));
      return index < 0 ? -1 : last - index;
    },
  };
}

/** Holds back what is newer than now, or shows everything. */
export function hold(on) {
  if (on === (state.held !== Infinity)) return;
  state.held = on ? newest() : Infinity;
  changed("rows");
}

/** The newest event for which *matches* holds, among those before number *before*. */
export const findRow = (matches, before = Infinity) =>
  rows.get(numbers.findLast((number) => number < before && matches(rows.get(number))));
