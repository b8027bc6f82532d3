// The view of events: the list, and beside it the one that is selected. Before the first event it teaches.

import { onDo } from "./actions.js";
import { loadDetail, redraw, tickDetail } from "./detail.js";
import { $, fill, html } from "./html.js";
import { drawList, listMarkup, mountList, neighbour, reveal, tickAges } from "./list.js";
import { go } from "./router.js";
import { list, loadedCount, state } from "./store.js";
import { welcome } from "./welcome.js";

const roomForBoth = matchMedia("(min-width: 60.01rem)");
const isEmpty = () => state.loaded && !loadedCount() && !state.view.id;

export const events = {
  title: () => state.view.id || "Events",
  render(main) {
    main.filled = ""; // what is there is not the same list any more
    fill(main, isEmpty() ? welcome() : html`<div class="split"><h1 class="vh">Events</h1>${listMarkup}
      <section class="detail-pane" id="detail" aria-label="Event" tabindex="-1"></section></div>`);
    if (isEmpty()) return;
    mountList();
    this.moved();
  },
  /** Another event is selected, or none. */
  moved() {
    if (!$(".split")) return this.render($("#main"));
    $(".split").dataset.open = Boolean(state.view.id);
    drawList();
    if (state.view.id) reveal();
    selectFirst();
    return loadDetail();
  },
  changed(parts) {
    if (parts.has("rows")) {
      if (isEmpty() === Boolean($(".split"))) return this.render($("#main"));
      drawList();
      selectFirst();
    }
    if (parts.has("connection") && state.connection.kind === "live") loadDetail();
    return ["config", "journal"].some((part) => parts.has(part)) && redraw();
  },
  entry(entry) {
    if (entry.event === state.view.id) loadDetail();
    if (entry.what === "reset" && state.view.id) go("events");
  },
  tick(isSecond) {
    tickDetail();
    if (isSecond) tickAges();
  },
};

/** Where there is room for both, the newest event is beside the list without having been chosen. */
function selectFirst() {
  if (!state.view.id && roomForBoth.matches && list().length) go("events", list().at(0).id, true);
}

export function move(by) {
  const row = neighbour(by);
  if (row) go("events", row.id, Boolean(state.view.id));
}

onDo({ open: ({ id }) => go("events", id) });
