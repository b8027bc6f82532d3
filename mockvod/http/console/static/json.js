// JSON that can be read: folding, nulls together, and the differences between two documents.

import { html } from "./html.js";

/** JSON as nested <details>: folding, keyboard and search in the page come with the element. */
export function tree(value, key, last = true) {
  const name = typeof key === "string" ? html`<span class="j-k">"${key}": </span>` : "";
  const comma = last ? "" : ",";
  if (value === null || typeof value !== "object") {
    const kind = value === null ? "null" : typeof value;
    return html`<div>${name}<span class="j-${kind}">${JSON.stringify(value)}</span>${comma}</div>`;
  }
  const list = Array.isArray(value);
  const [open, close] = list ? ["[", "]"] : ["{", "}"];
  const all = Object.entries(value);
  if (!all.length) return html`<div>${name}${open}${close}${comma}</div>`;
  const full = all.filter(([, member]) => member !== null);
  const nulls = all.filter(([, member]) => member === null);
  const member = ([k, v], i, of, more) => tree(v, list ? i : k, i === of.length - 1 && !more);
  return html`<details open><summary>${name}${open}<span class="j-n"> ${all.length} ${list ? "items" : "keys"} </span></summary>
    <div class="j-in">${full.map((one, i) => member(one, i, full, nulls.length))}${nulls.length > 0 && html`<details>
      <summary><span class="j-null">${nulls.length} more ${nulls.length > 1 ? "keys, all" : "key,"} null</span></summary>
      <div class="j-in">${nulls.map((one, i) => member(one, i, nulls, 0))}</div></details>`}</div>
    <div>${close}${comma}</div></details>`;
}

/** The paths at which two documents differ: [{path, before, after}]; undefined where there is nothing. */
export function differences(before, after, path = "") {
  if (Object.is(before, after)) return [];
  const isObject = (value) => value !== null && typeof value === "object";
  if (!isObject(before) || !isObject(after) || Array.isArray(before) !== Array.isArray(after)) return [{ path, before, after }];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(before[key], after[key], path ? `${path}.${key}` : key));
}
