// The search over everything: pages, people, devices, roles, stores and tickets.

import { can, canAny, compareNames, faint, href, html, icon, navigate, nothing, readItems, repaint, requireDirectories, roleName,
  t, valueOf, word } from "../core.js";
import { ticketTitle } from "../pages/ticket-words.js";
import { dialogHead, openDialog } from "./dialog.js";
import { pages } from "./layout.js";

/** What is found of a kind, at most. */
const LIMIT = 6;
const DELAY = 150;

/** @typedef {{icon: string, text: string, note: string, address: string}} Hit */

/** @param {string} symbol @param {string} text @param {string} note @param {string} address
 * @returns {Hit} */
const hit = (symbol, text, note, address) => ({ icon: symbol, text, note, address });

/** Finds what has a text in its name. @param {string} text @returns {Promise<Hit[]>} */
async function find(text) {
  const fold = (/** @type {string} */ each) => each.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const has = (/** @type {string} */ name) => fold(name).includes(fold(text));
  const number = /^\d{1,18}$/.test(text) ? text : undefined;
  const [[roles, stores], people, devices, numbered, named] = await Promise.all([
    requireDirectories("roles", "stores"),
    can("userRead") ? readItems("users", { search: text, limit: LIMIT, sort: "user_name" }) : [],
    readItems("devices", { search: text, limit: LIMIT }),
    number ? readItems("tickets", { number, limit: LIMIT, sort: "-opened_at" }) : [],
    readItems("tickets", { search: text, limit: LIMIT, sort: "-opened_at" }),
  ]);
  const shown = pages.filter(({ id, rights }) => canAny(rights) && has(t(`nav.${id}`)));
  const foundRoles = roles.filter((each) => has(roleName(each)) || has(each.name)).slice(0, LIMIT);
  const foundStores = stores.filter(({ name }) => has(name)).slice(0, LIMIT);
  const tickets = [...new Map([...numbered, ...named].map((each) => [each.id, each])).values()].slice(0, LIMIT);
  devices.sort((a, b) => compareNames(a.name, b.name));
  return [
    ...shown.map(({ id, icon: symbol }) => hit(symbol, t(`nav.${id}`), t("search.page"), href(id))),
    ...people.map((each) => hit("person", each.display_name, each.user_name, href("people", each.id))),
    ...devices.map((each) => hit("device", each.name, word("environment", each.environment), href("devices", each.id))),
    ...foundRoles.map((each) => hit("role", roleName(each), t("subject.role"), href("roles", each.id))),
    ...foundStores.map(({ id, name }) => hit("store", name, t("subject.store"), href("tills", null, { store: id }))),
    ...tickets.map((each) => hit("ticket", ticketTitle(each), each.device.name ?? "", href("tickets", each.id))),
  ];
}

/** Opens the search. A click opens a hit; so does Enter, after the arrow keys. */
export async function openSearch() {
  let [text, active, timer] = ["", 0, 0];
  let hits = /** @type {Hit[]} */ ([]);
  /** Whether what is typed was searched. */
  let isDone = false;
  const search = async () => {
    const asked = text;
    const found = asked ? await find(asked).catch(() => []) : [];
    if (asked !== text) return;
    [hits, active, isDone] = [found, 0, Boolean(asked)];
    repaint();
  };
  const type = (/** @type {Event} */ event) => {
    text = valueOf(event).trim();
    isDone = false;
    clearTimeout(timer);
    timer = setTimeout(search, DELAY);
  };
  const chosen = await openDialog((/** @type {(hit?: Hit) => void} */ close) => {
    const press = (/** @type {KeyboardEvent} */ event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (hits.length === 0 || (!step && event.key !== "Enter")) return;
      event.preventDefault();
      if (!step) return isDone ? close(hits[active]) : undefined;
      active = (active + step + hits.length) % hits.length;
      repaint();
      setTimeout(() => document.getElementById(`hit-${active}`)?.scrollIntoView({ block: "nearest" }), 20);
    };
    const row = (/** @type {Hit} */ each, /** @type {number} */ at) => html`
      <li id="hit-${at}" role="option" aria-selected=${String(at === active)} @click=${() => close(each)}>
        ${icon(each.icon)}<span>${each.text}</span><span class="fill"></span>${faint(each.note)}</li>`;
    return html`
      ${dialogHead(t("search.title"), () => close())}
      <div class="dialog-body">
        <label class="search">${icon("search")}<input type="text" autocomplete="off" role="combobox"
          aria-label=${t("search.hint")} placeholder=${t("search.hint")} aria-autocomplete="list" aria-controls="hits"
          aria-expanded=${String(hits.length > 0)} aria-activedescendant=${hits.length ? `hit-${active}` : nothing}
          @input=${type} @keydown=${press}></label>
        ${hits.length
          ? html`<ul class="hits" id="hits" role="listbox" aria-label=${t("search.hits")}>${hits.map(row)}</ul>`
          : nothing}
        <p class="muted" role="status">${isDone && hits.length === 0 ? t("search.none") : ""}</p>
      </div>`;
  });
  clearTimeout(timer);
  if (chosen) navigate(chosen.address);
}
