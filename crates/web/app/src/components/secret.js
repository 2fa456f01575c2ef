// @ts-check
// A secret that the API shows only once.

import { html, icon, nothing, t } from "../core.js";
import { copy, openDialog } from "./dialog.js";
import { dialogForm } from "./dialog-form.js";
import { button, checkBox } from "./small.js";

/**
 * Shows a secret until the person has stored it.
 * @param {{title: string, text: string, content: string, file?: string}} secret with `file`, it can be saved under that name
 */
export function offerSecret({ title, text, content, file }) {
  let isStored = false;
  const address = URL.createObjectURL(new Blob([content], { type: "text/plain" }));
  return openDialog(
    (close) =>
      dialogForm({
        title,
        leave: null,
        submit: () => isStored && close(),
        body: html`
          <p>${text}</p>
          <pre class="secret">${content}</pre>
          <p class="row">
            ${button("copy", t("copy"), () => copy(content))}
            ${file ? html`<a class="button" href=${address} download=${file}>${icon("download")}${t("download_as", { file })}</a>` : nothing}
          </p>
          ${checkBox(t("secret.stored"), false, (checked) => void (isStored = checked))}`,
        foot: html`<button class="button primary">${t("done")}</button>`,
      }),
    { locked: true },
  ).finally(() => URL.revokeObjectURL(address));
}
