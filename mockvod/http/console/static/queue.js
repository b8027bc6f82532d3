// Queue and deliveries: what each application holds, who polls it, and how fast events pass.

import { age, count, duration, left } from "./format.js";
import { BUCKET, BUCKETS, series } from "./metrics.js";
import { $$, chip, dim, eventLink, fill, gap, glyph, heading, html, raw, setText } from "./parts.js";
import { now, state } from "./store.js";

const MOST_LEASES = 24;
const [WIDTH, HEIGHT] = [480, 72];

export const queue = {
  render(main) {
    fill(main, html`<div class="page">${heading("Queue and deliveries", "What each application holds at this moment.")}<div class="two" id="charts"></div><div id="queues"></div></div>`);
    drawCharts();
    drawQueues();
  },
  changed(parts) {
    if (parts.has("queues")) drawQueues();
    if (parts.has("journal")) drawCharts();
  },
  tick(isSecond) {
    for (const one of $$("[data-until]")) setText(one, left(one.dataset.until - now()));
    if (isSecond) drawCharts();
  },
};

function drawQueues() {
  const shown = state.queues.filter((one) => !state.filter.app || (one.sub_app_id ?? 0) === Number(state.filter.app));
  fill("#queues", shown.length ? shown.map(application) : html`<p class="nothing card">No application has been used yet. It appears with its first event or poll.</p>`);
}

const number = (words, value, tone) => html`<div data-tone="${tone}"><dt>${glyph(tone)} ${words}</dt><dd class="big num">${value.toLocaleString("en")}</dd></div>`;

const application = (one) => html`<section class="card block"><div class="line"><h2>${one.sub_app_id ? `Application ${one.sub_app_id}` : "Default application"}</h2>${chip(one.mode === "PULL" ? "queued" : "delivering", one.mode)}<code>${one.callback_url}</code></div>
  <dl class="facts">${number("visible", one.visible, "queued")}${number("leased", one.leased, "leased")}${number("deliveries", one.deliveries, "delivering")}${number("blocked polls", one.polls, "other")}${number("jobs", one.tasks, "other")}</dl>
  ${one.leases.length > 0 && html`<h3>Leases ${dim("the next to end")}</h3><ul class="leases">${one.leases.slice(0, MOST_LEASES).map((lease) => html`<li>${eventLink(lease.event)}<span class="mono muted">${lease.event_handle}</span><b class="num" data-until="${lease.until}">${left(lease.until - now())}</b></li>`)}</ul>`}
  <h3>Clients that poll</h3>${one.pollers.length ? html`<div class="scroll" tabindex="0" role="region" aria-label="Clients that poll"><table><thead><tr>${"Client,SecretId,Address,Last poll,Pulls,Empty,Aborted".split(",").map((name) => html`<th>${name}</th>`)}</tr></thead>
    <tbody class="num">${one.pollers.map((client) => html`<tr>${[client.user_agent || "no User-Agent", client.secret_id || "unsigned", client.address, `${age(now() - client.last_at)} ago`, client.pulls, client.empty, client.hung_up].map((value) => html`<td>${value}</td>`)}</tr>`)}</tbody></table></div>` : dim("No client has called PullEvents.")}</section>`;

// --- charts of the last minutes

function drawCharts() {
  const data = series();
  const recent = data.slice(-60 / BUCKET);
  const sum = (name) => recent.reduce((total, one) => total + one[name], 0);
  const { median } = recent.findLast((one) => one.median !== undefined) ?? {};
  const rate = (name) => data.map((one) => one[name] / BUCKET);
  fill("#charts", html`${chart("Throughput", `${count(sum("emitted"), "event")} emitted and ${sum("done")} handled in the last minute`,
    { queued: ["emitted", rate("emitted")], confirmed: ["confirmed or delivered", rate("done")], failed: ["failed, expired or dropped", rate("lost")] }, (value) => `${value.toPrecision(2)} per second`)}
  ${chart("Latency", median === undefined ? "No event was handled in the last minute" : `Median ${duration(median)} from event to confirm or delivery`,
    { delivered: ["median", data.map((one) => one.median)], dropped: ["slowest", data.map((one) => one.slowest)] }, duration)}`);
}

function chart(title, words, lines, unit) {
  const most = Math.max(0, ...Object.values(lines).flatMap(([, values]) => values.map((value) => value ?? 0)));
  const point = (value, i) => `${(i * WIDTH / (BUCKETS - 1)).toFixed(1)} ${(HEIGHT - 2 - value / (most || 1) * (HEIGHT - 6)).toFixed(1)}`;
  const path = (values) => values.map((value, i) => (value === undefined ? "" : `${values[i - 1] === undefined ? "M" : "L"}${point(value, i)}`)).join("");
  const all = Object.entries(lines);
  return html`<section class="card"><h2>${title} ${most > 0 && dim(`up to ${unit(most)}`)}</h2><p class="muted">${words}</p>
    <svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${title} of the last 10 minutes. ${words}">${all.map(([name, [, values]]) => raw(`<path data-tone="${name}" d="${path(values)}"/>`))}</svg>
    <p class="line muted">10 min ago${gap}${all.map(([name, [label]]) => html`<span class="line" data-tone="${name}">${glyph("other")}${label}</span>`)}</p></section>`;
}
