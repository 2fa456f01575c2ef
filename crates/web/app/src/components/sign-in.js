// @ts-check
// Asks for the password over the page: to sign in again, or to prove who acts.

import { describe } from "../problems.js";
import { html, nothing, repaint, t } from "../core.js";
import { openDialog } from "./dialog.js";
import { cancelButton, dialogForm } from "./dialog-form.js";

/**
 * @param {{
 *   login: string,
 *   kind: "sign_in" | "step_up",
 *   submit: (login: string, password: string) => Promise<void>,
 *   opened?: (close: () => void) => void,
 *   cancel?: () => void,
 * }} options `opened` is given what closes the dialog as if the person had given the password
 * @returns {Promise<boolean>} whether the person gave the password
 */
export async function askPassword({ login, kind, submit, opened, cancel }) {
  /** @type {unknown} */
  let error = null;
  let busy = false;
  const done = await openDialog((close) => {
    opened?.(() => close(true));
    const send = async (/** @type {SubmitEvent} */ event) => {
      if (busy) return;
      const form = /** @type {HTMLFormElement} */ (event.target);
      const values = new FormData(form);
      busy = true;
      repaint();
      try {
        await submit(String(values.get("login") ?? ""), String(values.get("password") ?? ""));
        close(true);
      } catch (caught) {
        error = caught;
        const field = form.elements.namedItem("password");
        if (field instanceof HTMLInputElement) {
          field.value = "";
          field.focus();
        }
      } finally {
        busy = false;
        repaint();
      }
    };
    return dialogForm({
      title: t(`${kind}.title`),
      leave: cancel ? null : () => close(),
      submit: send,
      body: html`
        <p>${t(`${kind}.text`)}</p>
        ${error ? html`<p class="notice notice-bad" role="alert">${describe(error)}</p>` : nothing}
        <label class="field">
          <span>${t("auth.login")}</span>
          <input name="login" .value=${login} autocomplete="username" ?readonly=${kind === "step_up"} required>
        </label>
        <label class="field">
          <span>${t("auth.password")}</span>
          <input name="password" type="password" autocomplete="current-password" required autofocus>
        </label>`,
      foot: html`${cancelButton(cancel ?? close, t(cancel ? "sign_in.leave" : "cancel"))}
        <button class="button primary" ?disabled=${busy}>${t(`${kind}.action`)}</button>`,
    });
  }, { locked: Boolean(cancel) });
  return done === true;
}
