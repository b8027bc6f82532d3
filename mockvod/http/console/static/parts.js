// Pieces of markup that several views use. With those of html.js and glyphs.js: all that a view draws with.

import { icon } from "./glyphs.js";
import { html, raw } from "./html.js";
import { link } from "./router.js";

export * from "./glyphs.js";
export * from "./html.js";

export const dim = (text) => html`<span class="muted">${text}</span>`;
export const gap = html`<span class="fill"></span>`;
export const eventLink = (id) => html`<a class="mono" href="${link("events", id)}">${id}</a>`;
/** Text with the events in it as links. */
export const withLinks = (text) => String(text).split(/(evt_\d+)/).map((part, i) => (i % 2 ? eventLink(part) : part));

/** *more* is further attributes, as HTML. */
export const button = (act, text, { picture, kind = "", more = "" } = {}) =>
  html`<button type="button" class="btn ${kind}" data-do="${act}" ${raw(more)}>${picture && icon(picture)}${text}</button>`;

export const heading = (title, intro, act = "") =>
  html`<header><div><h1>${title}</h1><p id="intro">${intro}</p></div>${act}</header>`;

/** A drop-down list; *options* are texts or [value, text]. */
export function select(attributes, options, chosen = "") {
  return html`<span class="pick wide"><select ${raw(attributes)}>${options.map((option) => {
    const [value, text] = Array.isArray(option) ? option : [option, option];
    return html`<option value="${value}"${raw(String(value) === String(chosen) ? " selected" : "")}>${text}</option>`;
  })}</select>${icon("down")}</span>`;
}

/** A control with its label and room for a hint or an error. */
export const field = (name, label, control, hint = "") =>
  html`<div class="field" data-field="${name}"><label for="f-${name}">${label}</label>${control ?? input(name)}<p class="hint muted">${hint}</p></div>`;
export const input = (name, more = "") => html`<input id="f-${name}" name="${name}" autocomplete="off" ${raw(more)}>`;
