// Acts on people: add, change, suspend, delete, give roles.

import { accessOn, call, can, deviceOptions, href, navigate, optionsOf, requireDirectories, roleOptions, t, tn, toast, withAccess } from "../core.js";
import { differences, editDialog, formDialog, languageOptions } from "../components/form.js";
import { isSelf } from "../pages/user-state.js";
import { refreshPage } from "../shop.js";
import { inviteUser } from "./passwords.js";
import { askAndDelete, changeStatus, forEachItem } from "./sessions.js";

/** @param {any} values */
function newUser(values) {
  const { invite, email, till_roles: roles, devices, display_name: name, password_change_required: isTemporary, ...rest } = values;
  const password = invite ? "" : rest.password;
  delete rest.password;
  return {
    ...rest,
    ...(name ? { display_name: name } : {}),
    ...(email ? { email } : {}),
    ...(password ? { password, password_change_required: isTemporary } : {}),
    devices: devices.map((/** @type {string} */ device) => ({ device, roles })),
  };
}

/** Adds a person. */
export async function addUser() {
  await requireDirectories("roles", "devices");
  const created = await formDialog({
    title: t("user.new"),
    text: t("user.new.text"),
    wide: true,
    fields: [
      { name: "display_name", label: t("field.display_name"), max: 200 },
      { name: "user_name", label: t("field.user_name"), required: true, max: 100, hint: t("user.user_name.hint") },
      { name: "email", label: t("field.email"), type: "email", max: 254 },
      { name: "invite", label: t("user.invite_new"), type: "check", value: can("userUpdate"), hint: t("user.invite.hint"), when: () => can("userUpdate") },
      { name: "password", label: t("auth.password"), type: "password", autocomplete: "new-password", hint: t("password.hint"), when: (values) => !values.invite },
      { name: "password_change_required", label: t("password.temporary"), type: "check", value: true, when: (values) => Boolean(!values.invite && values.password) },
      { name: "devices", label: t("user.tills"), type: "checks", options: deviceOptions() },
      { name: "till_roles", label: t("user.till_roles"), type: "checks", required: true, options: roleOptions(), pointer: "/devices/0/roles", when: (values) => values.devices.length > 0 },
      { name: "roles", label: t("user.office_roles"), type: "checks", options: roleOptions(), hint: t("user.office_roles.hint") },
    ],
    action: t("user.add"),
    asCall: (values) => ["POST", "users", newUser(values)],
    submit: async (values) => ({ user: (await call("POST", "users", { body: newUser(values) })).data, invites: values.invite }),
  });
  if (!created) return;
  const { user, invites } = created;
  toast(t("user.added", { name: user.display_name }));
  navigate(href("people", user.id));
  await refreshPage();
  if (invites) await inviteUser(user);
}

/** Gives a role to people, or takes it from them, in the office or on one device. @param {any[]} users */
export async function changeRole(users) {
  await requireDirectories("roles", "devices");
  const chosen = await formDialog({
    title: tn("bulk.role", users.length),
    fields: [
      { name: "act", label: t("role_change.act"), type: "select", required: true, value: "give", options: optionsOf(["give", "take"], (name) => t(`role_change.${name}`)) },
      { name: "role", label: t("subject.role"), type: "select", required: true, options: roleOptions() },
      { name: "place", label: t("access.where"), type: "select", required: true, value: "", options: [{ value: "", label: t("access.office") }, ...deviceOptions()] },
    ],
    submit: async (values) => values,
  });
  if (!chosen) return;
  await forEachItem(users, async ({ id }) => {
    const { data, etag } = await call("GET", `users/${id}`);
    const body = withRole(data, chosen);
    if (body) await call("PATCH", `users/${id}`, { body, ifMatch: etag });
  });
}

/** The change that gives or takes a role; null if there is nothing to change. @param {NativeApi.User} user @param {Record<string, any>} chosen */
function withRole(user, { act: kind, role, place }) {
  /** @type {string[]} */
  const before = place ? accessOn(user, place)?.roles ?? [] : user.roles;
  if (before.includes(role) === (kind === "give")) return null;
  const roles = kind === "give" ? [...before, role] : before.filter((each) => each !== role);
  return place ? { devices: withAccess(user, place, roles) } : { roles };
}

/** @param {NativeApi.User} user @param {string | null} etag */
export async function editUser(user, etag) {
  const change = (/** @type {Record<string, any>} */ { current_password: password, ...values }) => {
    const locale = "locale" in values ? { locale: values.locale || null } : {};
    const changed = differences(user, { ...values, email: values.email || null, ...locale });
    return password && "email" in changed ? { ...changed, current_password: password } : changed;
  };
  /** @type {App.Field[]} */
  const fields = [
    { name: "display_name", label: t("field.display_name"), required: true, value: user.display_name, max: 200 },
    { name: "user_name", label: t("field.user_name"), required: true, value: user.user_name, max: 100, hint: t("user.user_name.hint") },
    { name: "email", label: t("field.email"), type: "email", value: user.email ?? "", max: 254 },
    { name: "current_password", label: t("password.current"), type: "password", autocomplete: "current-password", hint: t("user.email.own"), when: (values) => isSelf(user) && (values.email || null) !== user.email },
    { name: "locale", label: t("field.locale"), type: "select", value: user.locale ?? "", options: [{ value: "", label: t("user.locale.none") }, ...languageOptions(user.locale)], when: () => "locale" in user },
    { name: "password_change_required", label: t("password.must_change"), type: "check", value: user.password_change_required },
  ];
  await editDialog(user.display_name, fields, { edit: { path: `users/${user.id}`, etag, base: user, change } });
}

/** Suspends or activates a person at once; the message offers to undo it. @param {NativeApi.User} user @param {"active" | "suspended"} status @returns {Promise<void>} */
export const setUserStatus = (user, status) =>
  changeStatus(`users/${user.id}`, status, t(`user.now.${status}`, { name: user.display_name }), {
    detail: status === "suspended" ? t("user.suspended.hint") : undefined,
    undo: user.status === "pending" ? undefined : () => setUserStatus({ ...user, status }, status === "active" ? "suspended" : "active"),
  });

/** @param {NativeApi.User} user */
export function deleteUser(user) {
  const { display_name: name, user_name: typed } = user;
  const points = [t("user.delete.sessions"), t("user.delete.stays"), t("user.delete.name")];
  const question = { title: t("user.delete", { name }), text: t("user.delete.text"), points, action: t("user.delete.action"), name: typed };
  return askAndDelete(`users/${user.id}`, question, t("user.deleted", { name }), href("people"));
}
