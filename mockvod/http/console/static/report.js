// How the consumer behaves: every trait with its severity, the bad ones first, and the events that prove it.

import { attempt, onDo } from "./actions.js";
import { APP, get } from "./api.js";
import { count } from "./format.js";
import { $, button, chip, dim, eventLink, fill, heading, html, tone, withLinks } from "./parts.js";

const SEVERITIES = ["problem", "warning", "notice", "ok"];
const MOST = 6; // events that are named

export const report = {
  render(main) {
    fill(main, html`<div class="page">${heading("How the consumer behaves", "Derived from the journal. What injected faults caused does not count.", button("judge", "Run again", { picture: "again" }))}
      <div class="card block line verdict" id="verdict"></div><ul class="table" id="traits"></ul></div>`);
    load();
  },
  entry: ({ what }) => what === "reset" && load(),
};

async function load() {
  const found = await attempt(() => get("/report", APP));
  if (!found || !$("#traits")) return;
  const traits = [...found.findings].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  const number = (severity) => traits.filter((one) => one.severity === severity).length;
  fill("#verdict", html`${SEVERITIES.map((severity) => tone(severity, html`<b class="big num">${number(severity)}</b>${severity === "ok" || number(severity) === 1 ? severity : `${severity}s`}`))}${!found.complete && dim("Older entries of the journal are no longer kept.")}`);
  fill("#traits", traits.map(({ severity, code, message, evidence: { events = [], events_count: all = 0 } }) => html`<li class="trait"><span>${chip(severity)}</span><b class="mono wrap">${code}</b><div>${withLinks(message)}</div>
    <div>${events.slice(0, MOST).map((id) => html`${eventLink(id)} `)}${all > MOST && dim(`of ${count(all, "event")}`)}</div></li>`));
}

onDo({ judge: load });
