// Parts of the app that are loaded when they are first needed, and buttons that open a menu.
// The menu is loaded soon after the page.

import { html, icon, nothing, repaint, t } from "../core.js";
import { loadingPanel } from "./panel.js";
import { problemBox, skeleton, toastProblem } from "./small.js";

/** A panel whose module is loaded when it is first opened. @param {() => Promise<{load: (id: string | null) => Promise<void>, view: (id: string) => any}>} read */
export function lazyPanel(read) {
  /** @type {Awaited<ReturnType<typeof read>> | null} */
  let module = null;
  /** @type {unknown} */
  let error = null;
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
  const view = (/** @type {string} */ id) =>
    module ? module.view(id) : loadingPanel({ placeholder: () => (error ? problemBox(error, () => load(id)) : skeleton()) });
  return { load, view };
}

/**
 * Functions of a module that is loaded when the first of them is called. Their errors are reported.
 * @template {Record<string, any>} M
 * @param {() => Promise<M>} read
 * @returns {{[K in keyof M]: M[K] extends (...given: infer A) => any ? (...given: A) => Promise<void> : never}}
 */
export const lazyActions = (read) =>
  new Proxy(/** @type {any} */ ({}), {
    get: (_, name) => (/** @type {any[]} */ ...given) =>
      read().then((module) => module[/** @type {string} */ (name)](...given)).then(() => {}, toastProblem),
  });

const loadMenu = () => import("./menu.js");
const { openMenu } = lazyActions(loadMenu);
setTimeout(() => loadMenu().catch(() => {}), 1_000);

/**
 * A button that opens a menu. Without a `label`, what it shows is its name.
 * @param {() => App.MenuItem[]} items
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

/** A button with three dots that opens a menu; none without items. @param {() => App.MenuItem[]} items @param {string} [name] of what the menu is for */
export function menuButton(items, name) {
  const label = name ? t("actions_for", { name }) : t("actions");
  return items().some(Boolean) ? menuTrigger(items, { look: "icon-button", name: label, label }, icon("more")) : nothing;
}
