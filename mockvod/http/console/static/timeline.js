// An event's timeline as a picture: lanes over the account's clock, one scale for all of it.

import { glyphPath } from "./glyphs.js";
import { put } from "./html.js";
import { duration, left, offset, time } from "./format.js";
import { TERMINAL } from "./store.js";

const BREAK = 58; // px that a break in the axis is wide
const LANE_GAP = 10;
const STEPS = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400];
const CHANGES = new Set(["scheduled", "queued", "leased", "lease_ended", "delivering", "confirmed", "delivered", "failed", "expired", "dropped"]);

const n = (value) => value.toFixed(1);
const text = (x, y, words, cls = "", anchor = "start") =>
  `<text class="tl-t ${cls}" x="${n(x)}" y="${n(y)}" text-anchor="${anchor}">${put(words)}</text>`;
const mark = (name, x, y) =>
  `<svg class="glyph" x="${n(x - 8)}" y="${n(y - 8)}" width="16" height="16" viewBox="0 0 16 16">${glyphPath(name)}</svg>`;

/**
 * The steps of a timeline with their places on its axis: `t` in seconds from the first, never going back.
 * An attempt stands where it began, with the pause before it.
 */
export function stepsOf(detail, moves) {
  const entries = detail.timeline.map((entry) => ({ ...entry, ...(entry.attempt ? attemptOf(entry) : {}) }));
  const [first, last] = [detail.timeline[0], detail.timeline.at(-1)];
  if (!first) return [];
  const terminal = TERMINAL.has(detail.state);
  for (const move of moves) {
    const forward = move.advance ?? 0;
    if (move.seq > first.seq && (!terminal || move.seq < last.seq) && (forward || move.set !== undefined || move.release)) {
      entries.push({ ...move, what: "clock" });
    }
  }
  entries.sort((a, b) => a.seq - b.seq);
  let t = 0;
  let before = entries[0].at;
  let pauseFrom = null;
  for (const step of entries) {
    t += Math.max(0, step.at - before);
    before = Math.max(step.at, step.what === "attempt" ? step.at + step.duration : step.at);
    step.t = t;
    if (step.what === "attempt") {
      step.pause = pauseFrom !== null && t - pauseFrom > 0.001 ? t - pauseFrom : 0;
      t += step.duration;
      pauseFrom = t;
    }
  }
  return entries;
}

const attemptOf = ({ attempt }) => ({ ...attempt, at: attempt.started_at });

export const outcomeOf = (attempt) => {
  if (attempt.duration == null) return "open";
  if (attempt.error) return attempt.error.startsWith("timeout") ? "timeout" : "unreached";
  return attempt.status < 300 ? "ok" : "status";
};
export const outcomeTone = (attempt) => ({ ok: "delivered", open: "delivering" })[outcomeOf(attempt)] ?? "failed";
export const outcomeWords = (attempt) =>
  ({ open: "in progress", timeout: "timeout" })[outcomeOf(attempt)] ?? (attempt.error ? attempt.error.split(":")[0] : `status ${attempt.status}`);

/** Time on the axis to px, with the stretches left out in which nothing begins or ends. */
class Axis {
  constructor(moments, spans, moves, { x0, width, tail }) {
    this.end = moments.at(-1);
    this.breaks = findBreaks(moments, spans, moves, this.end);
    const shown = this.end - this.breaks.reduce((sum, one) => sum + one.to - one.from, 0);
    this.scale = Math.max(1, width - x0 - tail - this.breaks.length * BREAK) / shown;
    this.pieces = [];
    let px = x0;
    let from = 0;
    for (const one of [...this.breaks, { from: this.end }]) {
      this.pieces.push({ from, to: one.from, px });
      px += (one.from - from) * this.scale;
      one.px = px;
      px += BREAK;
      from = one.to;
    }
  }

  x(t) {
    const piece = this.pieces.findLast(({ from }) => t >= from) ?? this.pieces[0];
    const cut = t > piece.to + 1e-9 && piece !== this.pieces.at(-1);
    return cut ? piece.px + (piece.to - piece.from) * this.scale + BREAK / 2 : piece.px + (t - piece.from) * this.scale;
  }

  /** The time at a place; undefined inside a break. */
  time(px) {
    const piece = this.pieces.findLast((one) => px >= one.px);
    const t = piece && piece.from + (px - piece.px) / this.scale;
    return piece && (t <= piece.to || piece === this.pieces.at(-1)) ? t : undefined;
  }
}

