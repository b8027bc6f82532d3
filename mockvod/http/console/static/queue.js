// Queue and deliveries: what each application holds, who polls it, and how fast events pass.

import { fill, html, raw, refill } from "./html.js";
import { glyph } from "./glyphs.js";
import { age, appName, count, duration, left, time } from "./format.js";
import { BUCKET, BUCKETS, series } from "./metrics.js";
import { link } from "./router.js";
import { now, state } from "./store.js";

const WIDTH = 480;
const HEIGHT = 72;

export const queue = {
  title: () => "Queue",
  render(main) {
    fill(main, html`<div class="page"><header><div><h1>Queue and deliveries</h1><p>What each application holds at this moment.</p></div></header>
      <div class="two charts" id="charts"></div><div id="queues"></div></div>`);
    drawCharts();
    drawQueues();
  },
  changed(parts) {
    if (parts.has("queues") || parts.has("rows")) drawQueues();
    if (parts.has("metrics")) drawCharts();
  },
  tick(isSecond) {
    for (const one of document.querySelectorAll("[data-until]")) one.textContent = left(one.dataset.until - now());
    if (isSecond) drawCharts();
  },
};

function drawQueues() {
  const chosen = state.filter.app;
  const shown = state.queues.filter((one) => chosen === "" || (one.sub_app_id ?? 0) === Number(chosen));
  refill("#queues", shown.length ? shown.map(application) : html`<p class="nothing card">No application has been used yet. It appears with its first event or poll.</p>`);
}

const number = (value, words, toneName) => html`<div><dt>${toneName && html`<span data-tone="${toneName}">${glyph(toneName)}</span>`} ${words}</dt><dd class="big num">${value.toLocaleString("en")}</dd></div>`;

const application = (one) => html`<section class="card block"><div class="line"><h2>${appName(one.sub_app_id) === "default" ? "Default application" : `Application ${one.sub_app_id}`}</h2>
    <span class="chip" data-tone="${one.mode === "PULL" ? "queued" : "delivering"}">${one.mode}</span><span class="muted mono wrap">${one.callback_url}</span></div>
  <dl class="facts numbers">${number(one.visible, "visible", "queued")}${number(one.leased, "leased", "leased")}${number(one.deliveries, "deliveries", "delivering")}
    ${number(one.polls, "polls that block")}${number(one.tasks, "jobs")}</dl>
  ${one.leases.length > 0 && html`<h3>Leases <span class="muted">the one that ends first is first</span></h3><ul class="leases">${one.leases.slice(0, 24).map((lease) => html`<li>
    <a class="mono" href="${link("events", lease.event)}">${lease.event}</a><span class="mono muted">${lease.event_handle}</span><b class="num" data-until="${lease.until}">${left(lease.until - now())}</b></li>`)}</ul>
    ${one.leased > 24 && html`<p class="muted">and ${one.leased - 24} more</p>`}`}
  <h3>Clients that poll</h3>${one.pollers.length ? html`<div class="scroll" tabindex="0" role="region" aria-label="Clients that poll"><table><thead><tr><th>Client</th><th>SecretId</th><th>Address</th><th>Last poll</th><th>Pulls</th><th>Empty</th><th>Gave up</th></tr></thead>
    <tbody>${one.pollers.map((client) => html`<tr><td>${client.user_agent || "no User-Agent"}</td><td class="mono">${client.secret_id || "unsigned"}</td><td class="mono">${client.address}</td>
      <td class="num" title="${time(client.last_at)}">${age(now() - client.last_at)} ago</td><td class="num">${client.pulls}</td><td class="num">${client.empty}</td><td class="num">${client.hung_up}</td></tr>`)}</tbody></table></div>`
    : html`<p class="muted">Nobody has called PullEvents. ${one.mode === "PULL" ? html`<a href="${link("diagnosis")}">Why nothing arrives</a>` : ""}</p>`}</section>`;

// --- charts

function drawCharts() {
  const data = series();
  const recent = data.slice(-12);
  const sum = (name) => recent.reduce((total, one) => total + one[name], 0);
  const latencies = recent.map((one) => one.median).filter((one) => one !== undefined).sort((a, b) => a - b);
  const median = latencies[Math.floor(latencies.length / 2)];
  fill("#charts", html`${chart("Throughput", `${count(sum("emitted"), "event")} emitted and ${sum("done").toLocaleString("en")} handled in the last minute`, [
    ["queued", "emitted", data.map((one) => one.emitted / BUCKET)], ["confirmed", "confirmed or delivered", data.map((one) => one.done / BUCKET)],
    ["failed", "failed, expired or dropped", data.map((one) => one.lost / BUCKET)]], (value) => `${Number(value.toPrecision(2))} per second`)}
  ${chart("Latency", median === undefined ? "No event was handled in the last minute" : `Median ${duration(median)} from event to confirm or delivery`, [
    ["delivered", "median", data.map((one) => one.median)], ["scheduled", "slowest", data.map((one) => one.slowest)]], duration)}`);
}

function chart(title, words, lines, unit) {
  const most = Math.max(0, ...lines.flatMap(([, , values]) => values.filter((value) => value !== undefined)));
  const x = (i) => ((i / (BUCKETS - 1)) * WIDTH).toFixed(1);
  const y = (value) => (HEIGHT - 2 - (most ? value / most : 0) * (HEIGHT - 6)).toFixed(1);
  const path = (values) => values.reduce((text, value, i) => (value === undefined ? text : `${text}${values[i - 1] === undefined ? "M" : "L"}${x(i)} ${y(value)}`), "");
  return html`<section class="card"><div class="line"><h2>${title}</h2><span class="fill"></span><span class="muted num">${most > 0 && `up to ${unit(most)}`}</span></div><p class="muted">${words}</p>
    <svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${title}, the last 10 minutes: ${words}">
      <path class="tl-grid" d="M0 ${HEIGHT - 1.5}H${WIDTH}"/>${lines.map(([name, , values]) => raw(`<path data-tone="${name}" d="${path(values)}"/>`))}</svg>
    <p class="line muted"><span>10 min ago</span><span class="fill"></span>${lines.map(([name, label]) => html`<span class="tone" data-tone="${name}">${glyph("other")}<span class="muted">${label}</span></span>`)}</p></section>`;
}

