// The address of the page: `#/events/evt_000001?state=failed&app=0&account=AKID…`. Everything chosen is in it.

import { setFilter, state } from "./store.js";

const VIEWS = "events queue inbox faults diagnosis report settings emit".split(" ");
const FILTERS = { state: "state", type: "type", app: "app", q: "text" };

/** The address of a view; the filter and the account stay. */
export const link = (name, id) => address(name, id, { ...state.filter, account: state.account });
/** The address of a view of another account, without a filter. */
export const accountLink = (account, name = "events") => address(name, "", { account });

function address(name, id = "", chosen) {
  const keys = Object.entries({ ...FILTERS, account: "account" });
  const query = new URLSearchParams(keys.map(([key, member]) => [key, chosen[member] ?? ""]).filter(([, value]) => value !== "")).toString();
  return `#/${name}${id && `/${encodeURIComponent(id)}`}${query && `?${query}`}`;
}

/** Reads the address into the state. Returns whether the account and the view are others than before. */
export function readAddress() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, id = ""] = path.split("/").map(decodeURIComponent);
  const params = new URLSearchParams(query);
  const before = [state.account, state.view.name];
  state.account = params.get("account") ?? "";
  state.view = { name: VIEWS.includes(name) ? name : "events", id };
  const filter = Object.entries(FILTERS).map(([key, member]) => [member, params.get(key) ?? ""]);
  if (filter.some(([member, value]) => state.filter[member] !== value)) setFilter(Object.fromEntries(filter));
  return { account: before[0] !== state.account, view: before[1] !== state.view.name };
}

/** Goes to an address of the page. The view is drawn when this returns, so that every link is right for the next click. */
export function visit(place, replace = false) {
  history[replace || place === location.hash ? "replaceState" : "pushState"](null, "", place);
  dispatchEvent(new Event("hashchange"));
}

export const go = (name, id = "", replace = false) => visit(link(name, id), replace);

/** Changes the filter, here and in the address. */
export function filterBy(changes) {
  setFilter(changes);
  history.replaceState(null, "", link(state.view.name, state.view.id));
}
