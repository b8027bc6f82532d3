// What became of an event, in one or two sentences.

import { age, appName, duration, left } from "./format.js";
import { outcomeWords } from "./timeline.js";

const ORDINALS = ["", "once", "twice"];
const times = (number) => ORDINALS[number] ?? `${number} times`;
const where = (detail) => (detail.sub_app_id ? `application ${appName(detail.sub_app_id)}` : "the default application");

/** *steps* as stepsOf makes them, *now* on the account's clock, *limits* with the account's time limits. */
export function story(detail, steps, { now, limits }) {
  if (!steps.length) return "Nothing has happened to it yet.";
  const first = steps[0];
  const last = steps.at(-1);
  const leases = steps.filter(({ what }) => what === "leased");
  const attempts = steps.filter(({ what }) => what === "attempt");
  const tell = {
    scheduled: () => `Emitted with a delay. It happens in ${left((first.due ?? now) - now)}.`,
    queued: () => queued(detail, first, leases, now),
    leased: () => leased(leases, now, limits),
    confirmed: () => confirmed(steps, leases),
    delivering: () => delivering(detail, attempts),
    delivered: () => `Delivered to ${hosts(attempts)} ${attempts.length > 1 ? `at attempt ${attempts.length}, ` : ""}${duration(last.t - first.t)} after the event.`,
    failed: () => (attempts.length ? `Pushed ${times(attempts.length)} to ${hosts(attempts)} and given up: ${listed(attempts.map(outcomeWords))}.` : `Not pushed: ${last.reason ?? "no callback URL"}.`),
    expired: () => `Not confirmed within its retention, so it left the queue${leases.length ? ` after ${times(leases.length)} leased` : ""}.`,
    dropped: () => "A fault dropped it. It never arrives.",
  };
  const text = tell[detail.state]?.() ?? "";
  const faults = [...new Set(steps.filter(({ what }) => what === "fault").map(({ fault }) => fault))];
  return faults.length && detail.state !== "dropped" ? `${text} Faults that fired: ${faults.join(", ")}.` : text;
}

function queued(detail, first, leases, now) {
  const waits = `Waits in the queue of ${where(detail)}`;
  return leases.length
    ? `Leased ${times(leases.length)} and not confirmed in time. ${waits} again.`
    : `${waits}, for ${age(now - first.at)} so far. No PullEvents has received it.`;
}

function leased(leases, now, limits) {
  const remaining = leases.at(-1).at + limits.lease - now;
  const again = leases.length > 1 ? `Leased ${times(leases.length)}. ` : "";
  return `${again}A client has pulled it and not confirmed it yet. The lease ends in ${left(remaining)}.`;
}

function confirmed(steps, leases) {
  const end = steps.findLast(({ what }) => what === "confirmed");
  const lease = leases.at(-1);
  if (!lease) return "Confirmed.";
  const took = duration(end.t - lease.t);
  return leases.length > 1
    ? `Leased ${times(leases.length)}: ${leases.length - 1 === 1 ? "the first lease" : `the first ${leases.length - 1} leases`} ended without a confirm. The last was confirmed after ${took}.`
    : `Pulled ${duration(lease.t - steps[0].t)} after it was queued, confirmed ${took} later.`;
}

function delivering(detail, attempts) {
  return attempts.length
    ? `${attempts.length} ${attempts.length > 1 ? "attempts have" : "attempt has"} failed (${listed(attempts.map(outcomeWords))}). The next follows.`
    : `Being pushed to the callback URL of ${where(detail)}.`;
}

const hosts = (attempts) => listed([...new Set(attempts.map(({ url }) => hostOf(url)))]);
function hostOf(url) {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
const listed = (words) => (words.length > 4 ? `${words.slice(0, 3).join(", then ")} and ${words.length - 3} more` : words.join(", then "));
