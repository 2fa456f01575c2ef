// Keys of the keyboard. Single letters can be switched off (WCAG 2.1.4).

import { href, navigate } from "./core.js";
import { prefs } from "./prefs.js";

/** @type {App.KeyContext} */
export let context = { pages: [], page: () => ({}), help: () => {}, search: () => {} };
let awaitsPage = 0;

/** Starts to listen to keys. @param {typeof context} given */
export function startShortcuts(given) {
  context = given;
  document.addEventListener("keydown", onKey);
}

/** What the keys do in a list, and everywhere. @type {Record<string, () => void>} */
const ACTIONS = {
  j: () => moveRow(1),
  k: () => moveRow(-1),
  x: () => clickInRow("[data-select]"),
  m: () => clickInRow("[aria-haspopup=menu]"),
  "/": focusSearch,
  "?": () => context.help(),
  g: () => void (awaitsPage = Date.now()),
};

function onKey(/** @type {KeyboardEvent} */ event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
  if ((event.ctrlKey || event.metaKey) && event.key === "k") return run(event, context.search);
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  if (event.key === "Escape") return closePanel(event);
  if (target.closest("input:not([type=checkbox]), select, textarea, [role=menu]")) return undefined;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const move = event.key === "ArrowDown" ? ACTIONS.j : ACTIONS.k;
    return target.closest("[data-row]") ? run(event, move) : undefined;
  }
  if (!prefs.keys) return undefined;
  if (Date.now() - awaitsPage < 1_500) {
    awaitsPage = 0;
    const page = context.pages.find(({ key }) => key === event.key);
    if (page) return run(event, () => navigate(href(page.id)));
  }
  const action = context.page()[event.key]?.run ?? ACTIONS[event.key];
  return action ? run(event, action) : undefined;
}

function run(/** @type {KeyboardEvent} */ event, /** @type {() => void} */ action) {
  event.preventDefault();
  action();
}

/** Goes to the search of the list, or to that of everything on a page without one. */
function focusSearch() {
  const search = document.getElementById("search");
  if (!(search instanceof HTMLInputElement)) return context.search();
  search.focus();
  search.select();
}

function closePanel(/** @type {KeyboardEvent} */ event) {
  const close = /** @type {HTMLElement | null} */ (document.querySelector(".panel [data-close]"));
  const open = document.querySelector("[data-row][aria-selected=true] a");
  if (!close) return /** @type {HTMLElement} */ (event.target).blur?.();
  event.preventDefault();
  close.click();
  setTimeout(() => /** @type {HTMLElement | null} */ (open)?.focus(), 30);
}

/** The row with the focus, or the one that is open. */
const currentRow = () =>
  document.activeElement?.closest("[data-row]") ?? document.querySelector("[data-row][aria-selected=true]");
export const currentRowId = () => currentRow()?.getAttribute("data-row") ?? null;

/** @param {string} selector */
const clickInRow = (selector) => /** @type {HTMLElement | null | undefined} */ (currentRow()?.querySelector(selector))?.click();

function moveRow(/** @type {number} */ step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const at = rows.indexOf(/** @type {Element} */ (currentRow()));
  const row = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step))];
  /** @type {HTMLElement | null} */ (row?.querySelector("a"))?.focus();
}
