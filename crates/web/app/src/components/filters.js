// @ts-check
// Filters of a list. They are part of the address, so that a link shows what one sees.

import { directory } from "../directory.js";
import { t } from "../i18n.js";
import { can } from "../rights.js";
import { currentRoute, navigate, withQuery } from "../router.js";
import { html, live, nothing } from "../view.js";
import { icon } from "./icon.js";

/** @typedef {{name: string, label: string, options: {value: string, label: string}[]}} Filter */

let searchTimer = 0;
/** What is typed but not searched yet. @type {string | null} */
let typed = null;

/** A bar with a search field and selections. @param {{search?: string, filters?: Filter[], end?: any}} options */
export function filterBar({ search, filters = [], end = nothing }) {
  const { query } = currentRoute();
  const set = (/** @type {string} */ name, /** @type {string} */ value) =>
    navigate(withQuery({ [name]: value || null }, null), { replace: true });
  const type = (/** @type {Event} */ event) => {
    const { value } = /** @type {HTMLInputElement} */ (event.target);
    typed = value;
    clearTimeout(searchTimer);
    searchTimer = setTimeout(() => {
      typed = null;
      set("search", value);
    }, 200);
  };
  const active = filters.some((filter) => query.get(filter.name)) || query.get("search");
  return html`
    <div class="filters" role="search">
      ${search
        ? html`<label class="search">${icon("search")}<input type="search" id="search" placeholder=${search}
            aria-label=${search} .value=${live(typed ?? query.get("search") ?? "")} @input=${type}></label>`
        : nothing}
      ${filters.map((filter) => {
        const value = query.get(filter.name) ?? "";
        return html`<select aria-label=${filter.label} class=${value ? "active" : ""}
          @change=${(/** @type {any} */ event) => set(filter.name, event.target.value)}>
          <option value="" .selected=${live(!value)}>${filter.label}</option>
          ${filter.options.map(
            (option) => html`<option value=${option.value} .selected=${live(option.value === value)}>${option.label}</option>`,
          )}
        </select>`;
      })}
      ${active ? html`<a class="button quiet" href=${clearHref(filters)}>${t("filter.clear")}</a>` : nothing}
      <span class="fill"></span>
      ${end}
    </div>`;
}

/** The filters by person and by device. @returns {Filter[]} */
export const whoFilters = () => [
  ...(can("userRead") ? [{ name: "user", label: t("field.user"), options: directory("users").map(({ id, display_name: name }) => ({ value: id, label: name })) }] : []),
  { name: "device", label: t("field.device"), options: directory("devices").map(({ id, name }) => ({ value: id, label: name })) },
];

/** @param {Filter[]} filters */
const clearHref = (filters) =>
  withQuery({ search: null, ...Object.fromEntries(filters.map((filter) => [filter.name, null])) }, null);
