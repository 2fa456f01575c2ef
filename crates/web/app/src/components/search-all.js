// The search over everything: pages, people, devices, roles, stores and tickets.

import { can, canAny, compareNames, href, html, icon, navigate, nothing, readItems, repaint, requireDirectories, roleName, t, valueOf, word } from "../core.js";
import { ticketTitle } from "../pages/ticket-words.js";
import { dialogHead, openDialog } from "./dialog.js";
import { pages } from "./layout.js";

/** What is found of a kind, at most. */
const LIMIT = 6;
const DELAY = 150;

/** @typedef {{icon: string, text: string, note: string, address: string}} Hit */

/** The items of a kind as hits. @param {any[]} items @param {string} symbol @param {(item: any) => Omit<Hit, "icon">} hit @returns {Hit[]} */
const hitsOf = (items, symbol, hit) => items.slice(0, LIMIT).map((item) => ({ icon: symbol, ...hit(item) }));

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
  const tickets = [...numbered, ...named.filter(({ id }) => numbered.every((each) => each.id !== id))];
  return [
    ...shown.map(({ id, icon: symbol }) => ({ icon: symbol, text: t(`nav.${id}`), note: t("search.page"), address: href(id) })),
    ...hitsOf(people, "person", (each) => ({ text: each.display_name, note: each.user_name, address: href("people", each.id) })),
    ...hitsOf(devices.sort((a, b) => compareNames(a.name, b.name)), "device", (each) => ({ text: each.name, note: word("environment", each.environment), address: href("devices", each.id) })),
    ...hitsOf(roles.filter((each) => has(roleName(each)) || has(each.name)), "role", (each) => ({ text: roleName(each), note: t("subject.role"), address: href("roles", each.id) })),
    ...hitsOf(stores.filter((each) => has(each.name)), "store", (each) => ({ text: each.name, note: t("subject.store"), address: href("tills", null, { store: each.id }) })),
    ...hitsOf(tickets, "ticket", (each) => ({ text: ticketTitle(each), note: each.device.name ?? "", address: href("tickets", each.id) })),
  ];
}

/** Opens the search; a hit is opened by a click, or chosen by the arrow keys and opened by Enter. */
export async function openSearch() {
  let [text, active, timer] = ["", 0, 0];
  /** @type {Hit[]} */
  let hits = [];
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
    return html`
      ${dialogHead(t("search.title"), () => close())}
      <div class="dialog-body">
        <label class="search">${icon("search")}<input type="text" autocomplete="off" role="combobox" aria-label=${t("search.hint")} placeholder=${t("search.hint")}
          aria-autocomplete="list" aria-controls="hits" aria-expanded=${String(hits.length > 0)}
          aria-activedescendant=${hits.length ? `hit-${active}` : nothing} @input=${type} @keydown=${press}></label>
        ${hits.length ? html`<ul class="hits" id="hits" role="listbox" aria-label=${t("search.hits")}>${hits.map((hit, at) => html`
          <li id="hit-${at}" role="option" aria-selected=${String(at === active)} @click=${() => close(hit)}>
            ${icon(hit.icon)}<span>${hit.text}</span><span class="fill"></span><span class="faint">${hit.note}</span></li>`)}</ul>` : nothing}
        <p class="muted" role="status">${isDone && hits.length === 0 ? t("search.none") : ""}</p>
      </div>`;
  });
  clearTimeout(timer);
  if (chosen) navigate(chosen.address);
}
