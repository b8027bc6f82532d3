import { fill, html } from "./html.js";
export const diagnosis = { title: () => "diagnosis", render(main) { fill(main, html`<div class="page"><h1>diagnosis</h1></div>`); } };
