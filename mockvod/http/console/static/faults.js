import { fill, html } from "./html.js";
export const faults = { title: () => "faults", render(main) { fill(main, html`<div class="page"><h1>faults</h1></div>`); } };
