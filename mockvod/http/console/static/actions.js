// What happens on a click or a submit: elements name their action in data-do, forms in data-form.

import { $, $$ } from "./html.js";

const actions = {};
const forms = {};
let quiet;

/** Registers actions by name: called with the element's dataset, the element and the event. */
export const onDo = (more) => Object.assign(actions, more);
export const onForm = (more) => Object.assign(forms, more);

/** Says in one line what the user's own action did. */
export function say(text) {
  const place = $("#said");
  place.textContent = text;
  place.classList.add("on");
  clearTimeout(quiet);
  quiet = setTimeout(() => place.classList.remove("on"), 4000);
}

export const copy = (text, what = "Copied.") =>
  navigator.clipboard.writeText(text).then(() => say(what), () => say("The browser does not let this page copy."));

/** What *work* returns; undefined where it fails, and then the error is said. */
export const attempt = (work) => work().catch((problem) => say(problem.message));

export function listen() {
  document.addEventListener("click", (event) => {
    const element = event.target.closest("[data-do]");
    for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target) || element?.closest(".pop")) menu.open = false;
    if (element && !element.disabled) actions[element.dataset.do]?.(element.dataset, element, event);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.method === "dialog") return;
    event.preventDefault();
    forms[event.target.dataset.form]?.(event.target);
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && $("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    $("summary", menu).focus();
    event.stopImmediatePropagation();
  });
}

/** Shows an error of the API at its field, else where the form has a place for it; without one shows that all is well. */
export function showProblem(form, problem) {
  const name = problem?.field.split(".")[0];
  let shown = false;
  for (const one of $$("[data-field]", form)) {
    const bad = Boolean(problem) && one.dataset.field === name;
    const hint = $(".hint", one);
    hint.normal ??= hint.textContent;
    hint.textContent = bad ? problem.message : hint.normal;
    hint.classList.toggle("error", bad);
    $("input, textarea, select", one)?.setAttribute("aria-invalid", bad);
    shown ||= bad;
  }
  const rest = problem && !shown ? problem.message : "";
  const place = $(".errors", form);
  if (place) place.textContent = rest;
  else if (rest) say(rest);
}
