// The view of events: the list, and beside it the one that is selected. Before the first event it teaches.

import { onDo } from "./actions.js";
import { $, fill, html, put } from "./html.js";
import { detailMarkup, drawPicture, loadDetail, tickDetail } from "./detail.js";
import { drawList, holdIfAway, listMarkup, mountList, neighbour, reveal, showNew, tickAges } from "./list.js";
import { filterBy, go, link } from "./router.js";
import { loadedCount, rowAt, state } from "./store.js";
import { welcome } from "./welcome.js";

let wide = matchMedia("(min-width: 60.01rem)");

const isEmpty = () => state.loaded && !loadedCount() && !state.view.id;

export const events = {
  title: () => state.view.id || "Events",
  render(main) {
    if (isEmpty()) {
      fill(main, welcome());
      return;
    }
    main.filled = undefined;
    main.innerHTML = put(html`<div class="split"><h1 class="vh">Events</h1>${listMarkup()}${detailMarkup()}</div>`);
    mountList();
    this.moved();
  },
  /** Another event is selected, or none. */
  moved() {
    if (!$(".split")) {
      this.render($("#main"));
      return;
    }
    $(".split").dataset.open = Boolean(state.view.id);
    selectFirst();
    drawList();
    reveal(state.view.id);
    loadDetail();
  },
  changed(parts) {
    if (parts.has("rows")) {
      if (isEmpty() !== !$(".split")) {
        this.render($("#main"));
        return;
      }
      holdIfAway();
      selectFirst();
      drawList();
    }
    if (parts.has("config") || parts.has("clock")) drawPicture();
  },
  entry(entry) {
    if (entry.event === state.view.id) loadDetail();
    if (entry.what === "reset" && state.view.id) go("events");
  },
  tick(seconds) {
    tickDetail();
    if (seconds) tickAges();
  },
};

/** Where there is room for both, the newest event is beside the list without having been chosen. */
function selectFirst() {
  if (state.view.id || !wide.matches || !$(".split")) return;
  const first = rowAt(0);
  if (first && !$("#story")) {
    state.view.id = first.id;
    history.replaceState(null, "", link("events", first.id));
    $(".split").dataset.open = true;
    document.title = `${first.id} · mockvod`;
    loadDetail();
  }
}

export function move(by) {
  const row = neighbour(by);
  if (row) go("events", row.id, { replace: Boolean(state.view.id) });
}

onDo({
  open: ({ id }) => go("events", id),
  unfilter: ({ name }) => filterBy({ [name]: "" }),
  "clear-filter": () => filterBy({ state: "", type: "", app: "", text: "" }),
  follow: () => {
    state.follow = !state.follow;
    if (state.follow) showNew();
    else holdIfAway();
    drawList();
  },
  "show-new": showNew,
});

