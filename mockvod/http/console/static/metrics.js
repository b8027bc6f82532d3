// Throughput and latency of the last minutes, counted from the journal as it arrives.

import { now, numberOf, state } from "./store.js";

export const BUCKET = 5; // seconds
export const BUCKETS = 120;
const MOST_LATENCIES = 200; // of one bucket
const DONE = ["confirmed", "delivered"];
const LOST = ["failed", "expired", "dropped"];

let buckets = new Map(); // by time of the system / BUCKET
let begun = []; // when each event began, by its number, for those that were counted as emitted

const current = () => Math.floor(performance.now() / 1000 / BUCKET);

function bucket(at) {
  if (!buckets.has(at)) {
    buckets.set(at, { emitted: 0, done: 0, lost: 0, latencies: [] });
    for (const key of buckets.keys()) if (key < current() - BUCKETS) buckets.delete(key);
  }
  return buckets.get(at);
}

export function record(entry, at = current()) {
  if (!entry.event) return;
  const number = numberOf(entry.event);
  if (number >= begun.length) {
    begun[number] = entry.at;
    bucket(at).emitted += 1;
  }
  if (LOST.includes(entry.what)) bucket(at).lost += 1;
  if (!DONE.includes(entry.what)) return;
  const one = bucket(at);
  one.done += 1;
  const start = begun[number];
  if (start && one.latencies.length < MOST_LATENCIES) one.latencies.push(Math.max(0, entry.at - start));
}

/** Starts anew, with the *entries* that are young enough to be placed in time. */
export function resetMetrics(entries = []) {
  buckets = new Map();
  begun = [];
  for (const entry of state.clock.rate === 1 ? entries : []) {
    const ago = Math.max(0, now() - entry.at); // the page's clock may be a little behind the server's
    if (ago < BUCKET * BUCKETS) record(entry, current() - Math.floor(ago / BUCKET));
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** The buckets, oldest first, with the median and the largest latency of each. */
export const series = () => Array.from({ length: BUCKETS }, (_, i) => {
  const one = buckets.get(current() - BUCKETS + 1 + i) ?? { emitted: 0, done: 0, lost: 0, latencies: [] };
  return { ...one, median: median(one.latencies), slowest: one.latencies.length ? Math.max(...one.latencies) : undefined };
});
