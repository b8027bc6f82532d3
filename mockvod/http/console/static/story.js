// What became of an event, in one or two sentences.

import { age, appWords, duration, left } from "./format.js";
import { outcomeWords } from "./timeline.js";

const times = (number) => ["", "once", "twice"][number] ?? `${number} times`;
const targets = (attempts) => [...new Set(attempts.map(({ url }) => url))].join(" and ");

/** *steps* as stepsOf makes them, *now* on the account's clock, *limits* with the account's time limits. */
export function story({ state, sub_app_id: app }, steps, now, limits) {
  const [first, last] = [steps[0], steps.at(-1)];
  const of = (what) => steps.filter((step) => step.what === what);
  const [leases, attempts] = [of("leased"), of("attempt")];
  const lease = leases.at(-1);
  const where = appWords(app);
  const tried = attempts.map(outcomeWords).join(", then ");
  const before = leases.length > 1 ? `Leased ${times(leases.length)}. ` : "";
  const texts = {
    scheduled: () => `Emitted with a delay. Due in ${left(first.due - now)}.`,
    queued: () => `Waits in the queue of ${where}${lease ? ` again: it was leased ${times(leases.length)} and not confirmed in time` : `, for ${age(now - first.at)} so far`}.`,
    leased: () => `${before}A client pulled it and has not confirmed it yet. The lease ends in ${left(lease.at + limits.lease - now)}.`,
    confirmed: () => (before ? `Leased ${times(leases.length)}: only the last lease was confirmed in time, after ${duration(last.t - lease.t)}.`
      : `Pulled ${duration(lease.t - first.t)} after it was queued, confirmed ${duration(last.t - lease.t)} later.`),
    delivering: () => (tried ? `Attempts so far: ${tried}. The next one follows.` : `Being pushed to the callback URL of ${where}.`),
    delivered: () => `Delivered to ${targets(attempts)} at attempt ${attempts.length}, ${duration(last.t - first.t)} after the event.`,
    failed: () => (tried ? `Pushed ${times(attempts.length)} to ${targets(attempts)} and given up: ${tried}.` : `Not pushed: ${last.reason}.`),
    expired: () => `${before}It was not confirmed within its retention and left the queue.`,
    dropped: () => "A fault dropped it. It never arrives.",
  };
  const faults = [...new Set(of("fault").map(({ fault }) => fault))].join(", ");
  return `${texts[state]()}${faults && state !== "dropped" ? ` Faults that fired: ${faults}.` : ""}`;
}
