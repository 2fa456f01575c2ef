// @ts-check
// The frame of a dialog with a form. What is invalid is said in the language of the page, not by the browser.

import { html, t } from "../core.js";
import { dialogHead } from "./dialog.js";

/**
 * A form in a dialog.
 * @param {{title: string, leave: (() => void) | null, submit: (event: SubmitEvent) => void, body: any, foot: any}} parts
 */
export const dialogForm = ({ title, leave, submit, body, foot }) => html`
  <form novalidate @submit=${(/** @type {SubmitEvent} */ event) => (event.preventDefault(), submit(event))}>
    ${dialogHead(title, leave)}
    <div class="dialog-body">${body}</div>
    <footer class="dialog-foot">${foot}</footer>
  </form>`;

/** A button that closes a dialog. @param {() => void} close @param {string} [label] */
export const cancelButton = (close, label = t("cancel")) =>
  html`<button type="button" class="button" @click=${() => close()}>${label}</button>`;
