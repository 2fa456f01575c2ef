// Asks for the password over the page: to sign in again, or to prove who acts.

import { call, callOffice, t } from "../core.js";
import { goToSignIn, loadCurrent, noteTerms, session, waiting } from "../session.js";
import { formDialog } from "./form.js";

/** @param {"sign_in" | "step_up"} kind @param {(login: string, password: string) => Promise<any>} submit @param {Pick<Parameters<typeof formDialog>[0], "locked" | "cancel" | "opened">} [options] */
const askPassword = (kind, submit, options) =>
  formDialog({
    title: t(`${kind}.title`),
    text: t(`${kind}.text`),
    fields: [
      { name: "login", label: t("auth.login"), value: session.user.user_name, required: true, autocomplete: "username", readonly: kind === "step_up" },
      { name: "password", label: t("auth.password"), type: "password", required: true, autocomplete: "current-password", asksAgain: true },
    ],
    action: t(`${kind}.action`),
    submit: async ({ login, password }) => (await submit(login, password), true),
    ...options,
  });

/** Asks the person to sign in again. */
export async function signInAgain() {
  // another tab may have renewed the session
  const { status, data } = await callOffice("POST", "session", { body: {} }).catch((error) => error);
  if (status === 200) return noteTerms(data);
  const signIn = async (/** @type {string} */ login, /** @type {string} */ password) => {
    await noteTerms((await callOffice("POST", "session", { body: { login, password } })).data);
    await loadCurrent();
  };
  const opened = (/** @type {(value: boolean) => void} */ close) => (waiting.release = () => close(true));
  await askPassword("sign_in", signIn, { locked: true, cancel: { label: t("sign_in.leave"), run: goToSignIn }, opened });
  waiting.release = () => {};
}

/** Asks for the password before an act that requires a fresh proof. Returns whether the person gave it. */
export async function stepUp() {
  const prove = async (/** @type {string} */ _, /** @type {string} */ password) =>
    noteTerms((await call("POST", "sessions/current/step-up", { body: { password } })).data);
  return Boolean(await askPassword("step_up", prove));
}
