// The page that the address names, and moves between pages.

import { toQuery } from "./api.js";
import { prefix } from "./base.js";

/** @type {(route: App.Route) => void} */
let listener = () => {};
/** The address that is shown. */
let shown = "";

/** @returns {App.Route} */
export function currentRoute() {
  const [page = "", id = ""] = location.pathname.slice(prefix.length).split("/").filter(Boolean);
  return { page: page || "tills", id: id ? decodeURIComponent(id) : null, query: new URLSearchParams(location.search) };
}

/** Returns the address of a page. The store that the person selected stays selected.
 * @param {string} page @param {string | null} [id] @param {App.Parameters} [query] */
export function href(page, id, query) {
  const store = new URLSearchParams(location.search).get("store");
  return `${prefix}/${page}${id ? `/${encodeURIComponent(id)}` : ""}${toQuery({ store, ...query })}`;
}

/** The current address with other parameters; null removes one. @param {App.Parameters} change
 * @param {string | null} [id] the item that is open; unchanged if omitted */
export function withQuery(change, id) {
  const { page, id: open, query } = currentRoute();
  const all = { ...Object.fromEntries(query), ...change };
  return href(page, id === undefined ? open : id, { ...all, store: all.store ?? null });
}

/** Goes to an address of the back office. @param {string} address */
export function navigate(address, { replace = false } = {}) {
  if (replace) history.replaceState(null, "", address);
  else if (address !== location.pathname + location.search) history.pushState(null, "", address);
  show();
}

function show() {
  shown = location.pathname + location.search;
  listener(currentRoute());
}

/** Leaves the dialog that is open as its Esc key does; returns whether there is one. */
function leaveDialog() {
  const dialog = [...document.querySelectorAll("dialog")].at(-1);
  if (dialog?.dispatchEvent(new Event("cancel", { cancelable: true }))) dialog.close();
  return dialog !== undefined;
}

/** Starts to follow the address. @param {(route: App.Route) => void} follow */
export function startRouter(follow) {
  listener = follow;
  // with a dialog open, the page behind it stays
  addEventListener("popstate", () => (leaveDialog() ? history.pushState(null, "", shown) : show()));
  document.addEventListener("click", (event) => {
    const link = /** @type {HTMLElement} */ (event.target).closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || link.target || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || !link.pathname.startsWith(`${prefix}/`)) return;
    if (/\/(api|a|sign-in|sign-out|signed-out)(\/|$)/.test(link.pathname.slice(prefix.length))) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
  show();
}
