// Modal dialogs. Each is a native <dialog>, which keeps the focus inside and returns it.

import { render } from "../../vendor/lit-html/lit-html.js";
import { button, html, iconButton, nothing, onPaint, t, toast } from "../core.js";

/** Opens a dialog and returns what it was closed with; undefined if it was canceled.
 * @template T
 * @param {(close: (value?: T) => void) => any} content
 * @param {{wide?: boolean, locked?: boolean, leave?: () => void}} [options] `leave` does not close
 * @returns {Promise<T | undefined>} */
export function openDialog(content, { wide = false, locked = false, leave } = {}) {
  return new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    dialog.tabIndex = -1;
    dialog.className = wide ? "dialog wide" : "dialog";
    dialog.setAttribute("aria-labelledby", "dialog-title");
    document.body.append(dialog);
    const opener = document.activeElement;
    /** @type {T | undefined} */
    let result;
    const close = (/** @type {T | undefined} */ value) => {
      result = value;
      dialog.close();
    };
    const paint = () => render(content(close), dialog);
    const stop = onPaint(paint);
    dialog.addEventListener("cancel", (event) => {
      if (locked || leave) event.preventDefault();
      leave?.();
    });
    dialog.addEventListener("close", () => {
      stop();
      dialog.remove();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
      resolve(result);
    });
    paint();
    dialog.showModal();
    const control = ".dialog-body :is(input, select, textarea):enabled";
    const first = dialog.querySelector("[autofocus]") ?? dialog.querySelector(control);
    /** @type {HTMLElement | null} */ (first)?.focus();
  });
}

/** The head of a dialog. @param {string} title @param {(() => void) | null} close */
export const dialogHead = (title, close) => html`
  <header class="dialog-head">
    <h2 id="dialog-title">${title}</h2>
    ${close ? iconButton("close", t("close"), close) : nothing}
  </header>`;

/** A form in a dialog. What is invalid is said in the language of the page, not by the browser.
 * @param {App.DialogParts} parts */
export const dialogForm = ({ title, leave, submit, body, foot }) => html`
  <form novalidate @submit=${(/** @type {SubmitEvent} */ event) => (event.preventDefault(), submit(event))}>
    ${dialogHead(title, leave)}
    <div class="dialog-body">${body}</div>
    <footer class="dialog-foot">${foot}</footer>
  </form>`;

/** A button that closes a dialog. @param {() => void} close */
export const cancelButton = (close, label = t("cancel")) => button("", label, close);

/** Opens a dialog that only shows something. @param {string} title @param {() => any} body
 * @param {{wide?: boolean}} [options] */
export const showDialog = (title, body, options) =>
  openDialog((close) => html`${dialogHead(title, () => close())}<div class="dialog-body">${body()}</div>`, options);

/** Copies a text; without the clipboard, shows it selected. @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("copied"));
  } catch {
    await showDialog(t("copy"), () => html`<textarea class="code" readonly rows="6" aria-label=${t("copy")}
      @focus=${(/** @type {any} */ event) => event.target.select()}>${text}</textarea>`);
  }
}
