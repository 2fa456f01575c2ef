// @ts-check
// Asks for the password over the page: to sign in again, or to prove who acts.

import { t } from "../core.js";
import { formDialog } from "./form.js";

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
  const given = await formDialog({
    title: t(`${kind}.title`),
    text: t(`${kind}.text`),
    fields: [
      { name: "login", label: t("auth.login"), value: login, required: true, autocomplete: "username", readonly: kind === "step_up" },
      { name: "password", label: t("auth.password"), type: "password", required: true, autocomplete: "current-password", asksAgain: true },
    ],
    action: t(`${kind}.action`),
    locked: Boolean(cancel),
    cancel: cancel && { label: t("sign_in.leave"), run: cancel },
    opened: (close) => opened?.(() => close(true)),
    submit: async (values) => (await submit(values.login, values.password), true),
  });
  return Boolean(given);
}
