// Filters of a list. They are part of the address, so that a link shows what one sees.

import { can, currentRoute, directory, html, icon, live, navigate, nothing, peopleOptions, t, valueOf, withQuery } from "../core.js";
import { optionViews } from "./small.js";

let searchTimer = 0;
/** What is typed but not searched yet. @type {string | null} */
let typed = null;

/** A bar with a search field and selections. @param {{search?: string, filters?: App.Filter[], end?: any}} options */
export function filterBar({ search, filters = [], end = nothing }) {
  const { query } = currentRoute();
  const set = (/** @type {string} */ name, /** @type {string} */ value) =>
    navigate(withQuery({ [name]: value || null }, null), { replace: true });
  const type = (/** @type {Event} */ event) => {
    const value = valueOf(event);
    typed = value;
    clearTimeout(searchTimer);
    searchTimer = setTimeout(() => {
      typed = null;
      set("search", value);
    }, 200);
  };
  const names = ["search", ...filters.map(({ name }) => name)];
  return html`
    <div class="filters" role="search">
      ${search
        ? html`<label class="search">${icon("search")}<input type="search" id="search" placeholder=${search}
            aria-label=${search} .value=${live(typed ?? query.get("search") ?? "")} @input=${type}></label>`
        : nothing}
      ${filters.map(({ name, label, options }) => {
        const value = query.get(name) ?? "";
        return html`<select aria-label=${label} class=${value ? "active" : ""} @change=${(/** @type {Event} */ event) => set(name, valueOf(event))}>
          ${optionViews([{ value: "", label }, ...options], value)}</select>`;
      })}
      ${names.some((name) => query.get(name))
        ? html`<a class="button quiet" href=${withQuery(Object.fromEntries(names.map((name) => [name, null])), null)}>${t("filter.clear")}</a>`
        : nothing}
      <span class="fill"></span>
      ${end}
    </div>`;
}

/** The filters by person and by device. @param {string} [user] the name of the first @param {string} [label] @returns {App.Filter[]} */
export const whoFilters = (user = "user", label = t("field.user")) => [
  ...(can("userRead") ? [{ name: user, label, options: peopleOptions() }] : []),
  { name: "device", label: t("field.device"), options: directory("devices").map(({ id, name }) => ({ value: id, label: name })) },
];
