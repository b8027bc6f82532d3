// Pictures of 16 × 16. A glyph shows a state: round is pulled, square is pushed, filled is terminal, the mark says how.

import { html, raw } from "./html.js";

const ROUND = '<circle class="g-o" cx="8" cy="8" r="5.6"/>';
const DISC = '<circle class="g-f" cx="8" cy="8" r="6.3"/>';
const PLATE = '<rect class="g-f" x="1.7" y="1.7" width="12.6" height="12.6" rx="3.4"/>';
const CHECK = '<path class="g-k" d="m5 8.2 2.1 2.1 3.9-4.4"/>';
const line = (path) => `<path class="g-o" d="${path}"/>`;
const mark = (path) => `<path class="g-k" d="${path}"/>`;
const area = (path) => `<path class="g-f" d="${path}"/>`;

const GLYPHS = {
  scheduled: '<circle class="g-o" cx="8" cy="8" r="5.6" stroke-dasharray="2 2.4"/>',
  queued: ROUND,
  leased: ROUND + area("M8 4.6a3.4 3.4 0 0 1 0 6.8z"),
  delivering: '<rect class="g-o" x="2.4" y="2.4" width="11.2" height="11.2" rx="3"/>' + line("M5 8h5.6M8.4 5.8 10.7 8l-2.3 2.2"),
  confirmed: DISC + CHECK,
  delivered: PLATE + CHECK,
  failed: PLATE + mark("m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8"),
  expired: DISC + mark("M8 4.6V8l2.3 1.7"),
  dropped: DISC + mark("M5 8h6"),
  ok: line("m3.5 8.4 3 3 6-6.6"),
  notice: ROUND + line("M8 7.4v3.2M8 5.2v.2"),
  warning: line("M8 2.6 14 13H2zM8 6.6v2.8M8 11.2v.1"),
  problem: area("M5.4 1.7h5.2l3.7 3.7v5.2l-3.7 3.7H5.4l-3.7-3.7V5.4z") + mark("M8 4.8v3.6M8 10.9v.2"),
  fault: area("M9.2 1.5 3.4 9h3.9l-.6 5.5L12.6 7H8.5z"),
  clock: line("m3 4 4 4-4 4m5-8 4 4-4 4"),
  lease_ended: line("M4 6.2h6a2.6 2.6 0 0 1 0 5.2H7M6.2 3.8 3.8 6.2l2.4 2.4"),
  other: line("M5 8h6"),
};

const ICONS = {
  events: "M2.5 4h11M2.5 8h11M2.5 12h7",
  queue: "M2.5 3.5h11v9h-11zM6 3.5v9m3.5-9v9",
  emit: "M8 3v10M3 8h10",
  inbox: "m2.5 9 2-5.5h7l2 5.5v3.5h-11zm0 0h3l1 1.8h3L10.5 9h3",
  faults: "M9 1.8 3.5 9H8l-1 5.2L12.5 7H8z",
  diagnosis: "M1.5 8.5h3l2-5 3 9 2-4h3",
  report: "M3.5 2.5h9v11h-9zM6 8l1.5 1.5L10.2 6.4",
  settings: "M2.5 5h6m3.5 0h1.5m-11 6H4m3.5 0h6M10.3 3.3v3.4M5.7 9.3v3.4",
  search: "M7 11.2A4.2 4.2 0 1 0 7 2.8a4.2 4.2 0 0 0 0 8.4m3.2-1 3.3 3.3",
  freeze: "M8 2v12M2.8 5l10.4 6m0-6L2.8 11",
  release: "M5 3.5v9l7.5-4.5z",
  next: "M3 4v8l6-4zm9.5 0v8",
  copy: "M6 6h7.5v7.5H6zM10 6V2.5H2.5V10H6",
  close: "m4 4 8 8m0-8-8 8",
  back: "M10 3 5 8l5 5",
  down: "m4 6 4 4 4-4",
  again: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
  follow: "M8 2.5v8m-3.5-3L8 11l3.5-3.5M3 13.5h10",
};

export const glyphPath = (name) => GLYPHS[name] ?? GLYPHS.other;
const svg = (kind, inner) => raw(`<svg class="${kind}" viewBox="0 0 16 16" aria-hidden="true">${inner}</svg>`);
export const glyph = (name) => svg("glyph", glyphPath(name));
export const icon = (name) => svg("icon", `<path d="${ICONS[name]}"/>`);
export const chip = (name, text = name) => html`<span class="chip" data-tone="${name}">${glyph(name)}${text}</span>`;
export const tone = (name, text) => html`<span class="tone" data-tone="${name}">${glyph(name)}${text}</span>`;
