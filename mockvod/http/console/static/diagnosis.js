// Why nothing arrives: the findings of the diagnosis, each with what proves it, and a look at the callback URL.

import { attempt, onDo } from "./actions.js";
import { call, get } from "./api.js";
import { $, fill, html } from "./html.js";
import { glyph, icon, tone } from "./glyphs.js";
import { withLinks } from "./clock.js";
import { count, duration } from "./format.js";
import { link } from "./router.js";

const ACTIONS = {
  fault_active: ["Remove the faults", "/faults", "DELETE"],
  frozen_clock: ["Release the clock", "/clock", "POST", { release: true }],
};

export const diagnosis = {
  title: () => "Diagnosis",
  render(main) {
    fill(main, html`<div class="page"><header><div><h1>Why nothing arrives</h1><p id="found">Looking…</p></div>
      <button class="btn" data-do="diagnose">${icon("again")}Run again</button></header><ol class="stack findings" id="findings"></ol>
      <section class="card block"><div class="line"><h2>Callback URL</h2><span class="fill"></span><button class="btn" data-do="probe">Probe it</button></div>
        <p class="muted">Connects to the callback URL of the chosen application from the server and sends <code>OPTIONS</code>, never an event.</p><div id="probe"></div></section></div>`);
    load();
  },
  entry: (entry) => (entry.what === "reset" || entry.what === "configured") && load(),
};

async function load(probe) {
  const found = await attempt(() => get("/diagnosis", { query: { probe } }));
  if (!found || !$("#findings")) return;
  const { findings } = found;
  fill("#found", findings.length ? `${count(findings.length, "finding")}, the most likely first. Looking changes nothing.` : "Looking changes nothing.");
  fill("#findings", findings.length ? findings.map(finding) : html`<li class="card">${tone("ok", "Nothing is wrong that mockvod can see.")}
    <p class="muted">Is the application started, does it use this server's address, and was an event emitted? <a href="${link("emit")}">Emit one</a></p></li>`);
  if (probe) fill("#probe", probeMarkup(found.probe));
}

function finding(one, i) {
  const [label] = ACTIONS[one.code] ?? [];
  return html`<li class="card"><div class="line"><b class="no">${i + 1}</b><h2 class="mono">${one.code}</h2><span class="fill"></span>
    ${label && html`<button class="btn small" data-do="mend" data-code="${one.code}">${label}</button>`}</div>
    <p>${withLinks(one.message)}</p>${evidence(one.evidence)}</li>`;
}

/** What proves a finding, with links to the events in it. */
export function evidence(facts) {
  const all = Object.entries(facts).filter(([, value]) => value !== null && !(Array.isArray(value) && !value.length));
  return all.length > 0 && html`<dl class="facts">${all.map(([name, value]) => html`<div><dt>${name.replaceAll("_", " ")}</dt><dd>${shown(value)}</dd></div>`)}</dl>`;
}

function shown(value) {
  if (Array.isArray(value)) return value.slice(0, 8).map((one, i) => html`${i > 0 && ", "}${shown(one)}`);
  if (value && typeof value === "object") return html`<span class="mono">${withLinks(Object.entries(value).map(([k, v]) => `${k} ${typeof v === "string" ? v : JSON.stringify(v)}`).join(", "))}</span>`;
  return withLinks(value);
}

function probeMarkup(probe) {
  if (!probe) return html`<p>${tone("notice", "The chosen application has no callback URL.")} <a href="${link("settings")}">Set one</a></p>`;
  return html`<ol class="probe">${probe.addresses.map((one) => html`<li data-tone="${one.outcome === "connected" ? "ok" : "problem"}">${glyph(one.outcome === "connected" ? "ok" : "problem")}
      <b class="mono">${one.address}</b><span>${one.outcome}</span><span class="num muted">${duration(one.seconds)}</span></li>`)}</ol>
    <p>${tone(probe.ok ? "ok" : "problem", probe.verdict)} ${probe.message}</p>`;
}

onDo({
  diagnose: () => load(),
  probe: async () => {
    fill("#probe", html`<p class="muted">Connecting…</p>`);
    await load(true);
  },
  mend: ({ code }) => attempt(async () => {
    const [, path, method, body] = ACTIONS[code];
    await call(method, path, body, { app: false });
    await load();
  }),
});

