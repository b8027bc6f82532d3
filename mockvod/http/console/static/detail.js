// One event: what became of it in a sentence, a picture and a list, its requests, its pictures, its body.

import { attempt, copy, onDo, say } from "./actions.js";
import { address, ApiError, call, get } from "./api.js";
import { $, $$, fill, flag, html, raw, refill } from "./html.js";
import { chip, glyph, icon, tone } from "./glyphs.js";
import { appName, dateTime, duration, left, offset, time, timeNear } from "./format.js";
import { differences, tree } from "./json.js";
import { ofEvent } from "./snippets.js";
import { changed, now, previousOfType, rowOf, state, TERMINAL } from "./store.js";
import { story } from "./story.js";
import { drawTimeline, outcomeTone, outcomeWords, stepsOf } from "./timeline.js";
import { link } from "./router.js";

let shown = null; // {detail, steps, exchanges} of the event that is drawn
let drawn = null; // the picture: {axis, width}
let loading = null; // AbortController
let again = false;

export const detailMarkup = () => html`<section class="detail-pane" id="detail" aria-label="Event" tabindex="-1"></section>`;

/** The account's time limits, for leases and attempts that have not ended. */
const limits = () => ({ lease: state.config.visibility_timeout ?? 30, attempt: state.config.callback_timeout ?? 5 });

/** Loads the event of the address; while that goes on, further calls are answered by one more round. */
export async function loadDetail() {
  const { id } = state.view;
  if (!id) {
    shown = null;
    fill("#detail", html`<p class="placeholder">Select an event with <kbd>j</kbd> and <kbd>k</kbd>, or a click.</p>`);
    return;
  }
  if (loading?.id === id) {
    again = true;
    return;
  }
  loading?.abort();
  const request = (loading = Object.assign(new AbortController(), { id }));
  again = false;
  try {
    const options = { app: false, signal: request.signal };
    const detail = await get(`/events/${encodeURIComponent(id)}`, options);
    const exchanges = detail.attempts.length ? (await get(`/events/${encodeURIComponent(id)}/attempts`, options)).attempts : [];
    if (state.view.id === id) draw({ detail, exchanges });
  } catch (problem) {
    if (problem.name === "AbortError") return;
    if (state.view.id === id) drawMissing(id, problem);
  } finally {
    if (loading === request) loading = null;
  }
  if (again) setTimeout(loadDetail, 60);
}

function drawMissing(id, problem) {
  shown = null;
  const forgotten = problem instanceof ApiError && problem.status === 404;
  fill("#detail", html`<div class="placeholder"><h2>${forgotten ? html`<span class="mono">${id}</span> is not here` : "Not loaded"}</h2>
    <p>${problem.message}</p><p><a class="btn" href="${link("events")}">${icon("back")}All events</a></p></div>`);
}

function draw({ detail, exchanges }) {
  const steps = stepsOf(detail, state.moves);
  const isOther = shown?.detail.id !== detail.id;
  shown = { detail, steps, exchanges };
  const pane = $("#detail");
  if (!pane) return;
  if (isOther || !$("#story")) {
    pane.filled = undefined;
    fill(pane, skeleton);
    pane.scrollTop = 0;
  }
  fill("#head", head(detail));
  fill("#story", story(detail, steps, { now: now(), limits: limits() }));
  fill("#facts", facts(detail));
  fill("#steps", steps.map((step, i) => stepMarkup(step, i, steps)));
  refill("#exchanges", exchangesMarkup(detail, exchanges));
  fill("#pulls", pullsMarkup(steps));
  fill("#shots", shotsMarkup(detail));
  fill("#body", bodyMarkup(detail));
  if (isOther) fill("#differences", differencesButton(detail));
  drawPicture();
}

const skeleton = html`<article class="detail" aria-labelledby="title">
  <header class="head"><div class="line" id="head"></div><p class="story" id="story"></p><dl class="facts" id="facts"></dl></header>
  <section class="block"><h3>Timeline</h3><figure class="tl" id="tl"></figure><ol class="steps" id="steps"></ol></section>
  <div class="cols"><div><div id="exchanges"></div><div id="pulls"></div><div id="shots"></div></div>
    <div><section class="block" id="body"></section><section class="block" id="differences"></section></div></div></article>`;

const head = (detail) => html`<a class="btn icon-only back" href="${link("events")}" aria-label="Back to the list">${icon("back")}</a>
  ${chip(detail.state)}<h2 id="title" class="mono" tabindex="-1">${detail.id}</h2><span class="muted type">${detail.event_type}</span><span class="fill"></span>
  <button class="btn" id="redeliver" data-do="redeliver" ${TERMINAL.has(detail.state) ? "" : raw('disabled title="Only an event in a terminal state can be redelivered"')}>
    ${icon("again")}Redeliver</button>
  <details class="menu"><summary class="btn">${icon("copy")}Copy${icon("down")}</summary><div class="pop">
    ${Object.keys(ofEvent(detail)).map((as) => html`<button data-do="copy-as" data-as="${as}">as ${as === "JSON" ? "fixture JSON" : as}</button>`)}</div></details>`;

