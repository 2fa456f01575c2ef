// @ts-check
// Dialogs with a form, and the question whether to do something.

import { html, nothing, t, valueOf } from "../core.js";
import { dialogHead, openDialog } from "./dialog.js";

/**
 * A form in a dialog.
 * @param {{title: string, leave: (() => void) | null, submit: (event: SubmitEvent) => void, body: any, foot: any, novalidate?: boolean}} parts
 */
export const dialogForm = ({ title, leave, submit, body, foot, novalidate = false }) => html`
  <form ?novalidate=${novalidate} @submit=${(/** @type {SubmitEvent} */ event) => (event.preventDefault(), submit(event))}>
    ${dialogHead(title, leave)}
    <div class="dialog-body">${body}</div>
    <footer class="dialog-foot">${foot}</footer>
  </form>`;

/** A button that closes a dialog. @param {() => void} close @param {string} [label] */
export const cancelButton = (close, label = t("cancel")) =>
  html`<button type="button" class="button" @click=${() => close()}>${label}</button>`;

/**
 * Asks whether to do something wide or final. With `name`, the person must type it first.
 * @param {{title: string, text: string, points?: string[], action: string, name?: string}} question
 * @returns {Promise<boolean>}
 */
export async function confirmDialog({ title, text, points = [], action, name }) {
  let typed = "";
  const answer = await openDialog((close) =>
    dialogForm({
      title,
      leave: () => close(),
      submit: () => (!name || typed.trim() === name) && close(true),
      body: html`
        <p>${text}</p>
        ${points.length ? html`<ul class="points">${points.map((point) => html`<li>${point}</li>`)}</ul>` : nothing}
        ${name
          ? html`<label class="field">
              <span>${t("confirm.type_name", { name })}</span>
              <input name="confirm" autocomplete="off" spellcheck="false" required @input=${(/** @type {Event} */ event) => void (typed = valueOf(event))}>
            </label>`
          : nothing}`,
      foot: html`${cancelButton(close)}<button class="button danger">${action}</button>`,
    }),
  );
  return answer === true;
}
