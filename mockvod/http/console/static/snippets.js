// The same thing from a shell or a test: what can be clicked can be copied.

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

/** Texts to copy for one event, by name: each but the link makes it again. */
export function ofEvent({ content }) {
  const event = Object.fromEntries(Object.entries(content).filter(([, value]) => value !== null));
  return {
    curl: curl("POST", "/mockvod/v1/events", { event }),
    pytest: emitPytest({ event }),
    "fixture JSON": JSON.stringify(content, null, 2),
    link: location.href,
  };
}
