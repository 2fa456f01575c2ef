// @ts-check
import { assets } from "../base.js";
import { html } from "../view.js";

/** A symbol of the sprite. It is decoration: the control has its own name. @param {string} name */
export const icon = (name) =>
  html`<svg class="icon" aria-hidden="true"><use href="${assets}icons.svg#${name}"></use></svg>`;
