import { fill, html } from "./html.js";
export const inbox = { title: () => "inbox", render(main) { fill(main, html`<div class="page"><h1>inbox</h1></div>`); } };
