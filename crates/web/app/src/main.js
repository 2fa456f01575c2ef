// @ts-check
import { html, render } from "../vendor/lit-html/lit-html.js";

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
render(html`<p class="boot" role="status">tillgate</p>`, root);
