// An event's timeline as a picture: lanes over the account's clock, one scale for all of it.

import { duration, left, offset, time } from "./format.js";
import { glyphPath } from "./glyphs.js";
import { put } from "./html.js";
import { STATES, TERMINAL } from "./store.js";

const BREAK = 58; // px that a break in the axis is wide
const TICKS = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400];

/**
 * The steps of a timeline with their places on its axis: `t` in seconds from the first, never going back.
 * An attempt stands where it began, with the pause before it.
 */
export function stepsOf({ timeline, state }, moves) {
  if (!timeline.length) return [];
  const [first, last] = [timeline[0], timeline.at(-1)];
  const during = moves.filter((one) => one.seq > first.seq && (!TERMINAL.has(state) || one.seq < last.seq) && (one.advance || one.set || one.release));
  const entries = [...timeline, ...during].sort((a, b) => a.seq - b.seq);
  let [t, before, ended] = [0, first.at, null];
  return entries.map((entry) => {
    const step = entry.attempt ? { ...entry, ...entry.attempt, at: entry.attempt.started_at } : { ...entry };
    t += Math.max(0, step.at - before);
    step.t = t;
    before = Math.max(before, step.at);
    if (step.what === "attempt") {
      step.pause = ended === null ? 0 : t - ended;
      before = step.at + step.duration;
      ended = t += step.duration;
    }
    return step;
  });
}

function outcome({ duration: took, error, status }) {
  if (took == null) return "open";
  return error ? (error.startsWith("timeout") ? "timeout" : "unreached") : status < 300 ? "ok" : "status";
}
export const outcomeTone = (attempt) => ({ ok: "delivered", open: "delivering" })[outcome(attempt)] ?? "failed";
export const outcomeWords = (attempt) => (attempt.duration == null ? "in progress" : attempt.error ? attempt.error.split(":")[0] : `status ${attempt.status}`);

// --- the axis

/** Time to px, with the stretches left out in which nothing begins or ends. */
class Axis {
  constructor(moments, spans, moves, x0, width) {
    this.end = moments.at(-1);
    this.breaks = breaksOf(moments, spans, moves);
    const shown = this.end - this.breaks.reduce((sum, one) => sum + one.to - one.from, 0);
    this.scale = Math.max(1, width - this.breaks.length * BREAK) / shown;
    let [px, from] = [x0, 0];
    this.pieces = [...this.breaks, { from: this.end }].map((one) => {
      const piece = { from, to: one.from, px };
      one.px = px + (one.from - from) * this.scale;
      px = one.px + BREAK;
      from = one.to;
      return piece;
    });
  }

  x(t) {
    const piece = this.pieces.findLast(({ from }) => t >= from) ?? this.pieces[0];
    const isCut = t > piece.to + 1e-9 && piece !== this.pieces.at(-1);
    return piece.px + ((isCut ? piece.to : t) - piece.from) * this.scale + (isCut ? BREAK / 2 : 0);
  }
}

function breaksOf(moments, spans, moves) {
  const found = [];
  moments.slice(0, -1).forEach((from, i) => {
    const [to, end] = [moments[i + 1], moments.at(-1)];
    const gap = to - from;
    const rest = Math.max(0.02, end - gap - found.reduce((sum, one) => sum + one.to - one.from, 0));
    if (spans.some(([a, b]) => a < to - 1e-9 && b > from + 1e-9)) return;
    const move = moves.find((one) => one.t < to && one.t + one.advance > from);
    if (move && gap > Math.max(1, rest / 4)) {
      const room = Math.min(gap, rest) * 0.1;
      found.push({ from: from + room, to: to - room, label: `+${duration(gap)}`, kind: "jump" });
    } else if (gap > Math.max(20, 4 * rest)) {
      found.push({ from: from + rest * 0.2 + 1, to: to - rest * 0.2 - 1, label: duration(gap), kind: "idle" });
    }
  });
  return found;
}

// --- the picture

const n = (value) => value.toFixed(1);
const rect = (kind, x, y, width, height) => `<rect class="${kind}" x="${n(x)}" y="${y}" width="${n(Math.max(width, 2))}" height="${height}" rx="3"/>`;
const text = (x, y, words, kind = "", anchor = "start") => `<text class="${kind}" x="${n(x)}" y="${y}" text-anchor="${anchor}">${put(words)}</text>`;
const mark = (name, x, y) => `<svg class="glyph" x="${n(x - 8)}" y="${y - 8}" width="16" height="16" viewBox="0 0 16 16">${glyphPath(name)}</svg>`;

