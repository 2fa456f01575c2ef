// @ts-check
// The question whether to do something.

import { html, t } from "../core.js";
import { formDialog } from "./form.js";

/**
 * Asks whether to do something wide or final. With `name`, the person must type it first.
 * @param {{title: string, text: string, points?: string[], action: string, name?: string}} question
 * @returns {Promise<boolean>}
 */
export async function confirmDialog({ title, text, points = [], action, name }) {
  const content = points.length ? html`<ul class="points">${points.map((point) => html`<li>${point}</li>`)}</ul>` : undefined;
  const fields = name ? [{ name: "confirm", label: t("confirm.type_name", { name }), required: true, expected: name }] : [];
  return Boolean(await formDialog({ title, text, content, fields, action, danger: true, submit: async () => true }));
}
