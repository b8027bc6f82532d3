// What happens on a click or a submit: elements name their action in data-do, forms in data-form.

import { $ } from "./html.js";

const actions = {};
const forms = {};

/** Registers actions by name: called with the element's dataset, the element and the event. */
export const onDo = (more) => Object.assign(actions, more);
export const onForm = (more) => Object.assign(forms, more);

let quiet;
/** Says in one line what the user's own action did. */
export function say(text) {
  const place = $("#said");
  place.textContent = text;
  place.classList.add("on");
  clearTimeout(quiet);
  quiet = setTimeout(() => place.classList.remove("on"), 4000);
}

export async function copy(text, what = "Copied") {
  try {
    await navigator.clipboard.writeText(text);
    say(what);
  } catch {
    say("The browser does not let this page copy.");
  }
}

/** Runs an action; an error of the API is said. */
export async function attempt(work) {
  try {
    return await work();
  } catch (problem) {
    say(problem.message);
    return undefined;
  }
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(except)) menu.open = false;
}

export function listen() {
  document.addEventListener("click", (event) => {
    const element = event.target.closest("[data-do]");
    closeMenus(element?.closest(".pop") ? null : event.target);
    if (element && !element.disabled) actions[element.dataset.do]?.(element.dataset, element, event);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.method === "dialog") return;
    event.preventDefault();
    forms[event.target.dataset.form]?.(event.target, event);
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && $("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    $("summary", menu).focus();
    event.stopImmediatePropagation();
  });
}

/** Asks before something that cannot be undone. Resolves to whether it was confirmed. */
export function confirmed(markup) {
  const dialog = $("#confirm");
  dialog.innerHTML = markup.text;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** Shows an error of the API at the field that it is about, else under the form. */
export function showError(form, problem) {
  clearErrors(form);
  const field = problem.field?.split(".")[0];
  const input = field && form.querySelector(`[name="${CSS.escape(field)}"]`);
  const place = (input && input.closest(".field")?.querySelector(".hint")) || form.querySelector(".errors");
  input?.setAttribute("aria-invalid", "true");
  input?.closest(".field")?.classList.add("bad");
  if (place) {
    place.dataset.hint ??= place.textContent;
    place.textContent = problem.message;
    place.classList.add("error");
  }
}

export function clearErrors(form) {
  for (const input of form.querySelectorAll("[aria-invalid=true]")) input.removeAttribute("aria-invalid");
  for (const field of form.querySelectorAll(".field.bad")) field.classList.remove("bad");
  for (const place of form.querySelectorAll(".error")) {
    place.textContent = place.dataset.hint ?? "";
    place.classList.remove("error");
  }
}
