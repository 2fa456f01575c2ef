// A page with a list and the panel of the item that is open, by its description.

import { atPlaceOf, can, href, html, icon, nothing, PERIODS, pickQuery, repaint, t, tn, withQuery } from "../core.js";
import { filterBar } from "./filters.js";
import { button, emptyBox, problemBox, skeleton } from "./small.js";
import { lazyActions, menuTrigger } from "./lazy.js";
import { table } from "./table.js";

export { lazyActions, lazyPanel } from "./lazy.js";
export { ListState } from "./list.js";

const { exportList } = lazyActions(() => import("../actions/exports.js"));

/** A menu with the exports of what a list shows, and other items. @param {import("./list.js").ListState} list @param {App.MenuItem[]} [more] */
export function exportButton(list, more = []) {
  const exports = () => ["csv", "jsonl"].map((format) => ({ label: t(`export.${format}`), icon: "download", run: () => exportList(list.path, format, list.query) }));
  return menuTrigger(() => [...exports(), ...more], { look: "button", name: t("export") }, html`${icon("download")}${t("export")}`);
}

/** Makes the page. @param {App.ListDescription} page @returns {App.Page} */
export function listPage(page) {
  const { list, panel, kinds, nameOf, rowClass, actions } = page;
  const addition = () => {
    const add = page.add?.();
    return add && can(add.right) ? add : undefined;
  };
  /** @param {App.Route} route */
  const view = (route) => {
    const add = addition();
    const end = html`${page.end?.(route)}${add ? button("plus", add.label, add.run, "primary") : nothing}`;
    const rowHref = (/** @type {any} */ item) => withQuery({ tab: null }, item.id);
    const isFiltered = [...route.query.keys()].some((name) => name !== "tab" && name !== "sort");
    const none = isFiltered ? undefined : page.empty?.();
    const empty = () => emptyBox(none ? { ...none, action: add } : { key: "list", clear: href(route.page, null, { store: null }) });
    const options = { columns: page.columns(), label: t(`nav.${route.page}`), openId: route.id, bulk: page.bulk?.(), rowHref, empty, nameOf, rowClass, actions };
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
  /** The parameters of the list, by those of the address. A period is one at the place of the device. @param {App.Route} route */
  const queryOf = (route) => {
    const names = [...page.filters().map(({ name }) => name), ...(page.also ?? []), ...(page.search ? ["search"] : [])];
    const { period, ...query } = pickQuery(route, names);
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

/** Renders a list of the API as a table, as far as it was read. @param {import("./list.js").ListState} list @param {App.TableOptions & {empty: () => any, bulk?: App.BulkAction[]}} options */
function listTable(list, { empty, bulk = [], ...options }) {
  if (list.error && !list.isLoaded) return problemBox(list.error, () => list.load(list.query));
  if (!list.isLoaded) return skeleton();
  if (list.items.length === 0) return empty();
  const { waiting } = list;
  return html`
    ${list.error ? problemBox(list.error, () => list.load(list.query, true)) : nothing}
    ${bulk.length && list.selected.size > 0 ? bulkBar(list, bulk) : nothing}
    ${waiting
      ? html`<p class="changes" role="status"><button class="button small" @click=${() => list.apply()}>${icon("rotate")}${tn("list.changes", waiting.changes)}</button></p>`
      : nothing}
    <div class="table-wrap ${list.error ? "stale" : ""}">
      ${table(list.items, { ...options, selection: bulk.length ? list : null, isBusy: list.isLoading })}
    </div>
    <p class="list-foot">
      <span class="muted">${tn("list.shown", list.items.length)}</span>
      ${list.next
        ? html`<button class="button" data-more ?disabled=${list.isReadingMore} @click=${() => list.more()}>${t("list.more")}</button>`
        : nothing}
    </p>`;
}

/** @param {import("./list.js").ListState} list @param {App.BulkAction[]} actions */
function bulkBar(list, actions) {
  const clear = () => {
    list.selected.clear();
    repaint();
  };
  return html`
    <div class="bulk" role="toolbar" aria-label=${t("list.selection")}>
      <strong>${tn("list.selected", list.selected.size)}</strong>
      ${actions.map(
        (action) => html`<button class="button small" @click=${() => action.run(list.items.filter((item) => list.selected.has(item.id)))}>
          ${icon(action.icon)}${action.label}</button>`,
      )}
      <button class="button small quiet" @click=${clear}>${t("list.clear")}</button>
    </div>`;
}

/** Reads the next page when a pointer has scrolled to the end. For a keyboard, the list has an end. */
function loadAtEnd() {
  const more = document.querySelector("[data-more]");
  if (more instanceof HTMLElement && more.getBoundingClientRect().top < innerHeight) more.click();
}

for (const kind of ["wheel", "touchmove"]) addEventListener(kind, loadAtEnd, { passive: true });
