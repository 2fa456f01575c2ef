// @ts-check
// The item that is open in the panel or on a page, with what its tabs read besides.

import { call, repaint } from "../core.js";
import { problemBox, skeleton } from "./small.js";

export class Detail {
  id = /** @type {string | null} */ (null);
  data = /** @type {any} */ (null);
  etag = /** @type {string | null} */ (null);
  error = /** @type {any} */ (null);
  extras = /** @type {Map<string, {value: any, error: any, isOld: boolean}>} */ (new Map());

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
      for (const name of [...this.extras.keys()]) this.extras.set(name, { ...this.get(name), isOld: true });
    } catch (error) {
      if (id === this.id) this.error = error;
    }
    repaint();
  }

  /** What to show as long as the item is not read. */
  placeholder() {
    return this.error ? problemBox(this.error, () => this.load(this.id)) : skeleton();
  }

  /** @param {string} name @returns {any} */
  get(name) {
    return this.extras.get(name) ?? { value: null, error: null };
  }

  /**
   * Returns what else belongs to the item; reads it when it is first needed and after each load.
   * @param {string} name
   * @param {() => Promise<any>} read
   * @returns {{value: any, error: any}}
   */
  extra(name, read) {
    const found = this.get(name);
    const isFirst = !this.extras.has(name);
    if (isFirst || found.isOld) {
      const entry = { ...found, isOld: false };
      this.extras.set(name, entry);
      const id = this.id;
      read()
        .then((value) => Object.assign(entry, { value, error: null }))
        .catch((error) => Object.assign(entry, { error }))
        .finally(() => id === this.id && repaint());
    }
    return this.get(name);
  }
}