function findBreaks(moments, spans, moves, end) {
  const found = [];
  moments.forEach((from, i) => {
    const to = moments[i + 1];
    const gap = to - from;
    const rest = Math.max(end - gap - found.reduce((sum, one) => sum + one.to - one.from, 0), 0.02);
    if (!(gap > 0) || spans.some(([a, b]) => a < to - 1e-9 && b > from + 1e-9)) return;
    const move = moves.find((one) => one.t < to && one.t + one.forward > from);
    if (move && gap > 1 && gap > rest / 4) {
      const room = Math.min(gap * 0.1, rest * 0.1 + 0.5);
      found.push({ from: from + room, to: to - room, label: `+${duration(gap)}`, kind: "jump", step: move.step });
    } else if (gap > 20 && gap > 4 * rest) {
      found.push({ from: from + rest * 0.2 + 1, to: to - rest * 0.2 - 1, label: duration(gap), kind: "idle", step: -1 });
    }
  });
  return found;
}

/** {markup, axis}: the picture at *width* px. *now* is on the account's clock, *limits* has the account's time limits. */
export function drawTimeline(detail, steps, { width, now, limits }) {
  const terminal = TERMINAL.has(detail.state);
  const narrow = width < 560;
  const last = steps.at(-1);
  const lastEnd = last.t + (last.duration ?? 0);
  const present = terminal ? lastEnd : lastEnd + Math.max(0, now - last.at - (last.duration ?? 0));
  const all = steps.map((step, i) => ({ ...step, i }));
  const leases = all.filter(({ what }) => what === "leased").map((step) => withEnd(step, all, limits));
  const attempts = all.filter(({ what }) => what === "attempt");
  const open = openAttempt(detail, all, present, limits);
  if (open) attempts.push(open);
  const moves = all.filter(({ what }) => what === "clock").map((step) => ({ t: step.t, forward: step.advance ?? 0, step: step.i }));
  const spans = [
    ...leases.map((one) => [one.t, Math.max(one.until, one.close?.t ?? 0)]),
    ...attempts.map((one) => [one.t, one.t + (one.duration ?? one.limit)]),
    ...all.filter(({ due }) => due).map((one) => [one.t, one.t]),
  ];
  const dues = all.filter(({ what, due }) => what === "scheduled" && due).map((one) => one.t + due - one.at);
  const furthest = Math.max(lastEnd, terminal ? 0 : present, ...spans.flat(), ...(terminal ? [] : dues), 0.02);
  const moments = [...new Set([0, ...all.map(({ t }) => t), ...spans.flat(), ...(terminal ? [] : [present, ...dues]), furthest])].sort((a, b) => a - b);
  const changes = all.filter(({ what }) => CHANGES.has(what));
  const lastChange = changes.at(-1)?.t ?? 0;
  const x0 = narrow ? 2 : 76;
  const tail = terminal && furthest - lastChange < furthest * 0.16 ? 96 : 22;
  const axis = new Axis(moments, spans, moves, { x0, width: width - 4, tail });
  const far = width - 4;

  const out = [];
  let y = 30;
  const item = (i, toneName, title, inner) =>
    out.push(`<g class="tl-i" data-step="${i}" data-tone="${toneName}"><title>${put(title)}</title>${inner}</g>`);
  const lane = (name, height, draw) => {
    out.push(`<text class="tl-lane" x="${narrow ? 2 : 0}" y="${narrow ? y + 9 : y + Math.min(height, 34) / 2 + 4}">${name}</text>`);
    if (narrow) y += 15;
    draw(y);
    y += height + LANE_GAP;
  };
  const picture = { axis, far, narrow, present, terminal, item, lane };
  drawStates(picture, changes, detail);
  if (leases.length) drawLeases(picture, leases);
  if (attempts.length) drawAttempts(picture, attempts);
  const faults = all.filter(({ what }) => what === "fault");
  if (faults.length) drawFaults(picture, faults);
  return { axis, markup: frame(picture, steps, { bottom: y - 4, width, x0, out: out.join("") }) };
}

function withEnd(lease, all, limits) {
  const close = all.find(({ i, what }) => i > lease.i && (what === "lease_ended" || what === "confirmed"));
  const full = lease.t + limits.lease;
  // Closed at a lease's end by other settings than those of now: that was its length.
  const until = close?.what === "lease_ended" ? close.t : Math.max(full, close?.t ?? 0);
  return { ...lease, close, until };
}

/** The attempt under way, of which the journal has no entry before it ends. */
function openAttempt(detail, all, present, limits) {
  const last = all.at(-1);
  if (detail.state !== "delivering" || !last || last.what === "attempt") return null;
  const start = all.findLast(({ what }) => what === "delivering");
  return start && { ...start, number: 1, duration: null, limit: Math.max(limits.attempt, present - start.t), i: start.i, error: null };
}

