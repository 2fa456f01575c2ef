// @ts-check
import { compareNames, html, word } from "../core.js";

/** Rights by name, each with the roles that give it. @param {Map<string, string[]>} rights */
export const rightsList = (rights) => html`
  <ul class="rights">${[...rights].sort(([a], [b]) => compareNames(word("right", a), word("right", b))).map(
    ([right, roles]) => html`<li>${word("right", right)} <span class="faint">${roles.join(", ")}</span></li>`,
  )}</ul>`;
