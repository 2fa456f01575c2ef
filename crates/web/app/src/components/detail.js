// What is read for a page or a part of it, such as the item that is open with what its tabs need.

import { atPlaceOf, button, call, html, muted, problemBox, repaint, shop, skeleton, t } from "../core.js";
import { loadingPanel } from "./panel.js";

export { facts, panel } from "./panel.js";

/** What a page shows, and why it could not be read the last time. @template T */
export class PageData {
  value = /** @type {T | null} */ (null);
  error = /** @type {unknown} */ (null);
  /** Whether it is to be read again, or for the first time. */
  isOld = true;

  /** @param {() => Promise<T>} read */
  constructor(read) {
    this.read = read;
  }

  /** Reads it; after an error, the page keeps what it has. */
  async load() {
    this.isOld = false;
    try {
      Object.assign(this, { value: await this.read(), error: null });
    } catch (error) {
      this.error = error;
    }
    repaint();
  }

  /** The error, if there is one. */
  problem() {
    return this.error ? problemBox(this.error, () => this.load()) : undefined;
  }

  /** What to show as long as nothing is read. */
  placeholder() {
    return this.problem() ?? skeleton();
  }
}

/** A choice between a few views. @template {string} N @param {string} label
 * @param {readonly N[]} names @param {N} current @param {(name: N) => void} pick
 * @param {(name: N) => any} view */
export const segments = (label, names, current, pick, view) => html`
  <div class="segments" role="group" aria-label=${label}>${names.map((name) => html`
    <button aria-pressed=${String(name === current)} @click=${() => pick(name)}>${view(name)}</button>`)}
  </div>`;

/** What saving would change, and the buttons. @param {any} effect @param {() => void} cancel
 * @param {() => void} save */
export const saveBar = (effect, cancel, save) => html`
  <div class="save-bar" role="status">
    ${effect}<span class="fill"></span>
    <div class="row">
      ${button("", t("cancel"), cancel)}
      <button class="button primary" ?disabled=${shop.isActing} @click=${save}>${t("save")}</button>
    </div>
  </div>`;

/** The item that is open. */
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
      const { data, etag } = await call("GET", `${this.path}/${encodeURIComponent(id)}`);
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

  /** Returns what else belongs to the item; reads it when it is first needed and after each load.
   * @param {string} name @param {() => Promise<any>} read */
  extra(name, read) {
    const extra = this.extras.get(name) ?? new PageData(read);
    this.extras.set(name, extra);
    if (extra.isOld) extra.load();
    return extra;
  }

  /** Renders a list that belongs to the item as soon as it is read. @param {string} name
   * @param {() => Promise<any[]>} read @param {(items: any[]) => any} view */
  list(name, read, view) {
    const extra = this.extra(name, read);
    return extra.value ? view(extra.value) : extra.placeholder();
  }
}

/** The panel of an item of a list. @param {Detail} detail @param {(item: any) => any} view */
export const detailPanel = (detail, view, wide = false) => ({
  load: (/** @type {string | null} */ id) => detail.load(id),
  view: () => (detail.data ? atPlaceOf(detail.data, () => view(detail.data)) : loadingPanel(detail, wide)),
});

/** A part of a page of settings, with its title and text. @param {string} key @param {any} actions
 * @param {any} body */
export const section = (key, actions, body) => html`
  <section class="setting">
    <header><h2>${t(key)}</h2>${muted(t(`${key}.text`))}<div class="row">${actions}</div></header>
    <div>${body}</div>
  </section>`;
