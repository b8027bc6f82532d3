// JSON that can be read: folding, nulls together, and the differences between two documents.

import { html } from "./html.js";

/** JSON as nested <details>: folding, keyboard and search in the page come with the element. */
export function tree(value, key, last = true) {
  const name = typeof key === "string" && html`<span class="j-k">"${key}": </span>`;
  const comma = last ? "" : ",";
  if (value === null || typeof value !== "object") {
    return html`<div>${name}<span class="j-${value === null ? "null" : typeof value}">${JSON.stringify(value)}</span>${comma}</div>`;
  }
  const list = Array.isArray(value);
  const [open, close] = list ? "[]" : "{}";
  const all = Object.entries(value);
  const nulls = all.filter(([, member]) => member === null);
  const full = all.filter(([, member]) => member !== null);
  const members = (some, more) => some.map(([k, v], i) => tree(v, list ? i : k, i === some.length - 1 && !more));
  return html`<details open><summary>${name}${open}<span class="j-n"> ${all.length} ${list ? "items" : "keys"} </span></summary>
    <div class="j-in">${members(full, nulls.length)}${nulls.length > 0 && html`<details>
      <summary><span class="j-null">${nulls.length} more, all null</span></summary><div class="j-in">${members(nulls, 0)}</div></details>`}</div>
    <div>${close}${comma}</div></details>`;
}

/** The paths at which two documents differ: [{path, before, after}]; undefined where there is nothing. */
export function differences(before, after, path = "") {
  if (before === after) return [];
  const isObject = (value) => value !== null && typeof value === "object";
  if (!isObject(before) || !isObject(after) || Array.isArray(before) !== Array.isArray(after)) return [{ path, before, after }];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => differences(before[key], after[key], path ? `${path}.${key}` : key));
}