/** The picture as SVG, *width* px wide. *now* is on the account's clock, *limits* has the account's time limits. */
export function drawTimeline({ state }, steps, { width, now, limits }) {
  const isTerminal = TERMINAL.has(state);
  const all = steps.map((step, i) => ({ ...step, i }));
  const of = (...names) => all.filter(({ what }) => names.includes(what));
  const last = all.at(-1);
  const end = last.t + (last.duration ?? 0);
  const present = isTerminal ? end : end + Math.max(0, now - last.at - (last.duration ?? 0));
  const leases = of("leased").map((one) => {
    const close = all.find(({ i, what }) => i > one.i && ["lease_ended", "confirmed"].includes(what));
    // A lease that ended by itself was as long as it was, whatever the setting is now.
    return { ...one, close, until: close?.what === "lease_ended" ? close.t : Math.max(one.t + limits.lease, close?.t ?? 0) };
  });
  const attempts = of("attempt").map((one) => ({ ...one, until: one.t + one.duration }));
  if (state === "delivering" && last.what === "delivering") attempts.push({ ...last, number: 1, until: Math.max(last.t + limits.attempt, present) });
  const due = of("scheduled").map((one) => one.t + one.due - one.at).filter(() => state === "scheduled");
  const spans = [...leases, ...attempts].map((one) => [one.t, Math.max(one.until, one.t + 0.001)]);
  const moments = [...new Set([0, 0.02, ...all.map(({ t }) => t), ...spans.flat(), present, ...due])].sort((a, b) => a - b);
  const isNarrow = width < 560;
  const changes = all.filter(({ what }, i) => (STATES.includes(what) || what === "lease_ended") && !(what === "delivering" && all[i - 1]?.what === "attempt"));
  const x0 = isNarrow ? 2 : 76;
  const far = width - 4;
  const tail = isTerminal && moments.at(-1) - changes.at(-1).t < moments.at(-1) * 0.16 ? 96 : 22; // room for the last state's name
  const axis = new Axis(moments, spans, of("clock").map(({ t, advance = 0 }) => ({ t, advance })), x0, far - x0 - tail);
  const x = (t) => axis.x(t);

  let y = 30;
  let out = "";
  const item = (i, tone, title, inner) => { out += `<g class="tl-i" data-step="${i}" data-tone="${tone}"><title>${put(title)}</title>${inner}</g>`; };
  const lane = (name, height, items, draw) => {
    if (!items.length) return;
    out += text(isNarrow ? 2 : 0, isNarrow ? y + 9 : y + Math.min(height, 34) / 2 + 4, name, "dim");
    if (isNarrow) y += 15;
    items.forEach(draw);
    y += height + 10;
  };

  lane("State", 22, changes, (step, k) => {
    const name = step.what === "lease_ended" ? "queued" : step.what;
    const next = changes[k + 1];
    const [a, b] = [x(step.t), next ? x(next.t) : isTerminal ? far : x(present)];
    if (b - a < 2.5) return;
    const room = Math.min(b, axis.breaks.find(({ px }) => px >= a)?.px ?? far) - a;
    item(step.i, name, `${name} from ${time(step.at)}`, `${rect("tl-state", a, y, b - a - 1, 22)}${rect("tl-edge", a, y, 2, 22)}
      ${room > 20 ? mark(name, a + 13, y + 11) : ""}${room > 34 + name.length * 6 ? text(a + 25, y + 15, name) : ""}`);
  });

  const free = []; // when each row ends: leases that overlap are drawn below each other
  for (const one of leases) {
    const row = free.findIndex((t) => t <= one.t + 1e-9);
    one.row = row < 0 ? free.length : row;
    free[one.row] = one.until;
  }
  lane("Leases", free.length * 42 - 4, leases, ({ i, t, until, close, row, event_handle: handle }) => {
    const top = y + row * 42;
    const [a, full, stop] = [x(t), x(until), x(close ? close.t : Math.min(until, present))];
    const words = !close ? `${left(until - present)} left` : `${close.what === "confirmed" ? "confirmed" : "ended"} after ${duration(close.t - t)}`;
    const isRight = full - stop > stop - a; // the text is where there is more room
    const tx = isRight ? stop + (close ? 14 : 8) : a + 8;
    const room = (isRight ? full : stop - (close ? 12 : 0)) - tx;
    const label = room > 48 ? text(tx, top + 16, room > 122 ? handle : `…${handle.slice(-6)}`, "mono") + (room > words.length * 5.6 ? text(tx, top + 30, words, "dim") : "") : "";
    item(i, "leased", `Lease ${handle}: ${words}`, rect("tl-ghost", a, top, full - a, 38) + rect("tl-lease", a, top, stop - a, 38) + label);
    if (close) item(close.i, close.what, words, `<circle class="tl-dot" cx="${n(stop)}" cy="${top + 19}" r="9"/>${mark(close.what, stop, top + 19)}`);
  });

  lane("Attempts", attempts.length * 26 - 4, attempts, (one, k) => {
    const [top, kind] = [y + k * 26, outcome(one)];
    const [a, full] = [x(one.t), x(one.until)];
    const b = Math.max(a + 3, kind === "open" ? x(Math.min(present, one.until)) : full);
    const pause = one.pause > 0.001 ? x(one.t - one.pause) : a;
    const words = `#${one.number}  ${outcomeWords(one)}${kind === "open" ? "" : `, ${duration(one.duration)}`}`;
    const wide = words.length * 6.1 + 14;
    const label = kind === "timeout" && b - a > wide ? text(a + 9, top + 15, words) : far - b > wide ? text(b + 8, top + 15, words, "halo") : text(Math.min(a, pause) - 8, top + 15, words, "halo", "end");
    item(one.i, outcomeTone(one), `Attempt ${one.number}: ${one.error ?? outcomeWords(one)}`, `${pause < a ? rect("tl-pause", pause, top + 3, a - pause, 16) : ""}
      ${a - pause > 34 ? text((a + pause) / 2, top + 15, duration(one.pause), "dim halo", "middle") : ""}${kind === "open" ? rect("tl-ghost", a, top, full - a, 22) : ""}${rect(`tl-try ${kind}`, a, top, b - a, 22)}${label}`);
  });

  const faults = of("fault");
  lane("Faults", faults.length * 20 - 2, faults, ({ i, t, fault, message }, k) => {
    const [a, top] = [x(t), y + k * 20];
    const side = far - a < 140 ? -12 : 12;
    item(i, "fault", `${fault}: ${message}`, `${mark("fault", a, top + 9)}${text(a + side, top + 13, fault, "halo", side < 0 ? "end" : "start")}`);
  });

  const bottom = y - 4;
  const busy = [...axis.breaks.map(({ px }) => [px - 4, px + BREAK + 4]), ...(isTerminal ? [] : [[x(present) - 22, x(present) + 22]])];
  const label = steps.map((step) => `${step.what.replace("_", " ")} ${time(step.at)}`).join(", ");
  return `<svg width="${width}" height="${bottom + 2}" role="img" aria-label="Timeline: ${put(label)}">
    <defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="tl-hatch" d="M0 0V6"/></pattern></defs>
    ${ticks(axis, busy, bottom, far)}${out}${axis.breaks.map((one) => cut(one, bottom)).join("")}
    ${isTerminal ? "" : `<g class="tl-now"><path d="M${n(x(present))} 20V${bottom}"/>${rect("", x(present) - 16, 2, 32, 18)}${text(x(present), 15, "now", "", "middle")}</g>`}</svg>`;
}

