import { fill, html } from "./html.js";
export const report = { title: () => "report", render(main) { fill(main, html`<div class="page"><h1>report</h1></div>`); } };