function drawStates({ axis, far, present, terminal, item, lane }, changes, detail) {
  lane("State", 22, (y) => changes.forEach((step, k) => {
    const name = step.what === "lease_ended" ? "queued" : step.what;
    const next = changes[k + 1];
    if (next && next.what === step.what && step.what === "delivering") return;
    const a = axis.x(step.t);
    const b = next ? axis.x(next.t) : terminal ? far : axis.x(present);
    const width = b - a - 1;
    if (width < 1.5) return;
    const room = Math.min(width, (axis.breaks.find(({ px }) => px >= a)?.px ?? far) - a);
    const until = next ? ` for ${duration(next.t - step.t)}` : "";
    const label = next ? name : detail.state;
    item(step.i, name, `${name} from ${time(step.at)}${until}`,
      `<rect class="tl-state" x="${n(a)}" y="${y}" width="${n(width)}" height="22" rx="3"/>
       <rect class="tl-edge" x="${n(a)}" y="${y}" width="2" height="22"/>
       ${room > 20 ? mark(name, a + 13, y + 11) : ""}${room > 34 + label.length * 6 ? text(a + 25, y + 15, label) : ""}`);
  }));
}

function drawLeases({ axis, present, item, lane }, leases) {
  const ends = []; // where each row is free again: leases that overlap are drawn below each other
  for (const one of leases) {
    one.row = ends.findIndex((t) => t <= one.t + 1e-9);
    if (one.row < 0) one.row = ends.length;
    ends[one.row] = one.until;
  }
  lane("Leases", ends.length * 42 - 4, (y) => leases.forEach((one) => {
    const { close } = one;
    const top = y + one.row * 42;
    const a = axis.x(one.t);
    const full = axis.x(one.until);
    const stop = close ? axis.x(close.t) : Math.max(a, Math.min(full, axis.x(present)));
    const used = duration((close?.t ?? 0) - one.t);
    const words = close?.what === "confirmed" ? `confirmed after ${used}` : close ? `ended after ${used}`
      : present < one.until ? `${left(one.until - present)} left` : "ended";
    const aside = full - stop > stop - a; // the text is where there is more room
    const tx = aside ? stop + (close ? 14 : 8) : a + 8;
    const room = (aside ? full : stop) - tx - (close && !aside ? 12 : 4);
    const brief = close?.what === "confirmed" ? used : close ? "ended" : words;
    const handle = one.event_handle ?? "";
    item(one.i, "leased", `Lease ${handle} from ${time(one.at)}: ${words}`,
      `<rect class="tl-ghost" x="${n(a + 0.5)}" y="${top + 0.5}" width="${n(Math.max(full - a - 1, 2))}" height="37" rx="4"/>
       <rect class="tl-lease" x="${n(a)}" y="${top}" width="${n(Math.max(stop - a, 2))}" height="38" rx="4"/>
       ${room > 48 ? text(tx, top + 16, room > 122 ? handle : `…${handle.slice(-6)}`, "mono") + text(tx, top + 30, room > words.length * 5.9 ? words : brief, "dim") : ""}`);
    if (close) item(close.i, close.what, `${close.what.replace("_", " ")} ${time(close.at)}`,
      `<circle class="tl-dot" cx="${n(stop)}" cy="${top + 19}" r="9"/>${mark(close.what, stop, top + 19)}`);
  }));
}

function drawAttempts({ axis, far, present, item, lane }, attempts) {
  lane("Attempts", attempts.length * 26 - 4, (y) => attempts.forEach((one, k) => {
    const top = y + k * 26;
    const kind = outcomeOf(one);
    const a = axis.x(one.t);
    const b = Math.max(a + 3, kind === "open" ? axis.x(Math.min(present, one.t + one.limit)) : axis.x(one.t + one.duration));
    const pause = one.pause ? axis.x(one.t - one.pause) : a;
    const words = `#${one.number}  ${outcomeWords(one)}${kind === "open" ? "" : `, ${duration(one.duration)}`}`;
    const wide = words.length * 6.1 + 14;
    const inside = b - a > wide && kind === "timeout";
    const label = inside ? text(a + 9, top + 15, words)
      : far - b > wide ? text(b + 8, top + 15, words, "halo") : text(Math.min(a, pause) - 8, top + 15, words, "halo", "end");
    const hatch = one.pause ? `<rect class="tl-pause" x="${n(pause)}" y="${top + 3}" width="${n(a - pause)}" height="16"/>
      ${a - pause > 34 ? text((a + pause) / 2, top + 15, duration(one.pause), "dim halo", "middle") : ""}` : "";
    const ghost = kind === "open" ? `<rect class="tl-ghost" x="${n(a)}" y="${top + 0.5}" width="${n(axis.x(one.t + one.limit) - a)}" height="21" rx="3"/>` : "";
    item(one.i, outcomeTone(one), `Attempt ${one.number}: ${one.error ?? outcomeWords(one)}`,
      `${hatch}${ghost}<rect class="tl-try ${kind}" x="${n(a)}" y="${top}" width="${n(b - a)}" height="22" rx="${b - a < 8 ? 1.5 : 3}"/>${label}`);
  }));
}

