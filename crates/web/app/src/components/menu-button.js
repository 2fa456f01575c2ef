// @ts-check
// Buttons that open a menu. The menu is loaded soon after the page.

import { html, icon, nothing, t } from "../core.js";
import { lazyActions } from "./lazy.js";

const loadMenu = () => import("./menu.js");
const { openMenu } = lazyActions(loadMenu);
setTimeout(() => loadMenu().catch(() => {}), 1_000);

/** @typedef {import("./menu.js").MenuItem} MenuItem */

/**
 * A button that opens a menu. Without a `label`, what it shows is its name.
 * @param {() => MenuItem[]} items
 * @param {{look: string, name: string, label?: string, title?: string}} options the classes of the button, and the name of the menu
 * @param {any} content
 */
export function menuTrigger(items, { look, name, label, title }, content) {
  const open = (/** @type {Event} */ event) => {
    event.preventDefault();
    event.stopPropagation();
    openMenu(/** @type {HTMLElement} */ (event.currentTarget), items(), name);
  };
  return html`<button class=${look} aria-haspopup="menu" aria-expanded="false" aria-label=${label ?? nothing} title=${title ?? nothing}
    @click=${open}>${content}</button>`;
}

/** A button with three dots that opens a menu. @param {() => MenuItem[]} items @param {string} [label] */
export const menuButton = (items, label = t("actions")) => menuTrigger(items, { look: "icon-button", name: label, label }, icon("more"));