const fact = (name, value, mono = true) => html`<div><dt>${name}</dt><dd class="${mono ? "mono" : ""}">${value ?? "none"}</dd></div>`;
const facts = (detail) => html`${fact("TaskId", detail.task_id)}${fact("FileId", detail.file_id)}
  ${fact("Application", appName(detail.sub_app_id), false)}${fact("Created", dateTime(detail.created_at), false)}`;

// --- the list of steps

const NAMES = { lease_ended: "lease ended", clock: "clock moved" };

/** One line of the list below the picture. Hovering it lights up its mark in the picture, and the other way round. */
function stepMarkup(step, i, steps) {
  const mark = step.what === "attempt" ? outcomeTone(step) : step.what;
  return html`<li data-step="${i}" data-tone="${mark}"><span class="num">${offset(step.t)}</span>${glyph(mark)}
    <b>${NAMES[step.what] ?? step.what.replaceAll("_", " ")}</b><span class="what">${stepText(step)}</span>
    <time class="num" title="${dateTime(step.at)}">${timeNear(step.at, steps[0].at)}</time></li>`;
}

function stepText(step) {
  const texts = {
    scheduled: () => `due ${time(step.due)}`,
    queued: () => step.redelivery && "redelivered",
    delivering: () => html`${step.redelivery && "redelivered, "}<span class="mono">${step.url}</span>`,
    leased: () => html`<span class="mono">${step.event_handle}</span>`,
    lease_ended: () => "not confirmed; back in the queue",
    confirmed: () => html`<span class="mono">${step.event_handle}</span>`,
    attempt: () => html`#${step.number} ${step.error ?? `status ${step.status}`}, ${duration(step.duration)}`,
    failed: () => step.reason,
    fault: () => html`<a href="${link("faults")}">${step.fault}</a> ${step.message}`,
    clock: () => moveText(step),
  };
  return texts[step.what]?.() ?? "";
}

export function moveText({ advance, set, release, freeze, scale }) {
  if (advance !== undefined) return `advanced by ${duration(advance)}`;
  if (set !== undefined) return `set to ${dateTime(set)}`;
  if (scale !== undefined) return `runs ${scale} times as fast`;
  return release ? "released" : freeze ? "frozen" : "";
}

// --- the picture

export function drawPicture() {
  const figure = $("#tl");
  if (!figure || !shown?.steps.length) return;
  const width = Math.max(280, Math.floor(figure.clientWidth));
  const picture = drawTimeline(shown.detail, shown.steps, { width, now: now(), limits: limits() });
  drawn = { axis: picture.axis, width };
  fill(figure, raw(picture.markup));
}

/** The picture of an event that is not over goes on with the clock. */
export function tickDetail() {
  if (!shown || TERMINAL.has(shown.detail.state) || !$("#story")) return;
  fill("#story", story(shown.detail, shown.steps, { now: now(), limits: limits() }));
  if (!$("#tl:hover")) drawPicture();
}

export function listenToPicture() {
  new ResizeObserver(() => {
    const figure = $("#tl");
    if (figure && drawn && Math.abs(figure.clientWidth - drawn.width) > 1) drawPicture();
  }).observe(document.body);
  document.addEventListener("pointermove", (event) => {
    const cursor = $(".tl-cursor");
    if (!cursor || !drawn) return;
    const px = event.clientX - $("#tl").getBoundingClientRect().left;
    const t = event.target.closest?.("#tl") ? drawn.axis.time(px) : undefined;
    cursor.classList.toggle("on", t !== undefined && t >= 0);
    if (t === undefined) return;
    cursor.setAttribute("transform", `translate(${px.toFixed(1)})`);
    $("text", cursor).textContent = offset(t, 2);
  });
  document.addEventListener("pointerover", (event) => {
    const step = event.target.closest?.("[data-step]")?.dataset.step;
    for (const one of $$("[data-step]")) one.classList.toggle("hot", one.dataset.step === step);
  });
}

// --- requests, pulls, pictures, body

function exchangesMarkup(detail, exchanges) {
  if (!exchanges.length) return "";
  return html`<section class="block"><h3>Attempts <span class="muted num">${exchanges.length}</span></h3>
    ${exchanges.map((one, i) => html`<details class="card" id="attempt-${i}"${flag("open", i === exchanges.length - 1 && outcomeTone(one) === "failed")}>
      <summary><span class="num">#${one.number}</span>${tone(outcomeTone(one), outcomeWords(one))}<span class="fill"></span>
        <span class="num muted">${duration(one.duration)}</span>${icon("down")}</summary>${exchange(one)}</details>`)}</section>`;
}

