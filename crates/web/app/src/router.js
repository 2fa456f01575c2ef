// The page that the address names, and moves between pages.

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

/** The parameters with these names, as far as the address has them. @param {App.Route} route @param {string[]} names */
export const pickQuery = ({ query }, names) => Object.fromEntries(names.map((name) => [name, query.get(name) ?? undefined]));

/** Returns the address of a page. The store that the person selected stays selected. @param {string} page @param {string | null} [id] @param {Record<string, string | null | undefined>} [query] */
export function href(page, id, query = {}) {
  const parameters = new URLSearchParams();
  const store = new URLSearchParams(location.search).get("store");
  for (const [name, value] of Object.entries({ store, ...query })) if (value) parameters.set(name, value);
  const search = parameters.toString();
  return `${prefix}/${page}${id ? `/${encodeURIComponent(id)}` : ""}${search ? `?${search}` : ""}`;
}

/** The current address with other parameters; null removes one. @param {Record<string, string | null>} change @param {string | null} [id] the item that is open; unchanged if omitted */
export function withQuery(change, id) {
  const { page, id: open, query } = currentRoute();
  const all = { ...Object.fromEntries(query), ...change };
  return href(page, id === undefined ? open : id, { ...all, store: all.store ?? null });
}

/** Goes to an address of the back office. @param {string} address @param {{replace?: boolean}} [options] */
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
