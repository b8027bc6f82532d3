// HTML from templates. Values are escaped unless they are Markup themselves.

class Markup {
  constructor(text) { this.text = text; }
}

/** The text of a value inside HTML; null, undefined and false are nothing. */
export function put(value) {
  if (value == null || value === false) return "";
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(put).join("");
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt()};`);
}

export const html = (parts, ...values) => new Markup(parts.reduce((text, part, i) => text + put(values[i - 1]) + part));
export const raw = (text) => new Markup(text);
/** An attribute without a value, such as `disabled`. */
export const flag = (name, on) => raw(on ? ` ${name}` : "");

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Sets the content of an element unless it is that already. Open <details> stay open, the focus stays. */
export function fill(target, markup) {
  const element = typeof target === "string" ? $(target) : target;
  const text = put(markup);
  if (!element || element.filled === text) return;
  const open = new Map($$("details[id]", element).map((one) => [one.id, one.open]));
  const focused = element.contains(document.activeElement) && document.activeElement.id;
  element.filled = text;
  element.innerHTML = text;
  for (const one of $$("details[id]", element)) one.open = open.get(one.id) ?? one.open;
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}
