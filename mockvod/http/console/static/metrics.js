// Throughput and latency of the last minutes, counted from the journal as it arrives.

import { now, rowOf, state } from "./store.js";

export const BUCKET = 5; // seconds
export const BUCKETS = 120;
const MOST_LATENCIES = 200; // of one bucket
const DONE = new Set(["confirmed", "delivered"]);
const LOST = new Set(["failed", "expired", "dropped"]);
const FIRST = new Set(["queued", "delivering", "scheduled", "dropped"]);

let buckets = new Map(); // by time of the system / BUCKET
let begun = new Map(); // when an event began, by its id, on the account's clock
let seen = 0; // largest number of an event that was counted as emitted

const bucketNow = () => Math.floor(performance.now() / 1000 / BUCKET);

function bucket(at) {
  let one = buckets.get(at);
  if (!one) {
    one = { emitted: 0, done: 0, lost: 0, latencies: [] };
    buckets.set(at, one);
    for (const key of buckets.keys()) if (key < bucketNow() - BUCKETS) buckets.delete(key);
  }
  return one;
}

export function record(entry, at = bucketNow()) {
  if (!entry.event) return;
  const number = Number(entry.event.slice(4));
  if (FIRST.has(entry.what) && number > seen) {
    seen = number;
    bucket(at).emitted += 1;
    begun.set(entry.event, entry.at);
    if (begun.size > 20_000) begun = new Map([...begun].slice(10_000));
  }
  if (LOST.has(entry.what)) bucket(at).lost += 1;
  if (!DONE.has(entry.what)) return;
  const one = bucket(at);
  one.done += 1;
  const start = begun.get(entry.event) ?? rowOf(entry.event)?.created_at;
  if (start !== undefined && one.latencies.length < MOST_LATENCIES) one.latencies.push(Math.max(0, entry.at - start));
}

/** Starts anew, with the *entries* that are young enough to be placed in time. */
export function resetMetrics(entries = []) {
  buckets = new Map();
  begun = new Map();
  seen = 0;
  if (state.clock.rate !== 1) return;
  const present = now();
  for (const entry of entries) {
    const ago = present - entry.at;
    if (ago >= 0 && ago < BUCKET * BUCKETS) record(entry, bucketNow() - Math.floor(ago / BUCKET));
  }
}

const EMPTY = { emitted: 0, done: 0, lost: 0, latencies: [] };

/** The last *count* buckets, oldest first, with the median and the largest latency of each. */
export function series(count = BUCKETS) {
  const last = bucketNow();
  return Array.from({ length: count }, (_, i) => {
    const one = buckets.get(last - count + 1 + i) ?? EMPTY;
    const sorted = [...one.latencies].sort((a, b) => a - b);
    return { ...one, median: sorted[Math.floor(sorted.length / 2)], slowest: sorted.at(-1) };
  });
}
