// Passwords of other people and of devices, invitations to choose one, mails with links, and failed attempts.

import { call, formatMoment, t, tn, toast } from "../core.js";
import { formDialog, offerSecret } from "../components/form.js";
import { act } from "../shop.js";
import { toastEnding } from "./sessions.js";

/** Sets the password of a user or a device. @param {"users" | "devices"} list @param {any} owner @param {string} name */
export async function setPassword(list, owner, name) {
  const isUser = list === "users";
  const answer = await formDialog({
    title: t("password.set", { name }),
    text: t(isUser ? "password.set.user" : "password.set.device"),
    fields: [
      { name: "password", label: t("auth.password"), type: "password", required: true, autocomplete: "new-password", hint: t("password.hint") },
      ...(isUser
        ? /** @type {App.Field[]} */ ([
            { name: "password_change_required", label: t("password.temporary"), type: "check", value: true, hint: t("password.temporary.hint") },
            { name: "keys", label: t("password.keys"), type: "check" },
          ])
        : []),
    ],
    action: t("password.action"),
    asCall: (values) => ["PUT", `${list}/${owner.id}/password`, values],
  });
  if (!answer) return;
  const keys = answer.data?.api_keys.filter((/** @type {any} */ key) => key.status === "active").length;
  toastEnding(answer, t("password.changed", { name }), { detail: keys ? tn("password.keys_left", keys) : undefined });
}

/** Invites a person to choose a password, and shows the link, which is shown only once. @param {NativeApi.User} user */
export const inviteUser = (user) =>
  act(async () => {
    const { data } = await call("POST", `users/${user.id}/invitations`);
    const invitation = /** @type {NativeApi.Invitation} */ (data);
    const values = { name: user.display_name, time: formatMoment(invitation.expires_at) };
    const content = invitation.path ? location.origin + invitation.path : invitation.token;
    await offerSecret({ title: t("invitation.title", values), text: t("invitation.text", values), content });
  });

/** Mails the person a link by which they choose a password. @param {NativeApi.User} user */
export const mailInvitation = (user) =>
  act(async () => toastMailed("invitation.mailed", await call("POST", `users/${user.id}/invitations`, { body: { deliver: "mail" } })));

/** Mails the person a link by which they verify their address. @param {NativeApi.User} user */
export const verifyEmail = (user) =>
  act(async () => toastMailed("email.verification_mailed", await call("POST", `users/${user.id}/email-verification`)));

/** Reports that a link will be mailed. @param {string} key @param {{data: any}} answer */
const toastMailed = (key, { data }) =>
  toast(t(key, { email: data.email }), { detail: t("email.link_until", { time: formatMoment(data.expires_at) }) });

/** Lets a user log in again after failed attempts, or everybody on a device. @param {"users" | "devices"} list @param {any} owner @param {string} name */
export const clearThrottle = (list, owner, name) =>
  act(async () => {
    await call("POST", `${list}/${owner.id}/unlock`);
    toast(t("throttle.cleared", { name }));
  });

/** Changes the person's own password. */
export async function changeOwnPassword() {
  const answer = await formDialog({
    title: t("password.own"),
    text: t("password.own.text"),
    fields: [
      { name: "current_password", label: t("password.current"), type: "password", required: true, autocomplete: "current-password" },
      { name: "password", label: t("password.new"), type: "password", required: true, autocomplete: "new-password", hint: t("password.hint") },
      { name: "keys", label: t("password.keys.own"), type: "check" },
    ],
    action: t("password.action"),
    asCall: (values) => ["PUT", "sessions/current/password", values],
  });
  if (answer) toastEnding(answer, t("password.own.changed"));
}