function drawFaults({ axis, far, narrow, item, lane }, faults) {
  lane("Faults", faults.length * 20 - 2, (y) => faults.forEach((one, k) => {
    const a = axis.x(one.t);
    const top = y + k * 20;
    const flip = far - a < 140;
    const leader = narrow ? "" : `<line class="tl-lead" x1="${n(a)}" x2="${n(a)}" y1="${y - 9}" y2="${top + 1}"/>`;
    item(one.i, "fault", `${one.fault}: ${one.message ?? ""}`,
      leader + mark("fault", a, top + 9) + text(flip ? a - 12 : a + 12, top + 13, one.fault ?? "fault", "halo", flip ? "end" : "start"));
  }));
}

function frame({ axis, far, present, terminal }, steps, { bottom, width, x0, out }) {
  const busy = axis.breaks.map(({ px }) => [px - 4, px + BREAK + 4]);
  if (!terminal) busy.push([axis.x(present) - 22, axis.x(present) + 22]);
  const gap = STEPS.find((step) => step * axis.scale >= 62) ?? 604800;
  const grid = [];
  for (const { from, to, px } of axis.pieces) {
    const end = to === axis.end ? to + gap / 2 : to;
    for (let k = Math.ceil(from / gap - 1e-9); k * gap <= end; k += 1) {
      const x = px + (k * gap - from) * axis.scale;
      if (x > far - 12) break;
      const words = k ? tick(k * gap) : "0";
      const half = words.length * 3.3;
      grid.push(`<line class="tl-grid" x1="${n(x)}" x2="${n(x)}" y1="22" y2="${bottom}"/>`);
      if (!busy.some(([l, r]) => x + half > l && x - half < r)) grid.push(text(Math.max(x, x0 + (k ? 0 : 4)), 14, words, "dim num", "middle"));
    }
  }
  const cuts = axis.breaks.map((one) => breakMarkup(one, bottom)).join("");
  const line = terminal ? "" : `<g class="tl-now"><line x1="${n(axis.x(present))}" x2="${n(axis.x(present))}" y1="20" y2="${bottom}"/>
    <rect x="${n(axis.x(present) - 16)}" y="2" width="32" height="18" rx="9"/>${text(axis.x(present), 15, "now", "", "middle")}</g>`;
  const label = steps.map((step) => `${step.what.replace("_", " ")} ${time(step.at)}`).join(", ");
  return `<svg width="${width}" height="${bottom + 2}" role="img" aria-label="Timeline: ${put(label)}">
    <defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="tl-hatch" y2="6"/></pattern></defs>
    ${grid.join("")}${out}${cuts}${line}
    <g class="tl-cursor"><line y1="22" y2="${bottom}"/><text class="tl-t num" y="14" text-anchor="middle"></text></g></svg>`;
}

function tick(seconds) {
  if (seconds < 1) return `+${Number((seconds * 1000).toFixed(0))} ms`;
  return seconds < 60 ? `+${seconds} s` : offset(seconds, 0);
}

function breakMarkup({ px, label, kind, step }, bottom) {
  const zigzag = (x) => {
    let path = `M${n(x)} 22`;
    for (let y = 22, k = 0; y < bottom; y += 5, k += 1) path += `l${k % 2 ? -4 : 4} ${Math.min(5, bottom - y)}`;
    return path;
  };
  const edges = kind === "jump" ? `<path d="${zigzag(px + 5)}"/><path d="${zigzag(px + BREAK - 9)}"/>`
    : `<path d="M${n(px + 7)} 22V${bottom}m${BREAK - 14} 0V22"/>`;
  const pill = kind === "jump" ? `<rect class="pill" x="${n(px + 1)}" y="2" width="${BREAK - 2}" height="18" rx="9"/>` : "";
  const title = kind === "jump" ? `The clock was moved: ${label}` : `Nothing happened for ${label}`;
  return `<g class="tl-i tl-cut ${kind}" data-step="${step}" data-tone="clock"><title>${put(title)}</title>
    <rect x="${n(px + 7)}" y="22" width="${BREAK - 14}" height="${bottom - 22}"/>${edges}${pill}${text(px + BREAK / 2, 15, label, "num", "middle")}</g>`;
}
