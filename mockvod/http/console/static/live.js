// Loads what the server has and follows its journal: one stream at a time, for the account that is chosen.

import { address, ApiError, get } from "./api.js";
import { record, resetMetrics } from "./metrics.js";
import { addRows, applyEntry, changed, clearRows, loadedCount, MOST_ROWS, newest, setClock, state } from "./store.js";

const PAGE = 1000;
const BACKFILL = 5000; // entries of the journal read at the start, for charts and clock moves
const MOST_MOVES = 200;
const RETRY = [0.5, 1, 2, 4, 5]; // seconds
const PAUSE = 150; // ms between two requests for new events

const watchers = [];
let stream = null; // AbortController

/** Calls *watcher* with every entry of the journal as it arrives. */
export const onEntry = (watcher) => watchers.push(watcher);

/** Follows the chosen account from now on. */
export async function follow() {
  stream?.abort();
  const { signal } = (stream = new AbortController());
  clearRows();
  state.loaded = false;
  for (let failures = 0; ; failures += 1) {
    try {
      await once(signal, () => { failures = 0; });
    } catch (problem) {
      if (problem.status === 404) return signal.aborted || connection("gone");
    }
    if (signal.aborted) return undefined;
    const wait = RETRY[Math.min(failures, RETRY.length - 1)] * 1000;
    connection("retrying", performance.now() + wait);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

function connection(kind, until = 0) {
  state.connection = { kind, until };
  changed("connection");
}

async function once(signal, connected) {
  const { next } = await get("/journal", { signal, query: { since: Number.MAX_SAFE_INTEGER, limit: 1 } });
  const headers = { Accept: "text/event-stream" };
  const response = await fetch(address("/journal", { query: { since: next } }), { headers, signal });
  if (!response.ok) throw new ApiError(response.status, {});
  connected();
  connection("live");
  load(signal, next);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (text + value).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const data = block.match(/^data: (.*)$/m);
      if (data) handle(JSON.parse(data[1]), signal);
    }
  }
}

function handle(entry, signal) {
  if (["reset", "application_reset"].includes(entry.what) || entry.missed) load(signal, entry.seq ?? 0);
  if (!entry.what) return;
  arrived?.push(entry);
  record(entry);
  if (entry.event && !applyEntry(entry)) loadNew(signal);
  if (entry.what === "clock") state.moves = [...state.moves.slice(-MOST_MOVES), entry];
  if (entry.what.startsWith("fault")) refresh("faults");
  if (entry.what === "configured") refresh("config");
  refresh("stats");
  for (const watcher of watchers) watcher(entry);
}

// --- loading

let arrived = null; // entries of the stream since the load began that still goes on

/** Loads everything; an error is one of the connection, which shows it and then loads again. A newer load ends this one. */
async function load(signal, seq) {
  const mine = (arrived = []);
  clearRows();
  state.moves = [];
  resetMetrics();
  try {
    await Promise.all([read("stats"), read("faults"), read("config")]);
    let cursor;
    do {
      const page = await get("/events", { signal, query: { order: "newest", limit: PAGE, cursor } });
      if (mine !== arrived) return;
      state.loaded = true;
      addRows(page.events);
      cursor = page.next;
    } while (cursor && loadedCount() < MOST_ROWS);
    const { entries } = await get("/journal", { signal, query: { since: Math.max(0, seq - BACKFILL), limit: BACKFILL } });
    if (mine !== arrived) return;
    const later = mine.filter((entry) => entry.seq > (entries.at(-1)?.seq ?? 0));
    state.moves = [...entries, ...later].filter((entry) => entry.what === "clock");
    resetMetrics(entries);
    for (const entry of later) record(entry);
    arrived = null;
    changed("journal");
  } catch { /* as above */ }
}

let loadingNew = false;
let moreIsNew = false;

/** Loads the events that are newer than all that are known; calls while it does are answered by one more round. */
async function loadNew(signal) {
  moreIsNew = true;
  if (loadingNew || !state.loaded) return;
  loadingNew = true;
  while (moreIsNew && !signal.aborted) {
    moreIsNew = false;
    const cursor = newest() && `evt_${String(newest()).padStart(6, "0")}`;
    const page = await get("/events", { signal, query: { cursor: cursor || "", limit: PAGE } }).catch(() => ({ events: [] }));
    if (!signal.aborted) addRows(page.events);
    moreIsNew ||= Boolean(page.next);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  loadingNew = false;
}

// --- what is read again when something has happened

const READS = {
  stats: async () => {
    const [stats, queues, clock] = await Promise.all([get("/stats"), get("/queue"), get("/clock")]);
    state.counts = stats.counts;
    state.queues = queues.applications;
    for (const one of state.queues) state.apps.add(one.sub_app_id ?? 0);
    setClock(clock);
    changed("queues");
  },
  faults: async () => { state.faults = (await get("/faults")).faults; },
  config: async () => { state.config = await get("/config", { app: true }); },
};
const EVERY = { stats: 1000, faults: 1000, config: 200 }; // ms
const jobs = {};

/** Reads a part now. */
export async function read(part) {
  await READS[part]().catch(() => {}); // shown by the connection
  changed(part);
}

/** Reads a part soon; many calls are one request. */
export async function refresh(part) {
  if (jobs[part]) {
    jobs[part] = 2;
    return;
  }
  jobs[part] = 1;
  await new Promise((resolve) => setTimeout(resolve, 30));
  await read(part);
  await new Promise((resolve) => setTimeout(resolve, EVERY[part]));
  const again = jobs[part] > 1;
  jobs[part] = 0;
  if (again) refresh(part);
}

export async function loadAccounts() {
  state.accounts = (await get("/accounts", { account: "" })).accounts;
  changed("accounts");
}
