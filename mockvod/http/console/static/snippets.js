// The same thing from a shell or a test: what can be clicked can be copied.

import { pretty } from "./format.js";

export const origin = () => location.origin;
const shell = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

export const curl = (method, address, body) =>
  `curl -X ${method} ${shell(origin() + address)}${body === undefined ? "" : ` \\\n  -H 'Content-Type: application/json' \\\n  -d ${shell(JSON.stringify(body))}`}`;

/** A value of JSON as Python writes it. */
export function python(value, indent = "") {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}    `;
  const list = Array.isArray(value);
  const members = list ? value.map((one) => python(one, inner)) : Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}: ${python(v, inner)}`);
  const [open, close] = list ? ["[", "]"] : ["{", "}"];
  const line = `${open}${members.join(", ")}${close}`;
  return line.length < 80 && !line.includes("\n") ? line : `${open}\n${members.map((one) => `${inner}${one},\n`).join("")}${indent}${close}`;
}

const FLAGS = { count: "count", event_type: "type", file_id: "file", task_id: "task", definition: "definition", time_offsets: "offsets", failed: "failed", err_code: "err-code", delay: "delay" };

/** `mockvod emit …`, or null where the command line has no options for it. */
export function emitCommand(body) {
  const words = ["mockvod emit"];
  for (const [key, value] of Object.entries(body)) {
    if (key === "set") words.push(...Object.entries(value).map(([path, v]) => `--set ${shell(`${path}=${typeof v === "string" ? v : JSON.stringify(v)}`)}`));
    else if (key === "event") return `${words.join(" ")} --event - <<'JSON'\n${pretty(value)}\nJSON`;
    else if (FLAGS[key]) words.push(`--${FLAGS[key]} ${Array.isArray(value) ? value.join(",") : shell(String(value)).replace(/^'([\w.-]+)'$/, "$1")}`);
    else return null;
  }
  return words.join(" ");
}

const keywords = (body) => Object.entries(body).map(([key, value]) => `${key}=${python(value, "    ")}`).join(", ");

export const emitPytest = (body) => `def test_the_event_is_handled(mockvod):\n    mockvod.emit(${keywords(body)})`;

/** An event without what is null: enough to emit it again. */
const withoutNulls = (content) => Object.fromEntries(Object.entries(content).filter(([, value]) => value !== null));

/** Texts to copy for one event, by name. */
export function ofEvent(detail) {
  const event = withoutNulls(detail.content);
  return {
    curl: () => curl("POST", "/mockvod/v1/events", { event }),
    pytest: () => emitPytest({ event }),
    JSON: () => JSON.stringify(detail.content, null, 2),
    link: () => location.href,
  };
}