const SIGNS = {
  valid: ["ok", "Sign is valid"],
  wrong: ["problem", "Sign is wrong for the SignKey"],
  expired: ["problem", "T has passed"],
  unsigned: ["scheduled", "not signed: no SignKey"],
};

export const signMark = (sign) => (SIGNS[sign] ? tone(...SIGNS[sign]) : "");
const headers = (list) => list.map(([name, value]) => `${name}: ${value}`).join("\n");

function exchange({ url, request, response, error, answer, status, sign }) {
  return html`<div class="exchange"><h4>Request ${signMark(sign)}</h4>
    ${request ? html`<pre tabindex="0">POST ${request.url}\n${headers(request.headers)}\n\n${request.body}</pre>`
    : html`<pre tabindex="0">POST ${url}</pre><p class="muted">Headers are kept for the latest attempts only.</p>`}
    <h4>${status == null ? "No response" : "Response"}</h4>
    <pre tabindex="0">${status != null && `${status} ${response?.reason ?? ""}\n`}${response && `${headers(response.headers)}\n\n`}${error ?? answer}</pre></div>`;
}

function pullsMarkup(steps) {
  const leases = steps.filter(({ what }) => what === "leased");
  return leases.length > 0 && html`<section class="block"><h3>Pulls <span class="muted num">${leases.length}</span></h3>
    ${leases.map((lease) => html`<div class="card flat"><div class="line">${glyph("leased")}<span class="mono wrap">${lease.event_handle}</span>
      <button class="btn icon-only small" data-do="copy" data-text="${lease.event_handle}" aria-label="Copy the handle">${icon("copy")}</button></div>
      <p class="muted num">pulled ${time(lease.at)}</p></div>`)}</section>`;
}

/** The address of a picture on this server, whatever host its Url names. */
function pictureAddress(task, offsetMs) {
  const query = {};
  if (state.account) query.secret_id = state.account;
  if (shown.detail.sub_app_id) query.sub_app_id = shown.detail.sub_app_id;
  const text = new URLSearchParams(query).toString();
  return `/snapshots/${encodeURIComponent(task.FileId)}/${task.Definition}/${offsetMs}.jpg${text && `?${text}`}`;
}

function shotsMarkup(detail) {
  const task = detail.content.SnapshotByTimeOffsetCompleteEvent;
  const pictures = task?.SnapshotInfoSet ?? [];
  if (!pictures.length) return "";
  const picture = (one) => (one.ErrCode
    ? html`<div class="shot bad" data-tone="failed">${glyph("failed")}<span>ErrCode ${one.ErrCode}</span></div>`
    : html`<a class="shot" href="${pictureAddress(task, one.TimeOffset)}" target="_blank" rel="noreferrer">
        <img src="${pictureAddress(task, one.TimeOffset)}" alt="Snapshot at ${one.TimeOffset} ms" loading="lazy"></a>`);
  return html`<section class="block"><h3>Snapshots <span class="muted num">${pictures.length}</span></h3>
    <ul class="shots">${pictures.slice(0, 60).map((one) => html`<li>${picture(one)}<span class="num muted">${one.TimeOffset / 1000} s</span></li>`)}</ul>
    ${pictures.length > 60 && html`<p class="muted">${pictures.length - 60} more are in the body.</p>`}</section>`;
}

const bodyMarkup = (detail) => html`<h3>Body <span class="fill"></span>
  <button class="btn quiet small" data-do="copy-as" data-as="JSON">${icon("copy")}Copy</button></h3>
  <div class="json mono">${tree(detail.content)}</div>`;

function differencesButton(detail) {
  const row = rowOf(detail.id);
  const other = row && previousOfType(row);
  return other && html`<button class="btn" data-do="compare" data-id="${other.id}">Differences to ${other.id}, the previous ${detail.event_type}</button>`;
}

const value = (one) => html`<code>${one === undefined ? "not there" : JSON.stringify(one)}</code>`;
const differencesMarkup = (other, list) => html`<h3>Differences to <a class="mono" href="${link("events", other)}">${other}</a></h3>
  ${list.length ? html`<dl class="differences">${list.slice(0, 200).map(({ path, before, after }) => html`<dt class="mono">${path}</dt><dd>${value(before)}</dd><dd>${value(after)}</dd>`)}</dl>`
    : html`<p>None: the two bodies are equal.</p>`}`;

onDo({
  redeliver: () => attempt(async () => {
    const detail = await call("POST", `/events/${shown.detail.id}/redeliver`, undefined, { app: false });
    say(`${detail.id} is ${detail.state} again.`);
    changed("rows");
    loadDetail();
  }),
  "copy-as": ({ as }) => shown && copy(ofEvent(shown.detail)[as](), `Copied as ${as}.`),
  copy: ({ text }) => copy(text),
  compare: ({ id }) => attempt(async () => {
    const other = await get(`/events/${id}`, { app: false });
    if (shown) fill("#differences", differencesMarkup(id, differences(other.content, shown.detail.content)));
  }),
});

export const shownEvent = () => shown?.detail;
