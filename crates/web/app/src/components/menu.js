// A menu beside the button that opened it.

import { render } from "../../vendor/lit-html/lit-html.js";
import { html, icon, nothing } from "../core.js";

let closeOpen = /** @type {(() => void) | null} */ (null);

/** Opens a menu at a button, or closes it. @param {HTMLElement} button
 * @param {App.MenuItem[]} items @param {string} label */
export function openMenu(button, items, label) {
  const wasOpen = button.getAttribute("aria-expanded") === "true";
  closeOpen?.();
  if (wasOpen) return;
  const menu = document.createElement("div");
  menu.className = "menu";
  menu.setAttribute("role", "menu");
  menu.setAttribute("aria-label", label);
  (button.closest("dialog") ?? document.body).append(menu);
  const close = () => {
    if (!menu.isConnected) return;
    menu.remove();
    button.setAttribute("aria-expanded", "false");
    removeEventListener("pointerdown", outside, true);
    removeEventListener("resize", follow);
    closeOpen = null;
  };
  const follow = () => place(menu, button);
  const outside = (/** @type {Event} */ other) => {
    const target = /** @type {Node} */ (other.target);
    if (!menu.contains(target) && !button.contains(target)) close();
  };
  const pick = (/** @type {App.MenuEntry} */ item) => {
    close();
    button.focus();
    item.run?.();
  };
  const shown = items.filter((item) => item || item === null);
  const isBetween = (/** @type {number} */ at) => Boolean(shown[at - 1] && shown.slice(at).some(Boolean));
  render(shown.map((item, at) => (item ? view(item, pick) : isBetween(at) ? html`<hr>` : nothing)), menu);
  follow();
  addEventListener("resize", follow);
  button.setAttribute("aria-expanded", "true");
  menu.addEventListener("keydown", (key) => moveFocus(key, menu, button, close));
  addEventListener("pointerdown", outside, true);
  closeOpen = close;
  /** @type {HTMLElement | null} */ (menu.querySelector("[role^=menuitem]"))?.focus();
}

function view(/** @type {App.MenuEntry} */ item, /** @type {(item: App.MenuEntry) => void} */ pick) {
  const content = html`${item.icon ? icon(item.icon) : nothing}<span>${item.label}</span>
    ${item.key ? html`<kbd>${item.key}</kbd>` : nothing}${item.checked ? icon("check") : nothing}`;
  if (item.href) {
    return html`<a role="menuitem" tabindex="-1" href=${item.href} @click=${() => pick(item)}>${content}</a>`;
  }
  const role = item.checked === undefined ? "menuitem" : "menuitemradio";
  return html`<button type="button" role=${role} tabindex="-1" class=${item.danger ? "danger" : ""}
    aria-checked=${item.checked === undefined ? nothing : String(item.checked)}
    @click=${() => pick(item)}>${content}</button>`;
}

function place(/** @type {HTMLElement} */ menu, /** @type {HTMLElement} */ button) {
  const { left, right, top, bottom } = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const x = right - width > 8 ? right - width : Math.min(left, innerWidth - width - 8);
  const y = bottom + 4 + height < innerHeight ? bottom + 4 : Math.max(8, top - height - 4);
  menu.style.setProperty("left", `${Math.max(8, x)}px`);
  menu.style.setProperty("top", `${y}px`);
}

/** @param {KeyboardEvent} event @param {HTMLElement} menu @param {HTMLElement} button
 * @param {() => void} close */
function moveFocus(event, menu, button, close) {
  const items = /** @type {HTMLElement[]} */ ([...menu.querySelectorAll("[role^=menuitem]")]);
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  event.stopPropagation();
  if (to !== undefined) {
    event.preventDefault();
    items.at(to % items.length)?.focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    if (event.key === "Escape") event.preventDefault();
    close();
    button.focus();
  }
}
