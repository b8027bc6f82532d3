// Loads what the server has and follows its journal; one stream at a time, for the account that is chosen.

import { address, ApiError, get } from "./api.js";
import { record, resetMetrics } from "./metrics.js";
import { addRows, applyEntry, changed, clearRows, loadedCount, MOST_ROWS, newest, setClock, state } from "./store.js";

const PAGE = 1000;
const BACKFILL = 5000; // entries of the journal read at the start, for charts and clock moves
const MOST_MOVES = 200;
const RETRY = [0.5, 1, 2, 4, 5]; // seconds
const PAUSE = 150; // ms between two requests for new events

let current = null; // AbortController of the stream
const watchers = new Set();

/** Calls *watcher* with every entry of the journal as it arrives. */
export function onEntry(watcher) {
  watchers.add(watcher);
}

/** Follows the chosen account from now on. */
export function follow() {
  current?.abort();
  current = new AbortController();
  clearRows();
  state.moves = [];
  state.loaded = false;
  resetMetrics();
  run(current.signal);
}

async function run(signal) {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      await once(signal, () => { failures = 0; });
    } catch (problem) {
      if (signal.aborted) return;
      if (problem instanceof ApiError && problem.status === 404) return setConnection({ kind: "gone" });
    }
    if (signal.aborted) return;
    const wait = RETRY[Math.min(failures, RETRY.length - 1)];
    setConnection({ kind: "retrying", until: performance.now() + wait * 1000 });
    await new Promise((resolve) => setTimeout(resolve, wait * 1000));
  }
}

function setConnection(connection) {
  state.connection = connection;
  changed("connection");
}

async function once(signal, connected) {
  const at = await get("/journal", { signal, app: false, query: { since: Number.MAX_SAFE_INTEGER, limit: 1 } });
  const response = await fetch(address("/journal", { app: false, query: { since: at.next } }), {
    headers: { Accept: "text/event-stream" },
    signal,
  });
  if (!response.ok) throw new ApiError(response.status, { code: "stream", message: "" });
  connected();
  setConnection({ kind: "live" });
  loadAll(signal, at.next).catch(() => {});
  for await (const { name, data } of messages(response.body)) {
    if (name === "missed") loadAll(signal, data.missed).catch(() => {});
    else handle(data, signal);
  }
}

/** Messages of an event stream: {name, data}. */
async function* messages(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const field = (name) => block.match(new RegExp(`^${name}: (.*)$`, "m"))?.[1];
      const data = field("data");
      if (data) yield { name: field("event"), data: JSON.parse(data) };
    }
  }
}

function handle(entry, signal) {
  for (const watcher of watchers) watcher(entry);
  if (entry.what === "reset") {
    clearRows();
    state.moves = [];
    loadAll(signal, entry.seq).catch(() => {});
    return;
  }
  record(entry);
  if (entry.event) {
    if (!applyEntry(entry)) loadNew(signal);
  }
  if (entry.what === "clock") remember(entry);
  if (entry.what === "clock") refreshClock();
  if (entry.what === "fault") refresh("faults");
  if (entry.what === "configured") refresh("config");
  refresh("stats");
}

function remember(entry) {
  state.moves.push(entry);
  if (state.moves.length > MOST_MOVES) state.moves.shift();
}

// --- loading

async function loadAll(signal, seq) {
  clearRows();
  await Promise.all([refreshClock(), refreshNow("stats"), refreshNow("faults"), refreshNow("config")]);
  const options = { signal, app: false };
  let cursor;
  do {
    const page = await get("/events", { ...options, query: { order: "newest", limit: PAGE, cursor } });
    addRows(page.events);
    state.loaded = true;
    cursor = page.next;
  } while (cursor && loadedCount() < MOST_ROWS);
  const journal = await get("/journal", { ...options, query: { since: Math.max(0, seq - BACKFILL), limit: BACKFILL } });
  state.moves = journal.entries.filter((entry) => entry.what === "clock");
  resetMetrics(journal.entries);
  changed("metrics");
}

let loadingNew = false;
let moreIsNew = false;

/** Loads the events that are newer than all that are known; calls while it does are answered by one more round. */
async function loadNew(signal) {
  moreIsNew = true;
  if (loadingNew || !state.loaded) return;
  loadingNew = true;
  try {
    while (moreIsNew && !signal.aborted) {
      moreIsNew = false;
      const last = newest();
      const cursor = last ? `evt_${String(last).padStart(6, "0")}` : undefined;
      const page = await get("/events", { signal, app: false, query: { cursor, limit: PAGE } });
      addRows(page.events);
      moreIsNew ||= Boolean(page.next);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  } catch {
    // The stream breaks for the same reason, and then everything is loaded anew.
  } finally {
    loadingNew = false;
  }
}

// --- what is read again when something has happened

const READS = {
  stats: async () => {
    const [stats, queues] = await Promise.all([get("/stats", { app: false }), get("/queue", { app: false })]);
    state.counts = stats.counts;
    state.queues = queues.applications;
    for (const { sub_app_id } of queues.applications) state.apps.add(sub_app_id ?? 0);
    setClock(await get("/clock", { app: false }));
    return ["counts", "queues"];
  },
  faults: async () => {
    state.faults = (await get("/faults", { app: false })).faults;
    return ["faults"];
  },
  config: async () => {
    state.config = await get("/config");
    return ["config"];
  },
};
const EVERY = { stats: 1000, faults: 1000, config: 200 }; // ms
const jobs = {};

/** Reads a part again soon; many calls are one request. */
export function refresh(part) {
  if (jobs[part]) {
    jobs[part].again = true;
    return;
  }
  const job = (jobs[part] = { again: false });
  setTimeout(async () => {
    await refreshNow(part);
    setTimeout(() => {
      jobs[part] = undefined;
      if (job.again) refresh(part);
    }, EVERY[part]);
  }, 30);
}

export async function refreshNow(part) {
  const account = state.account;
  try {
    const parts = await READS[part]();
    if (account === state.account) changed(...parts);
  } catch {
    // Shown by the connection.
  }
}

export async function refreshClock() {
  try {
    setClock(await get("/clock", { app: false }));
  } catch {
    // Shown by the connection.
  }
}

export async function loadAccounts() {
  state.accounts = (await get("/accounts", { account: false })).accounts;
  changed("accounts");
}
