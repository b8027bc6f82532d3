import { fill, html } from "./html.js";
export const queue = { title: () => "queue", render(main) { fill(main, html`<div class="page"><h1>queue</h1></div>`); } };
