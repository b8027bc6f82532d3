import { fill, html } from "./html.js";
export const emit = { title: () => "emit", render(main) { fill(main, html`<div class="page"><h1>emit</h1></div>`); } };
