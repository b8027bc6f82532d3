// One event: what became of it in a sentence, a picture and a list, its requests, its pictures, its body.

import { attempt, copy, onDo, say } from "./actions.js";
import { call, get } from "./api.js";
import { appName, dateTime, duration, offset, time, timeNear } from "./format.js";
import { differences, tree } from "./json.js";
import { $, $$, button, chip, dim, eventLink, fill, flag, gap, glyph, html, icon, raw, tone } from "./parts.js";
import { go, link } from "./router.js";
import { ofEvent } from "./snippets.js";
import { findRow, loadedCount, now, rowOf, state, TERMINAL } from "./store.js";
import { story } from "./story.js";
import { drawTimeline, outcomeTone, outcomeWords, stepsOf } from "./timeline.js";

const MOST_SHOTS = 60;

let shown = null; // {detail, attempts, steps, compared} of the event that is drawn
let loading = null; // AbortController, with the id that is loaded
let again = false;

const limits = () => ({ lease: state.config.visibility_timeout ?? 30, attempt: state.config.callback_timeout ?? 5 });
export const shownEvent = () => shown?.detail;

/** Loads the event of the address; while that goes on, further calls are answered by one more round. */
export async function loadDetail() {
  const { id } = state.view;
  again = Boolean(id) && loading?.id === id;
  if (again) return;
  loading?.abort();
  if (!id) {
    shown = loading = null;
    fill("#detail", html`<p class="placeholder">Select an event with <kbd>j</kbd> and <kbd>k</kbd>, or a click.</p>`);
    return;
  }
  const { signal } = (loading = Object.assign(new AbortController(), { id }));
  const path = `/events/${encodeURIComponent(id)}`;
  try {
    const detail = await get(path, { signal });
    const { attempts } = detail.attempts.length ? await get(`${path}/attempts`, { signal }) : detail;
    if (shown?.detail.id !== id) shown = {};
    Object.assign(shown, { detail, attempts });
    redraw();
  } catch (problem) {
    if (problem.name === "AbortError") return;
    shown = null;
    if (state.loaded && !loadedCount()) return void go("events"); // a reset, or another server at the same address
    fill("#detail", html`<div class="placeholder"><h2>${id} was not found</h2><p>${problem.message}</p><a class="btn" href="${link("events")}">All events</a></div>`);
  }
  loading = null;
  if (again) setTimeout(loadDetail, 60);
}

/** Draws the event again: it has changed, or what is known beside it. */
export function redraw() {
  if (!shown?.detail || !$("#detail")) return;
  const { detail } = shown;
  const steps = (shown.steps = stepsOf(detail, state.moves));
  if ($(".detail")?.dataset.id !== detail.id) {
    fill("#detail", html`<article class="detail" aria-labelledby="title" data-id="${detail.id}"><div class="line head" id="head"></div><p class="story" id="story"></p><dl class="facts" id="facts"></dl>
      <section class="block"><h3>Timeline</h3><figure class="tl" id="tl"></figure><ol class="steps" id="steps"></ol></section>
      <div class="cols"><div><section class="block" id="attempts"></section><section class="block" id="pulls"></section></div>
        <div><section class="block" id="shots"></section><section class="block" id="body"></section><section class="block" id="differences"></section></div></div></article>`);
    $("#detail").scrollTop = 0;
  }
  const isTerminal = TERMINAL.has(detail.state);
  fill("#head", html`<a class="btn icon-only back" href="${link("events")}" aria-label="Back to the list">${icon("back")}</a>${chip(detail.state)}<h2 id="title" class="mono" tabindex="-1">${detail.id}</h2>
    <span class="muted type">${detail.event_type}</span>${gap}${button("redeliver", "Redeliver", { picture: "again", more: isTerminal ? 'id="redeliver"' : 'disabled title="Only an event in a terminal state can be redelivered"' })}
    <details class="menu" id="copy-menu"><summary class="btn">${icon("copy")}Copy${icon("down")}</summary><div class="pop">${Object.keys(ofEvent(detail)).map((as) => html`<button data-do="copy-as" data-as="${as}">as ${as}</button>`)}</div></details>`);
  const facts = { TaskId: detail.task_id, FileId: detail.file_id, Application: appName(detail.sub_app_id), Created: dateTime(detail.created_at) };
  fill("#facts", Object.entries(facts).map(([name, value]) => html`<div><dt>${name}</dt><dd class="${name.endsWith("Id") ? "mono" : ""}">${value ?? "none"}</dd></div>`));
  fill("#steps", steps.map(stepMarkup));
  fill("#attempts", attemptsMarkup(shown.attempts));
  const leases = steps.filter(({ what }) => what === "leased");
  fill("#pulls", leases.length > 0 && html`<h3>Pulls ${dim(leases.length)}</h3>${leases.map((lease) => html`<div class="card line">${glyph("leased")}<span class="mono wrap">${lease.event_handle}</span>
    ${button("copy", "", { picture: "copy", kind: "icon-only small", more: `data-text="${lease.event_handle}" aria-label="Copy the handle"` })}${gap}${dim(time(lease.at))}</div>`)}`);
  fill("#shots", shotsMarkup(detail));
  fill("#body", html`<h3>Body ${gap}${button("copy-as", "Copy", { picture: "copy", kind: "quiet small", more: 'data-as="fixture JSON"' })}</h3><div class="json mono">${tree(detail.content)}</div>`);
  fill("#differences", differencesMarkup(detail));
  drawTimes();
}

