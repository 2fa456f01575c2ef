// What is read for a page or a part of it, and parts of pages that are no list.

import { html, repaint, t } from "../core.js";
import { shop } from "../shop.js";
import { problemBox, skeleton } from "./small.js";

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

/** A choice between a few views. @template {string} N @param {string} label @param {readonly N[]} names @param {N} current @param {(name: N) => void} pick @param {(name: N) => any} view */
export const segments = (label, names, current, pick, view) => html`
  <div class="segments" role="group" aria-label=${label}>
    ${names.map((name) => html`<button aria-pressed=${String(name === current)} @click=${() => pick(name)}>${view(name)}</button>`)}
  </div>`;

/** What saving would change, and the buttons for it. @param {any} effect @param {() => void} cancel @param {() => void} save */
export const saveBar = (effect, cancel, save) => html`
  <div class="save-bar" role="status">
    ${effect}<span class="fill"></span>
    <div class="row">
      <button class="button" @click=${cancel}>${t("cancel")}</button>
      <button class="button primary" ?disabled=${shop.isActing} @click=${save}>${t("save")}</button>
    </div>
  </div>`;
