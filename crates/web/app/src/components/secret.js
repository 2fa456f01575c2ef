// @ts-check
// A secret that the API shows only once.

import { html, icon, nothing, t } from "../core.js";
import { copy } from "./dialog.js";
import { formDialog } from "./form.js";
import { button } from "./small.js";

/**
 * Shows a secret until the person has stored it.
 * @param {{title: string, text: string, content: string, file?: string}} secret with `file`, it can be saved under that name
 */
export function offerSecret({ title, text, content: secret, file }) {
  const address = URL.createObjectURL(new Blob([secret], { type: "text/plain" }));
  const content = html`
    <pre class="secret">${secret}</pre>
    <p class="row">
      ${button("copy", t("copy"), () => copy(secret))}
      ${file ? html`<a class="button" href=${address} download=${file}>${icon("download")}${t("download_as", { file })}</a>` : nothing}
    </p>`;
  /** @type {import("./form.js").Field[]} */
  const fields = [{ name: "stored", label: t("secret.stored"), type: "check", required: true }];
  return formDialog({ title, text, content, fields, action: t("done"), locked: true, submit: async () => true }).finally(() => URL.revokeObjectURL(address));
}
