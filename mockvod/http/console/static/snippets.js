// The same thing from a shell or a test: what can be clicked can be copied.

import { address, APP } from "./api.js";
import { state } from "./store.js";

const shell = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

export const curl = (method, address, body) =>
  `curl -X ${method} ${shell(location.origin + address)} \\\n  -H 'Content-Type: application/json' \\\n  -d ${shell(JSON.stringify(body))}`;

/** A value of JSON as Python writes it. */
function python(value, indent) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}    `;
  const list = Array.isArray(value);
  const members = Object.entries(value).map(([k, v]) => (list ? "" : `${JSON.stringify(k)}: `) + python(v, inner));
  const [open, close] = list ? "[]" : "{}";
  const line = open + members.join(", ") + close;
  return line.length < 80 && !line.includes("\n") ? line : `${open}\n${members.map((one) => `${inner}${one},\n`).join("")}${indent}${close}`;
}

export function emitPytest(body) {
  const keywords = Object.entries(body).map(([key, value]) => `${key}=${python(value, "    ")}`).join(", ");
  return `def test_the_event_is_handled(mockvod):\n    mockvod.emit(${keywords})`;
}

const FLAGS = { count: "count", delay: "delay", file_id: "file", task_id: "task", time_offsets: "offsets", failed: "failed", err_code: "err-code", definition: "definition", event_type: "type" };

/** `mockvod emit`, for this server and the scope that is chosen. A whole event is read from standard input. */
export function emitCommand({ event, set = {}, ...fields }) {
  const unknown = Object.keys(fields).find((name) => !FLAGS[name]);
  if (unknown) return `# mockvod emit has no option for ${unknown}: use curl`;
  const scope = { url: location.origin === "http://127.0.0.1:8266" ? "" : location.origin, "secret-id": state.account, "sub-app-id": state.filter.app };
  const options = [...Object.entries(scope).filter(([, value]) => value), ...Object.entries(fields).map(([name, value]) => [FLAGS[name], value]),
    ...Object.entries(set).map(([path, value]) => ["set", `${path}=${typeof value === "string" ? value : JSON.stringify(value)}`])];
  const words = ["mockvod emit", ...options.map(([name, value]) => `--${name} ${/^[-\w.,:/]+$/.test(value) ? value : shell(String(value))}`)].join(" ");
  return event ? `${words} --event - <<'END'\n${JSON.stringify(event)}\nEND` : words;
}

/** What makes the same events again, by name. */
export const EMITS = { curl: (body) => curl("POST", address("/events", APP), body), CLI: emitCommand, pytest: emitPytest };

/** Texts to copy for one event, by name: each but the link makes it again. */
export function ofEvent({ content }) {
  const event = Object.fromEntries(Object.entries(content).filter(([, value]) => value !== null));
  return {
    ...Object.fromEntries(Object.entries(EMITS).map(([name, of]) => [name, of({ event })])),
    "fixture JSON": JSON.stringify(content, null, 2),
    link: location.href,
  };
}
