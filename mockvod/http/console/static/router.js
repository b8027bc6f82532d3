// The address of the page: `#/events/evt_000001?state=failed&app=0&account=AKID…`. Everything chosen is in it.

import { setFilter, state } from "./store.js";

export const VIEWS = ["events", "queue", "inbox", "faults", "diagnosis", "report", "settings", "emit"];
const FILTERS = { state: "state", type: "type", app: "app", q: "text" };

/** The address of a view; what is chosen beside it stays. */
export function link(name, id = "", filter = state.filter) {
  const query = new URLSearchParams();
  for (const [key, member] of Object.entries(FILTERS)) if (filter[member] !== "") query.set(key, filter[member]);
  if (state.account) query.set("account", state.account);
  const text = query.toString();
  return `#/${name}${id ? `/${encodeURIComponent(id)}` : ""}${text ? `?${text}` : ""}`;
}

/** Reads the address into the state. Returns {account, view}: whether the account or the view is another one. */
export function readAddress() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, id = ""] = path.split("/").map(decodeURIComponent);
  const params = new URLSearchParams(query);
  const before = { ...state.view, account: state.account };
  state.account = params.get("account") ?? "";
  state.view = { name: VIEWS.includes(name) ? name : "events", id };
  const filter = Object.fromEntries(Object.entries(FILTERS).map(([key, member]) => [member, params.get(key) ?? ""]));
  if (Object.entries(filter).some(([member, value]) => state.filter[member] !== value)) setFilter(filter);
  return { account: before.account !== state.account, view: before.name !== state.view.name };
}

export function go(name, id = "", { replace = false } = {}) {
  const address = link(name, id);
  if (location.hash === address) return;
  if (replace) {
    history.replaceState(null, "", address);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = address;
  }
}

/** Changes the filter, here and in the address. */
export function filterBy(changes) {
  setFilter(changes);
  history.replaceState(null, "", link(state.view.name, state.view.id));
}
