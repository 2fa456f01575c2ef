// Asks for the password over the page: to sign in again, or to prove who acts.

import { call, callOffice, goToSignIn, loadCurrent, noteTerms, session, t, waiting } from "../core.js";
import { CURRENT_PASSWORD, formDialog, wording } from "./form.js";

/** @param {"sign_in" | "step_up"} kind @param {(values: App.Values) => Promise<any>} submit
 * @param {Pick<App.Form, "locked" | "cancel" | "opened">} [options] */
function askPassword(kind, submit, options) {
  const value = session.user.user_name;
  const readonly = kind === "step_up";
  return formDialog({
    ...wording(kind),
    fields: [
      { name: "login", label: t("auth.login"), value, readonly, required: true, autocomplete: "username" },
      { name: "password", required: true, ...CURRENT_PASSWORD, asksAgain: true },
    ],
    submit: async (values) => (await submit(values), true),
    ...options,
  });
}

export async function signInAgain() {
  // another tab may have renewed the session
  const { status, data } = await callOffice("POST", "session", { body: {} }).catch((error) => error);
  if (status === 200) return noteTerms(data);
  const signIn = async (/** @type {App.Values} */ body) => {
    await noteTerms((await callOffice("POST", "session", { body })).data);
    await loadCurrent();
  };
  const opened = (/** @type {(value: boolean) => void} */ close) => (waiting.release = () => close(true));
  const cancel = { label: t("sign_in.leave"), run: goToSignIn };
  await askPassword("sign_in", signIn, { locked: true, cancel, opened });
  waiting.release = () => {};
}

/** Asks for the password, as a fresh proof. Returns whether the person gave it. */
export async function stepUp() {
  const prove = async (/** @type {App.Values} */ { password }) =>
    noteTerms((await call("POST", "sessions/current/step-up", { body: { password } })).data);
  return Boolean(await askPassword("step_up", prove));
}
