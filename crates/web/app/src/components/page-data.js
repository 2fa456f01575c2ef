// @ts-check
// What is read for a page or a part of it.

import { repaint } from "../core.js";
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
