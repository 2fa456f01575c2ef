// A list of the API: pages, refreshing, selection.

import { call, repaint } from "../core.js";

const PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 200;

/** For so long after the last key or movement of the pointer, somebody uses the table. */
const IN_USE_FOR = 30_000;
let usedAt = 0;
const noteUse = () => void (usedAt = Date.now());
for (const kind of ["keydown", "pointermove"]) addEventListener(kind, noteUse, { passive: true });

/** Whether somebody uses the table, where nothing may move then. */
const isInUse = () =>
  Date.now() - usedAt < IN_USE_FOR && document.querySelector(".table-wrap:is(:focus-within, :hover)") !== null;

/** The items of a list as far as they were read. */
export class ListState {
  items = /** @type {any[]} */ ([]);
  next = /** @type {string | null} */ (null);
  error = /** @type {unknown} */ (null);
  isLoaded = false;
  isLoading = false;
  query = /** @type {App.Values} */ ({});
  selected = /** @type {Set<string>} */ (new Set());
  /** What was read but would move the rows. */
  waiting = /** @type {App.ListPart & {changes: number} | null} */ (null);
  request = 0;
  /** Ends with the current request, for which a refresh and the next page wait. */
  reading = Promise.resolve();
  turn = 0;
  isReadingMore = false;

  /** @param {string} path */
  constructor(path) {
    this.path = path;
  }

  /** Reads the first page; with `refresh` as many items as before. @param {App.Values} query
   * @param {App.Refresh} refresh */
  async load(query, refresh = false) {
    const isSame = this.#isOf(query);
    const turn = (this.turn += 1);
    this.query = query;
    if (!isSame) this.selected.clear();
    while (refresh && isSame && this.isLoading && turn === this.turn) await this.reading;
    if (turn !== this.turn) return; // a later call reads
    const limit = refresh ? Math.min(MAX_PAGE_SIZE, Math.max(PAGE_SIZE, this.items.length)) : PAGE_SIZE;
    const use = (/** @type {App.ListPart} */ page) => this.#replace(page, refresh === "live" && isSame && isInUse());
    await (this.reading = this.#read({ ...query, limit }, use));
  }

  /** Reads the first page unless it is shown already. @param {App.Values} query
   * @param {App.Refresh} refresh */
  async show(query, refresh) {
    const isShown = this.isLoaded && this.#isOf(query);
    if (!isShown || refresh) await this.load(query, refresh);
  }

  /** Reads the next page, after the current request: otherwise a refresh would lose the click. */
  async more() {
    if (this.isReadingMore) return;
    this.isReadingMore = true;
    const { query } = this;
    while (this.isLoading) await this.reading;
    const use = (/** @type {App.ListPart} */ { items, next }) => {
      const all = new Map([...this.items, ...items].map((item) => [item.id, item]));
      Object.assign(this, { items: [...all.values()], next, waiting: null });
    };
    if (this.next && this.#isOf(query)) {
      await (this.reading = this.#read({ ...query, limit: PAGE_SIZE, after: this.next }, use));
    }
    this.isReadingMore = false;
    repaint();
  }

  /** Shows what waits. */
  apply() {
    if (this.waiting) this.#replace(this.waiting, false);
    repaint();
  }

  /** Shows other items. While `isHeld`, no row moves: those that are there show their new values,
   * and the others wait. @param {App.ListPart} page @param {boolean} isHeld */
  #replace({ items, next }, isHeld) {
    const fresh = new Map(items.map((item) => [item.id, item]));
    const shown = new Set(this.items.map(({ id }) => id));
    const gone = this.items.filter(({ id }) => !fresh.has(id));
    const changes = items.filter(({ id }) => !shown.has(id)).length + gone.length;
    this.waiting = isHeld && changes > 0 ? { items, next, changes } : null;
    if (this.waiting) this.items = this.items.map((item) => fresh.get(item.id) ?? item);
    else Object.assign(this, { items, next });
  }

  /** Whether this is the list of the query. @param {App.Values} query */
  #isOf = (query) => JSON.stringify(query) === JSON.stringify(this.query);

  /** @param {App.Values} query @param {(page: App.ListPart) => void} use */
  async #read(query, use) {
    const request = (this.request += 1);
    this.isLoading = true;
    repaint();
    try {
      const { data } = await call("GET", this.path, { query });
      if (request !== this.request) return;
      use(data);
      Object.assign(this, { error: null, isLoaded: true });
    } catch (error) {
      if (request === this.request) this.error = error;
    } finally {
      if (request === this.request) this.isLoading = false;
      repaint();
    }
  }
}
