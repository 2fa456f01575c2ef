// Parts of the app that are loaded when they are first needed, and buttons that open a menu.
// The menu is loaded soon after the page.

import { html, icon, nothing, problemBox, repaint, skeleton, t, toastProblem } from "../core.js";
import { loadingPanel } from "./panel.js";

/** A panel whose module is loaded when it is first opened. */
export function lazyPanel(/** @type {() => Promise<App.ItemPanel>} */ read) {
  let module = /** @type {App.ItemPanel | null} */ (null);
  let error = /** @type {unknown} */ (null);
  const load = async (/** @type {string | null} */ id) => {
    try {
      if (id) module ??= await read();
      error = null;
      await module?.load(id);
    } catch (caught) {
      error = caught;
    }
    repaint();
  };
  const view = (/** @type {string} */ id) => {
    const placeholder = () => (error ? problemBox(error, () => load(id)) : skeleton());
    return module ? module.view(id) : loadingPanel({ placeholder });
  };
  return { load, view };
}

/** Functions of a module that is loaded when the first of them is called. Their errors are
 * reported. @template {App.Values} M @param {() => Promise<M>} read @returns {App.Acts<M>} */
export const lazyActions = (read) =>
  new Proxy(/** @type {any} */ ({}), {
    get: (_, name) => (/** @type {any[]} */ ...given) =>
      read().then((module) => module[/** @type {string} */ (name)](...given)).then(() => {}, toastProblem),
  });

const loadMenu = () => import("./menu.js");
const { openMenu } = lazyActions(loadMenu);
setTimeout(() => loadMenu().catch(() => {}), 1_000);

/** A button that opens a menu. Without a `label`, what it shows is its name.
 * @param {() => App.MenuItem[]} items
 * @param {App.MenuButton} options `name` is that of the menu
 * @param {any} content */
export function menuTrigger(items, { look, name, label, title }, content) {
  const open = (/** @type {Event} */ event) => {
    event.preventDefault();
    event.stopPropagation();
    openMenu(/** @type {HTMLElement} */ (event.currentTarget), items(), name);
  };
  return html`<button class=${look} aria-haspopup="menu" aria-expanded="false" aria-label=${label ?? nothing}
    title=${title ?? nothing} @click=${open}>${content}</button>`;
}

/** A button that opens the menu of a thing; none without items. @param {() => App.MenuItem[]} items
 * @param {string} [name] */
export function menuButton(items, name) {
  const label = name ? t("actions_for", { name }) : t("actions");
  return items().some(Boolean) ? menuTrigger(items, { look: "icon-button", name: label, label }, icon("more")) : nothing;
}