function ticks(axis, busy, bottom, far) {
  const step = TICKS.find((one) => one * axis.scale >= 62) ?? 604800;
  let out = "";
  for (const { from, to, px } of axis.pieces) {
    for (let k = Math.ceil(from / step - 1e-9); k * step <= to + (to === axis.end ? step / 2 : 0); k += 1) {
      const x = px + (k * step - from) * axis.scale;
      const words = !k ? "0" : step < 1 ? `+${Math.round(k * step * 1000)} ms` : offset(k * step, 0);
      const half = words.length * 3.3;
      if (x > far - 12) break;
      out += `<path class="tl-grid" d="M${n(x)} 22V${bottom}"/>`;
      if (!busy.some(([l, r]) => x + half > l && x - half < r)) out += text(x + (k ? 0 : 4), 14, words, "dim", "middle");
    }
  }
  return out;
}

/** A break: zigzags where the clock was moved, lines where nothing happened. */
function cut({ px, label, kind }, bottom) {
  const edge = (at) => `M${n(px + at)} 22${kind === "jump" ? "l4 5l-4 5".repeat(Math.floor((bottom - 22) / 10)) : `V${bottom}`}`;
  return `<g class="tl-cut ${kind}" data-tone="clock">${rect("", px + 7, 22, BREAK - 14, bottom - 22)}
    <path d="${edge(5)}${edge(BREAK - 9)}"/>${kind === "jump" ? rect("pill", px + 1, 2, BREAK - 2, 18) : ""}${text(px + BREAK / 2, 15, label, "", "middle")}</g>`;
}