/** Draws what goes on with the clock: the sentence and the picture. */
function drawTimes() {
  const figure = $("#tl");
  if (!figure || !shown?.steps?.length) return;
  fill("#story", story(shown.detail, shown.steps, now(), limits()));
  fill(figure, raw(drawTimeline(shown.detail, shown.steps, { width: Math.max(280, figure.clientWidth), now: now(), limits: limits() })));
}

export const tickDetail = () => shown?.detail && !TERMINAL.has(shown.detail.state) && !$("#tl:hover") && drawTimes();

/** Hovering a mark lights up its line in the list, and the other way round. */
export function listenToPicture() {
  new ResizeObserver(drawTimes).observe(document.body);
  document.addEventListener("pointerover", ({ target }) => {
    const step = target.closest?.("[data-step]")?.dataset.step;
    for (const one of $$("[data-step]")) one.classList.toggle("hot", one.dataset.step === step);
  });
}

// --- the list of steps

function stepMarkup(step, i, steps) {
  const mark = step.what === "attempt" ? outcomeTone(step) : step.what;
  const name = { lease_ended: "lease ended", clock: "clock moved" }[step.what] ?? step.what.replaceAll("_", " ");
  return html`<li data-step="${i}" data-tone="${mark}"><span class="num">${offset(step.t)}</span>${glyph(mark)}<b>${name}</b><span class="what">${stepText(step)}</span>
    <time class="num" title="${dateTime(step.at)}">${timeNear(step.at, steps[0].at)}</time></li>`;
}

function stepText(step) {
  const handle = html`<span class="mono">${step.event_handle}</span>`;
  const texts = {
    scheduled: () => `due ${time(step.due)}`,
    delivering: () => html`<span class="mono">${step.url}</span>`,
    leased: () => handle,
    lease_ended: () => "not confirmed; back in the queue",
    confirmed: () => handle,
    attempt: () => `#${step.number} ${step.error ?? `status ${step.status}`}, ${duration(step.duration)}`,
    failed: () => step.reason,
    fault: () => html`<a href="${link("faults")}">${step.fault}</a> ${step.message}`,
    clock: () => moveText(step),
  };
  return html`${step.redelivery && "redelivered "}${texts[step.what]?.()}`;
}

const moveText = ({ advance, set }) => (advance !== undefined ? `advanced by ${duration(advance)}` : set !== undefined ? `set to ${dateTime(set)}` : "released");

// --- requests, pictures, differences

