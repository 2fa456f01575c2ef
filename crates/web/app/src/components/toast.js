// Short messages that go away by themselves, with an action such as Undo.

import { t } from "../i18n.js";
import { html, icon, nothing, repaint, repeat } from "../view.js";

const SHOWN_FOR = 10_000;

let toasts = /** @type {App.Toast[]} */ ([]);
let lastId = 0;

/** Shows a message for ten seconds, longer while the pointer or the focus is on it.
 * @param {string} text @param {App.ToastOptions} [options] */
export function toast(text, options) {
  const entry = { id: (lastId += 1), text, ...options };
  toasts = [...toasts.slice(-3), entry];
  repaint();
  const expire = () => {
    const element = document.getElementById(`toast-${entry.id}`);
    if (element?.matches(":hover, :focus-within")) setTimeout(expire, 2_000);
    else dismiss(entry.id);
  };
  setTimeout(expire, SHOWN_FOR);
  return entry;
}

/** Adds a line to a message that is still shown. @param {App.Toast} entry @param {string} detail */
export function extendToast(entry, detail) {
  entry.detail = [entry.detail, detail].filter(Boolean).join(" ");
  repaint();
}

function dismiss(/** @type {number} */ id) {
  toasts = toasts.filter((entry) => entry.id !== id);
  repaint();
}

export const toastList = () => html`
  <div class="toasts" role="status" aria-live="polite">
    ${repeat(toasts, (entry) => entry.id, view)}
  </div>`;

function view(/** @type {App.Toast} */ entry) {
  const act = () => {
    dismiss(entry.id);
    entry.action?.run();
  };
  return html`
    <div id="toast-${entry.id}" class="toast ${entry.bad ? "bad" : ""}">
      ${icon(entry.bad ? "alert" : "check")}
      <div class="toast-text">
        <p>${entry.text}</p>
        ${entry.detail ? html`<p class="muted small">${entry.detail}</p>` : nothing}
      </div>
      ${entry.action ? html`<button class="button small" @click=${act}>${entry.action.label}</button>` : nothing}
      <button class="icon-button" aria-label=${t("close")} @click=${() => dismiss(entry.id)}>${icon("close")}</button>
    </div>`;
}
