// The item that is open in the panel or on a page, with what its tabs read besides.

import { atPlaceOf, call, html, repaint, t } from "../core.js";
import { PageData } from "./page-data.js";
import { loadingPanel } from "./panel.js";
import { problemBox, skeleton } from "./small.js";

export { facts, panel } from "./panel.js";

export class Detail {
  id = /** @type {string | null} */ (null);
  data = /** @type {any} */ (null);
  etag = /** @type {string | null} */ (null);
  error = /** @type {any} */ (null);
  extras = /** @type {Map<string, PageData<any>>} */ (new Map());

  /** @param {string} path */
  constructor(path) {
    this.path = path;
  }

  /** Reads the item; null closes it. @param {string | null} id */
  async load(id) {
    if (id !== this.id) Object.assign(this, { id, data: null, etag: null, error: null, extras: new Map() });
    if (!id) return;
    try {
      const { data, etag } = await call("GET", `${this.path}/${id}`);
      if (id === this.id) Object.assign(this, { data, etag, error: null });
      for (const extra of this.extras.values()) extra.isOld = true;
    } catch (error) {
      if (id === this.id) this.error = error;
    }
    repaint();
  }

  /** What to show as long as the item is not read. */
  placeholder() {
    return this.error ? problemBox(this.error, () => this.load(this.id)) : skeleton();
  }

  /** Returns what else belongs to the item; reads it when it is first needed and after each load. @param {string} name @param {() => Promise<any>} read */
  extra(name, read) {
    const extra = this.extras.get(name) ?? new PageData(read);
    this.extras.set(name, extra);
    if (extra.isOld) extra.load();
    return extra;
  }

  /** Renders a list that belongs to the item as soon as it is read. @param {string} name @param {() => Promise<any[]>} read @param {(items: any[]) => any} view */
  list(name, read, view) {
    const extra = this.extra(name, read);
    return extra.value ? view(extra.value) : extra.placeholder();
  }
}

/** The panel of an item that a list shows: how it is read and rendered. @param {Detail} detail @param {(item: any) => any} view @param {boolean} [wide] */
export const detailPanel = (detail, view, wide) => ({
  load: (/** @type {string | null} */ id) => detail.load(id),
  view: () => (detail.data ? atPlaceOf(detail.data, () => view(detail.data)) : loadingPanel(detail, wide)),
});

/** A part of a page of settings, beside what it is. @param {string} key of its title and its text @param {any} actions @param {any} body */
export const section = (key, actions, body) => html`
  <section class="setting">
    <header><h2>${t(key)}</h2><p class="muted">${t(`${key}.text`)}</p><div class="row">${actions}</div></header>
    <div>${body}</div>
  </section>`;
