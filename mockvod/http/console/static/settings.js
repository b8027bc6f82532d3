import { fill, html } from "./html.js";
export const settings = { title: () => "settings", render(main) { fill(main, html`<div class="page"><h1>settings</h1></div>`); } };
