// Passwords of people and devices, invitations to choose one, mails with links, and failed
// attempts.

import { act, call, formatMoment, t, tn, toast } from "../core.js";
import { CURRENT_PASSWORD, formDialog, newPassword, offerSecret } from "../components/form.js";
import { toastEnding } from "./sessions.js";

/** Sets the password of an owner. @param {App.OwnerList} list @param {any} owner
 * @param {string} name */
export async function setPassword(list, owner, name) {
  const isUser = list === "users";
  const temporary = { label: t("password.temporary"), value: true, hint: t("password.temporary.hint") };
  const response = await formDialog({
    title: t("password.set.title", { name }),
    text: t(isUser ? "password.set.user" : "password.set.device"),
    fields: [
      { name: "password", required: true, ...newPassword() },
      { name: "password_change_required", type: "check", ...temporary, when: () => isUser },
      { name: "keys", label: t("password.keys"), type: "check", when: () => isUser },
    ],
    action: t("password.set"),
    asCall: (values) => ["PUT", `${list}/${owner.id}/password`, isUser ? values : { password: values.password }],
  });
  if (!response) return;
  const keys = response.data?.api_keys.filter((/** @type {any} */ key) => key.status === "active").length;
  toastEnding(response, t("password.changed", { name }), { detail: keys ? tn("password.keys_left", keys) : undefined });
}

/** Invites a person to choose a password, and shows the link, which is shown only once. */
export const inviteUser = (/** @type {User} */ user) =>
  act(async () => {
    const { data } = await call("POST", `users/${user.id}/invitations`);
    const invitation = /** @type {NativeApi.Invitation} */ (data);
    const values = { name: user.display_name, time: formatMoment(invitation.expires_at) };
    const content = invitation.path ? location.origin + invitation.path : invitation.token;
    await offerSecret({ title: t("invitation.title", values), text: t("invitation.text", values), content });
  });

/** Mails the person a link by which they choose a password. @param {User} user */
export const mailInvitation = ({ id }) =>
  act(async () => {
    toastMailed("invitation.mailed", await call("POST", `users/${id}/invitations`, { body: { deliver: "mail" } }));
  });

/** Mails the person a link by which they verify their address. @param {User} user */
export const verifyEmail = ({ id }) =>
  act(async () => toastMailed("email.verification_mailed", await call("POST", `users/${id}/email-verification`)));

/** Reports that a link will be mailed. */
const toastMailed = (/** @type {string} */ key, /** @type {{data: any}} */ { data }) =>
  toast(t(key, { email: data.email }), { detail: t("email.link_until", { time: formatMoment(data.expires_at) }) });

/** Lets a user log in again after failed attempts, or everybody on a device.
 * @param {App.OwnerList} list @param {any} owner @param {string} name */
export const clearThrottle = (list, owner, name) =>
  act(async () => {
    await call("POST", `${list}/${owner.id}/unlock`);
    toast(t("throttle.cleared", { name }));
  });

/** Changes the person's own password. */
export async function changeOwnPassword() {
  const response = await formDialog({
    title: t("password.own"),
    text: t("password.own.text"),
    fields: [
      { name: "current_password", label: t("password.current"), required: true, ...CURRENT_PASSWORD },
      { name: "password", label: t("password.new"), required: true, ...newPassword() },
      { name: "keys", label: t("password.keys.own"), type: "check" },
    ],
    action: t("password.set"),
    asCall: (values) => ["PUT", "sessions/current/password", values],
  });
  if (response) toastEnding(response, t("password.own.changed"));
}