const SIGNS = { valid: ["ok", "Sign is valid"], wrong: ["problem", "Sign is wrong"], expired: ["problem", "T has passed"], unsigned: ["other", "not signed"] };
export const signMark = (sign) => SIGNS[sign] && tone(...SIGNS[sign]);
export const headerLines = (headers) => headers.map(([name, value]) => `${name}: ${value}\n`).join("");

function attemptsMarkup(attempts) {
  return attempts.length > 0 && html`<h3>Attempts ${dim(attempts.length)}</h3>${attempts.map((one, i) => html`<details class="card" id="attempt-${i}"${flag("open", i === attempts.length - 1 && outcomeTone(one) === "failed")}>
    <summary><span class="num">#${one.number}</span>${tone(outcomeTone(one), outcomeWords(one))}${gap}${dim(duration(one.duration))}${icon("down")}</summary>
    <div class="exchange"><h4>Request ${signMark(one.sign)}</h4><pre tabindex="0">POST ${one.request?.url ?? one.url}\n${one.request ? `${headerLines(one.request.headers)}\n${one.request.body}` : "(no longer kept)"}</pre>
      <h4>${one.status ? "Response" : "No response"}</h4><pre tabindex="0">${one.status && `${one.status} ${one.response?.reason ?? ""}\n`}${one.response && `${headerLines(one.response.headers)}\n`}${one.error ?? one.answer}</pre></div></details>`)}`;
}

function shotsMarkup(detail) {
  const task = detail.content.SnapshotByTimeOffsetCompleteEvent;
  const pictures = task?.SnapshotInfoSet ?? [];
  // The picture on this server, whatever host its Url names.
  const query = new URLSearchParams(Object.entries({ secret_id: state.account, sub_app_id: detail.sub_app_id ?? "" }).filter(([, value]) => value !== ""));
  const source = ({ TimeOffset }) => `/snapshots/${encodeURIComponent(task.FileId)}/${task.Definition}/${TimeOffset}.jpg?${query}`;
  const shot = (one) => (one.ErrCode ? html`<div class="shot bad">${glyph("failed")}<span>ErrCode ${one.ErrCode}</span></div>`
    : html`<a class="shot" href="${source(one)}" target="_blank"><img src="${source(one)}" alt="Snapshot at ${one.TimeOffset} ms" loading="lazy"></a>`);
  return pictures.length > 0 && html`<h3>Snapshots ${dim(pictures.length)}</h3><ul class="shots">${pictures.slice(0, MOST_SHOTS).map((one) => html`<li>${shot(one)}<span class="num muted">${one.TimeOffset / 1000} s</span></li>`)}</ul>`;
}

function differencesMarkup(detail) {
  if (shown.compared) {
    const [other, all] = shown.compared;
    const value = (one) => html`<dd><code>${one === undefined ? "not there" : JSON.stringify(one)}</code></dd>`;
    return html`<h3>Differences to ${eventLink(other)}</h3>${all.length ? html`<dl class="differences">${all.slice(0, 200).map(({ path, before, after }) => html`<dt class="mono wrap">${path}</dt>${value(before)}${value(after)}`)}</dl>` : "None: the two bodies are equal."}`;
  }
  const other = findRow((row) => row.event_type === detail.event_type, rowOf(detail.id)?.number);
  return other && button("compare", `Differences to ${other.id}, the previous of its type`, { more: `data-id="${other.id}"` });
}

onDo({
  redeliver: () => attempt(async () => {
    const detail = await call("POST", `/events/${shown.detail.id}/redeliver`);
    say(`${detail.id} is ${detail.state} again.`);
    loadDetail();
  }),
  "copy-as": ({ as }) => shown && copy(ofEvent(shown.detail)[as], `Copied as ${as}.`),
  copy: ({ text }) => copy(text),
  compare: ({ id }) => attempt(async () => {
    const other = await get(`/events/${id}`);
    shown.compared = [id, differences(other.content, shown.detail.content)];
    redraw();
  }),
});

