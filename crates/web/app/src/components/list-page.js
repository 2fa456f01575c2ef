// A page with a list and the panel of the item that is open, by its description.

import { atPlaceOf, button, can, currentRoute, directory, emptyBox, href, html, icon, lazyActions, live, menuTrigger, navigate,
  nothing, optionViews, peopleOptions, PERIODS, problemBox, repaint, skeleton, t, tn, valueOf, withQuery,
  wordOptions } from "../core.js";
import { table } from "./table.js";

export { ListState } from "./list.js";
export { column } from "./table.js";

const { exportList } = lazyActions(() => import("../actions/exports.js"));

/** A menu with the exports of what a list shows, and other items. @param {App.List} list
 * @param {App.MenuItem[]} more */
export function exportButton(list, ...more) {
  const item = (/** @type {string} */ format) =>
    ({ label: t(`export.${format}`), icon: "download", run: () => exportList(list.path, format, list.query) });
  const items = () => [item("csv"), item("jsonl"), ...more];
  return menuTrigger(items, { look: "button", name: t("export") }, html`${icon("download")}${t("export")}`);
}

/** Makes the page. @param {App.ListDescription} page @returns {App.Page} */
export function listPage(page) {
  const { list, panel, kinds } = page;
  const addition = () => {
    const add = page.add?.();
    return add && can(add.right) ? add : undefined;
  };
  const view = (/** @type {App.Route} */ route) => {
    const add = addition();
    const end = html`${page.end?.(route)}${add ? button("plus", add.label, add.run, "primary") : nothing}`;
    const isFiltered = [...route.query.keys()].some((name) => name !== "tab" && name !== "sort");
    const none = isFiltered ? undefined : page.empty?.();
    const options = {
      ...page,
      columns: page.columns(),
      label: t(`nav.${route.page}`),
      openId: route.id,
      bulk: page.bulk?.().filter((action) => action !== false),
      rowHref: (/** @type {any} */ item) => withQuery({ tab: null }, item.id),
      empty: () => emptyBox(none ? { ...none, action: add } : { key: "list", clear: href(route.page, null, { store: null }) }),
    };
    return html`
      <div class="split">
        <div class="page">
          ${page.head?.(route)}
          ${filterBar({ search: page.search?.(), filters: page.filters(), end })}
          ${listTable(list, options)}
        </div>
        ${route.id ? panel.view(route.id) : nothing}
      </div>`;
  };
  /** The parameters of the list. A period is one at the place of the device. */
  const queryOf = (/** @type {App.Route} */ route) => {
    const names = [...page.filters().map(({ name }) => name), ...(page.also ?? []), ...(page.search ? ["search"] : [])];
    const { period, ...query } = Object.fromEntries(names.map((name) => [name, route.query.get(name) ?? undefined]));
    const bounds = atPlaceOf({ device: { id: query.device } }, () => PERIODS[period ?? ""]?.());
    return { ...query, sort: query.sort ?? page.sort, ...bounds, ...page.query?.(route) };
  };
  /** @type {App.Page["load"]} */
  const load = async (route, refresh) => {
    await Promise.all([list.show(queryOf(route), refresh), panel.load(route.id)]);
  };
  const keys = () => {
    const add = addition();
    return { ...(add ? { n: add } : {}), ...page.keys?.() };
  };
  return { kinds, load, view, keys };
}

/** Renders a list of the API as a table, as far as it was read. @param {App.List} list
 * @param {App.TableOptions & {empty: () => any, bulk?: App.BulkAction[]}} options */
function listTable(list, { empty, bulk = [], ...options }) {
  if (list.error && !list.isLoaded) return problemBox(list.error, () => list.load(list.query));
  if (!list.isLoaded) return skeleton();
  if (list.items.length === 0) return empty();
  const { waiting } = list;
  const apply = () => list.apply();
  const more = () => list.more();
  return html`
    ${list.error ? problemBox(list.error, () => list.load(list.query, true)) : nothing}
    ${bulk.length && list.selected.size > 0 ? bulkBar(list, bulk) : nothing}
    ${waiting
      ? html`<p class="changes" role="status">${button("rotate", tn("list.changes", waiting.changes), apply, "small")}</p>`
      : nothing}
    <div class="table-wrap ${list.error ? "stale" : ""}">
      ${table(list.items, { ...options, selection: bulk.length ? list : null, isBusy: list.isLoading })}
    </div>
    <p class="list-foot">
      <span class="muted">${tn("list.shown", list.items.length)}</span>
      ${list.next
        ? html`<button class="button" data-more ?disabled=${list.isReadingMore} @click=${more}>${t("list.more")}</button>`
        : nothing}
    </p>`;
}

function bulkBar(/** @type {App.List} */ { items, selected }, /** @type {App.BulkAction[]} */ actions) {
  const chosen = () => items.filter(({ id }) => selected.has(id));
  return html`
    <div class="bulk" role="toolbar" aria-label=${t("list.selection")}>
      <strong>${tn("list.selected", selected.size)}</strong>
      ${actions.map(({ icon: symbol, label, run }) => button(symbol, label, () => run(chosen()), "small"))}
      ${button("", t("list.clear"), () => (selected.clear(), repaint()), "small quiet")}
    </div>`;
}

let searchTimer = 0;
/** What is typed but not searched yet. @type {string | null} */
let typed = null;

/** A bar with a search field and selections. */
export function filterBar(/** @type {{search?: string, filters: App.Filter[], end: any}} */ { search, filters, end }) {
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
  const none = Object.fromEntries(names.map((name) => [name, null]));
  return html`
    <div class="filters" role="search">
      ${search
        ? html`<label class="search">${icon("search")}<input type="search" id="search" placeholder=${search}
            aria-label=${search} .value=${live(typed ?? query.get("search") ?? "")} @input=${type}></label>`
        : nothing}
      ${filters.map(({ name, label, options }) => {
        const value = query.get(name) ?? "";
        const pick = (/** @type {Event} */ event) => set(name, valueOf(event));
        return html`<select aria-label=${label} class=${value ? "active" : ""} @change=${pick}>
          ${optionViews([{ value: "", label }, ...options], value)}</select>`;
      })}
      ${names.some((name) => query.get(name))
        ? html`<a class="button quiet" href=${withQuery(none, null)}>${t("filter.clear")}</a>`
        : nothing}
      <span class="fill"></span>
      ${end}
    </div>`;
}

/** A filter by the words of an enumeration. @param {string} name @param {string} label
 * @param {string} group @param {string[]} words */
export const wordFilter = (name, label, group, words) => ({ name, label, options: wordOptions(group, words) });
export const periodFilter = () => wordFilter("period", t("period.all"), "period", Object.keys(PERIODS));

/** The filters by person, with its name and label, and by device. @returns {App.Filter[]} */
export const whoFilters = (user = "user", label = t("field.user")) => [
  ...(can("userRead") ? [{ name: user, label, options: peopleOptions() }] : []),
  { name: "device", label: t("field.device"), options: directory("devices").map(({ id, name }) => ({ value: id, label: name })) },
];

/** Reads the next page when a pointer has scrolled to the end. With keys, the list has an end. */
function loadAtEnd() {
  const more = document.querySelector("[data-more]");
  if (more instanceof HTMLElement && more.getBoundingClientRect().top < innerHeight) more.click();
}

for (const kind of ["wheel", "touchmove"]) addEventListener(kind, loadAtEnd, { passive: true });
