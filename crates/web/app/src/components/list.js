// @ts-check
// A list of the API as a table: pages, refreshing, selection, keyboard.

import { call } from "../api.js";
import { t, tn } from "../i18n.js";
import { html, nothing, repaint, repeat } from "../view.js";
import { icon } from "./icon.js";
import { menuButton } from "./menu.js";
import { problemBox, skeleton } from "./small.js";

const PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 200;

/** The items of a list as far as they were read. */
export class ListState {
  /** @param {string} path */
  constructor(path) {
    this.path = path;
    /** @type {any[]} */
    this.items = [];
    /** @type {string | null} */
    this.next = null;
    /** @type {unknown} */
    this.error = null;
    this.isLoaded = false;
    this.isLoading = false;
    /** @type {Record<string, any>} */
    this.query = {};
    /** @type {Set<string>} */
    this.selected = new Set();
    this.request = 0;
  }

  /**
   * Reads the first page.
   * @param {Record<string, any>} query
   * @param {boolean} [refresh] whether to read as many items as before
   */
  async load(query, refresh = false) {
    const isSame = JSON.stringify(query) === JSON.stringify(this.query);
    this.query = query;
    if (!isSame) this.selected.clear();
    const limit = refresh ? Math.min(MAX_PAGE_SIZE, Math.max(PAGE_SIZE, this.items.length)) : PAGE_SIZE;
    await this.#read({ ...query, limit }, (items) => items);
  }

  /** Reads the first page unless it is shown already. @param {Record<string, any>} query @param {boolean} refresh */
  async show(query, refresh) {
    const isShown = this.isLoaded && JSON.stringify(query) === JSON.stringify(this.query);
    if (!isShown || refresh) await this.load(query, refresh);
  }

  /** Reads the next page. */
  async more() {
    if (!this.next || this.isLoading) return;
    await this.#read({ ...this.query, limit: PAGE_SIZE, after: this.next }, (items) => [...this.items, ...items]);
  }

  /** @param {Record<string, any>} query @param {(items: any[]) => any[]} join */
  async #read(query, join) {
    this.request += 1;
    const request = this.request;
    this.isLoading = true;
    repaint();
    try {
      const { data } = await call("GET", this.path, { query });
      if (request !== this.request) return;
      Object.assign(this, { items: join(data.items), next: data.next, error: null, isLoaded: true });
    } catch (error) {
      if (request === this.request) this.error = error;
    } finally {
      if (request === this.request) this.isLoading = false;
      repaint();
    }
  }
}

/**
 * @typedef {{key: string, label: string, cell: (item: any) => any, class?: string}} Column
 * @typedef {{
 *   columns: Column[],
 *   label: string,
 *   rowHref: (item: any) => string,
 *   openId?: string | null,
 *   actions?: (item: any) => import("./menu.js").MenuItem[],
 *   rowClass?: (item: any) => string,
 *   empty: () => any,
 *   bulk?: {label: string, icon: string, danger?: boolean, run: (items: any[]) => void}[],
 * }} TableOptions
 */

/** Renders a list as a table whose rows open a panel. @param {ListState} list @param {TableOptions} options */
export function tableView(list, options) {
  const { columns, label, empty } = options;
  if (list.error && !list.isLoaded) return problemBox(list.error, () => list.load(list.query));
  if (!list.isLoaded) return skeleton();
  if (list.items.length === 0) return empty();
  const hasBulk = (options.bulk?.length ?? 0) > 0;
  return html`
    ${list.error ? problemBox(list.error, () => list.load(list.query, true)) : nothing}
    ${hasBulk && list.selected.size > 0 ? bulkBar(list, options) : nothing}
    <div class="table-wrap ${list.error ? "stale" : ""}">
      <table class="table" aria-label=${label} aria-busy=${String(list.isLoading)}>
        <thead>
          <tr>
            ${hasBulk ? html`<th class="check-cell">${selectAll(list)}</th>` : nothing}
            ${columns.map((column) => html`<th scope="col" class=${column.class ?? ""}>${column.label}</th>`)}
            ${options.actions ? html`<th class="menu-cell"><span class="visually-hidden">${t("actions")}</span></th>` : nothing}
          </tr>
        </thead>
        <tbody>${repeat(list.items, (item) => item.id, (item) => row(list, item, options, hasBulk))}</tbody>
      </table>
    </div>
    <p class="list-foot">
      <span class="muted">${tn("list.shown", list.items.length)}</span>
      ${list.next
        ? html`<button class="button" ?disabled=${list.isLoading} @click=${() => list.more()}>${t("list.more")}</button>`
        : nothing}
    </p>`;
}

/** @param {ListState} list @param {any} item @param {TableOptions} options @param {boolean} hasBulk */
function row(list, item, options, hasBulk) {
  const { columns, rowHref, openId, actions } = options;
  const toggle = () => {
    if (!list.selected.delete(item.id)) list.selected.add(item.id);
    repaint();
  };
  const open = (/** @type {MouseEvent} */ event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("a, button, input, label") || getSelection()?.toString()) return;
    /** @type {HTMLElement} */ (event.currentTarget).querySelector("a")?.click();
  };
  return html`
    <tr data-row=${item.id} class=${options.rowClass?.(item) ?? ""} aria-selected=${String(openId === item.id)} @click=${open}>
      ${hasBulk
        ? html`<td class="check-cell"><input type="checkbox" data-select aria-label=${t("list.select")}
            .checked=${list.selected.has(item.id)} @change=${toggle}></td>`
        : nothing}
      ${columns.map(
        (column, index) => html`<td class=${column.class ?? ""} data-label=${column.label}>
          ${index === 0 ? html`<a class="row-link" href=${rowHref(item)}>${column.cell(item)}</a>` : column.cell(item)}
        </td>`,
      )}
      ${actions
        ? html`<td class="menu-cell">${menuButton(() => actions(item))}</td>`
        : nothing}
    </tr>`;
}

/** @param {ListState} list */
function selectAll(list) {
  const toggle = (/** @type {Event} */ event) => {
    const { checked } = /** @type {HTMLInputElement} */ (event.target);
    list.selected = new Set(checked ? list.items.map((item) => item.id) : []);
    repaint();
  };
  const all = list.selected.size > 0 && list.selected.size === list.items.length;
  return html`<input type="checkbox" aria-label=${t("list.select_all")} .checked=${all} @change=${toggle}>`;
}

/** @param {ListState} list @param {TableOptions} options */
function bulkBar(list, options) {
  const chosen = () => list.items.filter((item) => list.selected.has(item.id));
  const clear = () => {
    list.selected.clear();
    repaint();
  };
  return html`
    <div class="bulk" role="toolbar" aria-label=${t("list.selection")}>
      <strong>${tn("list.selected", list.selected.size)}</strong>
      ${options.bulk?.map(
        (action) => html`<button class="button small ${action.danger ? "danger" : ""}" @click=${() => action.run(chosen())}>
          ${icon(action.icon)}${action.label}</button>`,
      )}
      <button class="button small quiet" @click=${clear}>${t("list.clear")}</button>
    </div>`;
}
