// Why nothing arrives: the findings of the diagnosis, each with what proves it, and a probe of the callback URL.

import { attempt, onDo } from "./actions.js";
import { get } from "./api.js";
import { count, dateTime, duration } from "./format.js";
import { $, button, dim, fill, gap, heading, html, tone, withLinks } from "./parts.js";
import { link } from "./router.js";

export const diagnosis = {
  render(main) {
    fill(main, html`<div class="page">${heading("Why nothing arrives", "Checking…", button("diagnose", "Run again", { picture: "again" }))}<ol class="stack findings" id="findings"></ol>
      <section class="card"><div class="line"><h2>Callback URL</h2>${gap}${button("probe", "Probe it")}</div>
        <p class="muted">Connects to the callback URL of the chosen application from the server and sends <code>OPTIONS</code>, never an event.</p><div id="probe"></div></section></div>`);
    load();
  },
  entry: ({ what }) => ["reset", "configured", "clock", "fault_set", "fault_removed"].includes(what) && load(),
};

async function load(probe) {
  const found = await attempt(() => get("/diagnosis", { app: true, query: { probe } }));
  if (!found || !$("#findings")) return;
  const { findings } = found;
  fill("#intro", findings.length ? `${count(findings.length, "finding")}, the most likely cause first.` : "");
  fill("#findings", findings.length ? findings.map((one, i) => html`<li class="card"><h2>${i + 1}. <code>${one.code}</code></h2><p>${withLinks(one.message)}</p>${evidence(one.evidence)}</li>`)
    : html`<li class="card">${tone("ok", "No problem found.")} <a href="${link("emit")}">Emit an event</a></li>`);
  if (probe) fill("#probe", probeMarkup(found.probe));
}

/** What proves a finding, with links to the events in it. */
const evidence = (facts) => html`<dl class="facts">${Object.entries(facts).map(([name, value]) => [name, value === null ? "" : plain(value)]).filter(([, text]) => text).map(([name, text]) => html`<div><dt>${name.replaceAll("_", " ")}</dt><dd>${withLinks(text)}</dd></div>`)}</dl>`;

function plain(value) {
  if (Array.isArray(value)) return value.slice(0, 8).map(plain).join("; ");
  return value && typeof value === "object" ? Object.entries(value).filter(([, one]) => one !== null && one !== "").map(([name, one]) => `${name.replaceAll("_", " ")} ${name.endsWith("_at") ? dateTime(one) : plain(one)}`).join(", ") : String(value);
}

const probeMarkup = (probe) => (probe ? html`<ul>${probe.addresses.map((one) => html`<li class="line">${tone(one.outcome === "connected" ? "ok" : "problem", one.address)}${one.outcome}${dim(duration(one.seconds))}</li>`)}</ul><p>${tone(probe.ok ? "ok" : "problem", probe.verdict)} ${probe.message}</p>`
  : html`<p>${tone("notice", "The chosen application has no callback URL.")} <a href="${link("settings")}">Set one</a></p>`);

onDo({
  diagnose: () => load(),
  probe: () => {
    fill("#probe", dim("Connecting…"));
    load(true);
  },
});
