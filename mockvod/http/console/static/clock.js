// The account's clock in the top bar: the time, what is due, and the buttons that move it.

import { attempt, onDo, onForm, say, showError } from "./actions.js";
import { call } from "./api.js";
import { $, bool, fill, html, refill, setText } from "./html.js";
import { icon } from "./glyphs.js";
import { count, dateTime, duration, left, time } from "./format.js";
import { link } from "./router.js";
import { now, setClock, state } from "./store.js";

const ADVANCES = [["+5 s", 5], ["+30 s", 30], ["+4 d", 345600]];
let lastMove = null; // {text, happened}

const nextDue = () => state.clock.waiting.find((one) => one.due > now() + 1e-6) ?? state.clock.waiting[0];
function dueText() {
  const due = nextDue();
  return due ? `next due in ${left(due.due - now())}` : "nothing is due";
}

export function drawClock() {
  const { frozen, rate } = state.clock;
  const mode = frozen ? "Frozen" : rate === 1 ? "Running" : `×${rate}`;
  if (!$("#clock-panel")) build();
  $("#clock").dataset.mode = frozen ? "frozen" : "running";
  fill("#clock-mode", html`${icon(frozen ? "freeze" : "release")}<b>${mode}</b>${icon("down")}`);
  fill("#freeze", html`${icon(frozen ? "release" : "freeze")}${frozen ? "Release" : "Freeze"}`);
  const scale = $("#scale");
  scale.setAttribute("aria-pressed", bool(rate > 1));
  $("#next-due").disabled = !state.clock.waiting.length;
  refill("#due-list", dueList());
  fill("#last-move", lastMove ? moveMarkup(lastMove) : "");
  tickClock();
}

function build() {
  fill("#clock", html`<details class="due menu"><summary><span class="now mono" id="now"></span>
      <span class="mode"><span id="clock-mode"></span><span id="next"></span></span></summary>
    <div class="pop" id="clock-panel"><p class="muted" id="date"></p>
      <h3>Due on the clock</h3><ol id="due-list"></ol><div id="last-move"></div>
      <form data-form="clock" class="clock-form"><div class="field"><label for="clock-amount">Advance by <span class="muted">such as 31s, 90m, 4d</span></label>
        <div class="line"><input id="clock-amount" name="advance" placeholder="31s" autocomplete="off"><button class="btn">Advance</button></div><p class="hint"></p></div></form>
      <form data-form="clock" class="clock-form"><div class="field"><label for="clock-scale">Run faster <span class="muted">times the system</span></label>
        <div class="line"><input id="clock-scale" name="scale" placeholder="60" inputmode="decimal" autocomplete="off"><button class="btn">Scale</button></div><p class="hint"></p></div></form>
      <form data-form="clock" class="clock-form"><div class="field"><label for="clock-set">Set to <span class="muted">UTC</span></label>
        <div class="line"><input id="clock-set" name="set" type="datetime-local" step="1"><button class="btn">Set</button></div><p class="hint"></p></div></form>
    </div></details>
  <div class="group" role="group" aria-label="Move the clock"><button class="btn hold" id="freeze" data-do="freeze"></button>
    ${ADVANCES.map(([text, by]) => html`<button class="btn" data-do="advance" data-by="${by}" aria-label="Advance the clock by ${duration(by)}">${text}</button>`)}
    <button class="btn" id="next-due" data-do="next-due" title="Advance to the next due moment (n)">${icon("next")}Next due</button>
    <button class="btn" id="scale" data-do="scale" title="Run 60 times as fast" aria-label="Run 60 times as fast">×60</button></div>`);
}

/** Text with the events in it as links. */
export function withLinks(text) {
  return String(text).split(/(evt_\d+)/).map((part, i) => (i % 2 ? html`<a class="mono" href="${link("events", part)}">${part}</a>` : part));
}

const dueList = () => (state.clock.waiting.length
  ? state.clock.waiting.slice(0, 12).map((one) => html`<li><b class="num" data-due="${one.due}">${left(one.due - now())}</b><span>${withLinks(one.what)}</span></li>`)
  : html`<li class="muted">Nothing.</li>`);

const moveMarkup = ({ text, happened, more }) => html`<h3>${text}</h3><ol class="happened">${happened.length
  ? happened.slice(0, 30).map((entry) => html`<li><b class="num">${time(entry.at)}</b><span>${entry.event && withLinks(`${entry.event} `)}${entry.what.replaceAll("_", " ")}</span></li>`)
  : html`<li class="muted">Nothing happened meanwhile.</li>`}${happened.length > 30 || more ? html`<li class="muted">and more</li>` : ""}</ol>`;

/** Only texts change as time passes. */
export function tickClock() {
  setText($("#now"), time(now()));
  setText($("#next"), dueText());
  setText($("#date"), dateTime(now()));
  if (!$(".due[open]")) return;
  for (const one of document.querySelectorAll("[data-due]")) setText(one, left(one.dataset.due - now()));
}

async function moveClock(change, text) {
  const moved = await call("POST", "/clock", change, { app: false });
  setClock(moved);
  const happened = moved.happened.filter((entry) => entry.what !== "clock");
  lastMove = { text, happened, more: moved.happened_more };
  const events = new Set(happened.map((entry) => entry.event).filter(Boolean)).size;
  say(`${text} ${happened.length ? `${count(happened.length, "entry", "entries")} in the journal, ${count(events, "event")}.` : "Nothing happened meanwhile."}`);
  drawClock();
}

const act = (change, text) => attempt(() => moveClock(change, text));

onDo({
  freeze: () => (state.clock.frozen ? act({ release: true }, "Clock released.") : act({ freeze: true }, "Clock frozen.")),
  advance: ({ by }) => act({ advance: Number(by) }, `Clock advanced by ${duration(Number(by))}.`),
  "next-due": () => {
    const due = nextDue();
    if (!due) return say("Nothing is due.");
    const by = Math.max(0, due.due - now()) + 0.001;
    return act({ advance: by }, `Clock advanced by ${duration(by)}.`);
  },
  scale: () => (state.clock.rate > 1 ? act({ release: true }, "Clock released.") : act({ scale: 60 }, "Clock runs 60 times as fast.")),
});

onForm({
  async clock(form) {
    const [input] = form.elements;
    const text = input.value.trim();
    const values = {
      advance: () => (/^[\d.]+$/.test(text) ? Number(text) : text),
      scale: () => (Number.isNaN(Number(text)) ? text : Number(text)),
      set: () => Date.parse(`${text}Z`) / 1000,
    };
    try {
      await moveClock({ [input.name]: values[input.name]() }, { advance: `Clock advanced by ${text}.`, scale: `Clock runs ${text} times as fast.`, set: "Clock set." }[input.name]);
      input.value = "";
    } catch (problem) {
      showError(form, problem);
    }
  },
});

