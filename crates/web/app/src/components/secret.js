// @ts-check
// A secret that the API shows only once.

import { t } from "../i18n.js";
import { html, nothing } from "../view.js";
import { copy, dialogHead, openDialog } from "./dialog.js";
import { icon } from "./icon.js";

/**
 * Shows a secret until the person has stored it.
 * @param {{title: string, text: string, content: string, file?: string}} secret with `file`, it can be saved under that name
 */
export function offerSecret({ title, text, content, file }) {
  let isStored = false;
  const check = (/** @type {Event} */ event) => {
    isStored = /** @type {HTMLInputElement} */ (event.target).checked;
  };
  const address = URL.createObjectURL(new Blob([content], { type: "text/plain" }));
  return openDialog(
    (close) => html`
      <form @submit=${(/** @type {Event} */ event) => (event.preventDefault(), isStored && close())}>
        ${dialogHead(title, null)}
        <div class="dialog-body">
          <p>${text}</p>
          <pre class="secret">${content}</pre>
          <p class="row">
            <button type="button" class="button" @click=${() => copy(content)}>${icon("copy")}${t("copy")}</button>
            ${file ? html`<a class="button" href=${address} download=${file}>${icon("download")}${t("download_as", { file })}</a>` : nothing}
          </p>
          <label class="check"><input type="checkbox" required @change=${check}>${t("secret.stored")}</label>
        </div>
        <footer class="dialog-foot"><button class="button primary">${t("done")}</button></footer>
      </form>`,
    { locked: true },
  ).finally(() => URL.revokeObjectURL(address));
}
