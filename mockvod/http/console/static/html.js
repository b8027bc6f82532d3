// HTML from templates. Values are escaped unless they are Markup themselves.

class Markup {
  constructor(text) { this.text = text; }
}

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** The text of a value inside HTML; null, undefined and false are nothing. */
export function put(value) {
  if (value == null || value === false) return "";
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(put).join("");
  return String(value).replace(/[&<>"']/g, (character) => ESCAPES[character]);
}

export const html = (parts, ...values) =>
  new Markup(parts.reduce((text, part, i) => text + put(values[i - 1]) + part));
export const raw = (text) => new Markup(text);

/** A boolean attribute such as `disabled`. */
export const flag = (name, on) => (on ? raw(` ${name}`) : "");
export const bool = (value) => String(Boolean(value)); // for aria attributes, where false is written out

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Sets the content of an element, unless it has that content already. Returns whether it changed. */
export function fill(target, markup) {
  const element = typeof target === "string" ? $(target) : target;
  const text = put(markup);
  if (!element || element.filled === text) return false;
  element.filled = text;
  element.innerHTML = text;
  return true;
}

/** As `fill`, for parts that change while somebody uses them: open <details> stay open, the focus stays. */
export function refill(target, markup) {
  const element = typeof target === "string" ? $(target) : target;
  if (!element) return;
  const open = new Map($$("details[id]", element).map((one) => [one.id, one.open]));
  const focused = element.contains(document.activeElement) && document.activeElement.id;
  if (!fill(element, markup)) return;
  for (const one of $$("details[id]", element)) if (open.has(one.id)) one.open = open.get(one.id);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}
