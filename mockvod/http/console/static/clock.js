// The account's clock in the top bar: the time, what is due, and the buttons that move it.

import { attempt, onDo, onForm, say, showProblem } from "./actions.js";
import { call } from "./api.js";
import { count, dateTime, duration, left, numeric, time } from "./format.js";
import { $, $$, button, field, fill, html, icon, input, setText, withLinks } from "./parts.js";
import { now, setClock, state } from "./store.js";

const ADVANCES = [["+5 s", 5], ["+30 s", 30], ["+4 d", 345600]];
const MOST = 30; // lines of what is due, and of what happened
const MOVES = { // by the name that the control API gives it: label, placeholder, button, what it says afterwards, how to read it
  advance: ["Advance by", "90s, 5m, 4d", "Advance", "advanced by", String],
  scale: ["Times as fast as real time", "0.5, 60", "Run", "scaled by", numeric],
  set: ["Set to a moment, UTC", "2030-01-31 12:00", "Set", "set to", moment],
};
let last = null; // {words, happened} of the last move

const nextDue = () => state.clock.waiting.find(({ due }) => due > now()) ?? state.clock.waiting[0];

export function drawClock() {
  const { frozen, rate, waiting } = state.clock;
  if (!$("#now")) {
    fill("#clock", html`<details class="due menu"><summary><span class="now mono" id="now"></span><span class="mode"><span class="mode" id="mode"></span><span id="next"></span></span></summary>
        <div class="pop"><div id="due" tabindex="-1"></div><div class="moves">${Object.entries(MOVES).map(([name, [label, example, act]]) => html`<form data-form="clock" data-name="${name}">
          ${field(name, label, html`<span class="line">${input(name, `placeholder="${example}"`)}<button class="btn">${act}</button></span>`)}</form>`)}</div></div></details><div class="group" role="group" aria-label="Move the clock">${button("freeze", "", { more: 'id="freeze"' })}
      ${ADVANCES.map(([words, by]) => button("advance", words, { more: `data-by="${by}" aria-label="Advance the clock by ${duration(by)}"` }))}
      ${button("next-due", "Next due", { picture: "next", more: 'id="next-due" title="Advance to the next due moment (n)"' })}
      ${button("scale", "×60", { more: 'id="scale" aria-label="Run 60 times as fast"' })}</div>`);
  }
  fill("#mode", html`${icon(frozen ? "freeze" : "release")}<b>${frozen ? "Frozen" : rate === 1 ? "Running" : `×${rate}`}</b>${icon("down")}`);
  fill("#freeze", html`${icon(frozen ? "release" : "freeze")}${frozen ? "Release" : "Freeze"}`);
  $("#scale").setAttribute("aria-pressed", rate > 1);
  $("#next-due").disabled = !waiting.length;
  const lines = (all, line) => html`<ol>${all.slice(0, MOST).map(line)}${all.length > MOST && html`<li class="muted">and more</li>`}${!all.length && html`<li class="muted">Nothing.</li>`}</ol>`;
  fill("#due", html`<p class="muted" id="date"></p><h3>Due on the clock</h3>${lines(waiting, (one) => html`<li><b class="num" data-due="${one.due}"></b><span>${withLinks(one.what)}</span></li>`)}
    ${last && html`<h3>${last.words} Meanwhile:</h3>${lines(last.happened, (one) => html`<li><b class="num">${time(one.at)}</b><span>${withLinks(`${one.event ?? ""} ${one.what.replaceAll("_", " ")}`)}</span></li>`)}`}`);
  tickClock();
}

/** Only texts change as time passes. */
export function tickClock() {
  const due = nextDue();
  setText($("#now"), state.clock.at ? time(now()) : "–");
  setText($("#next"), due ? `next due in ${left(due.due - now())}` : "nothing is due");
  setText($("#date"), dateTime(now()));
  for (const one of $$("[data-due]")) setText(one, left(one.dataset.due - now()));
}

async function moveClock(change, did) {
  const moved = await call("POST", "/clock", change);
  const happened = moved.happened.filter(({ what }) => what !== "clock");
  const events = new Set(happened.map(({ event }) => event).filter(Boolean)).size;
  const words = `The clock is ${did}.${moved.completed ? "" : ` The move was not completed: ${moved.reason}.`}`;
  last = { words, happened };
  say(`${words} ${happened.length ? `Meanwhile: ${count(happened.length, "journal entry", "journal entries")} for ${count(events, "event")}.` : "Nothing happened meanwhile."}`);
  setClock(moved);
}

const move = (change, did) => attempt(() => moveClock(change, did));
const advance = (by) => move({ advance: by }, `advanced by ${duration(by)}`);
const release = () => move({ release: true }, "released");

onDo({
  freeze: () => (state.clock.frozen ? release() : move({ freeze: true }, "frozen")),
  advance: ({ by }) => advance(Number(by)),
  "next-due": () => advance(Math.max(0, nextDue().due - now()) + 0.001),
  scale: () => (state.clock.rate > 1 ? release() : move({ scale: 60 }, "scaled by 60")),
});

/** Seconds since 1970 of a date, which is in UTC unless it names a zone; other text as it is. */
function moment(text) {
  if (typeof numeric(text) === "number") return numeric(text);
  const epoch = Date.parse(/\d(Z|[+-]\d\d:?\d\d)$/i.test(text) || text.length < 11 ? text : `${text}Z`);
  return Number.isNaN(epoch) ? text : epoch / 1000;
}

onForm({
  async clock(form) {
    const { name } = form.dataset;
    const text = form.elements[name].value.trim();
    const [, , , did, read] = MOVES[name];
    try {
      await moveClock({ [name]: read(text) }, `${did} ${text}`);
      form.reset();
      showProblem(form);
    } catch (problem) {
      showProblem(form, problem);
    }
  },
});
