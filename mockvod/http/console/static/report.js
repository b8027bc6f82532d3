// How the consumer behaves: every trait with its severity, the bad ones first, and the events that prove it.

import { attempt, copy, onDo } from "./actions.js";
import { get } from "./api.js";
import { $, fill, html } from "./html.js";
import { chip, icon, tone } from "./glyphs.js";
import { withLinks } from "./clock.js";
import { link } from "./router.js";

const SEVERITIES = ["problem", "warning", "notice", "ok"];
let ignored = [];

export const report = {
  title: () => "Report",
  render(main) {
    fill(main, html`<div class="page"><header><div><h1>How the consumer behaves</h1><p>Judged by the journal. What a fault caused is not held against the consumer.</p></div>
      <button class="btn" data-do="judge">${icon("again")}Run again</button></header><div class="card block" id="verdict"></div><ul class="table" id="traits"></ul></div>`);
    load();
  },
  entry: (entry) => entry.what === "reset" && load(),
};

async function load() {
  const found = await attempt(() => get("/report"));
  if (!found || !$("#traits")) return;
  const traits = [...found.findings].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  const number = (severity) => traits.filter((one) => one.severity === severity).length;
  ignored = traits.filter((one) => one.severity === "problem" || one.severity === "warning").map((one) => one.code);
  fill("#verdict", html`<p class="line verdict">${SEVERITIES.map((severity) => html`<span class="tone" data-tone="${severity}">${tone(severity, html`<b class="big num">${number(severity)}</b>`)}${severity}${severity !== "ok" && number(severity) !== 1 && "s"}</span>`)}</p>
    <p class="notes"><code>mockvod.report().assert_ok()</code> ${ignored.length ? html`fails. <button class="link" data-do="copy-ignore">Copy the line that ignores what is known</button>` : "passes."}
      ${!found.complete && html`<span class="muted">Older entries of the journal are no longer kept.</span>`}</p>`);
  fill("#traits", traits.map((one) => html`<li class="trait">${chip(one.severity)}<b class="mono">${one.code}</b><div>${withLinks(one.message)}</div>
    <div class="proof">${(one.evidence.events ?? []).slice(0, 6).map((id) => html`<a class="mono" href="${link("events", id)}">${id}</a> `)}${one.evidence.events_count > 6 && html`<span class="muted">and ${one.evidence.events_count - 6} more</span>`}</div></li>`));
}

onDo({
  judge: load,
  "copy-ignore": () => copy(`mockvod.report().assert_ok(ignore=[${ignored.map((code) => `"${code}"`).join(", ")}])`),
});
