// Acts on people: add, change, suspend, delete, give roles and access to devices.

import { accessOn, act, call, can, deviceOptions, href, isSelf, navigate, peopleOptions, refreshPage, requireDirectories,
  roleOptions, t, tn, toast, usablePeople, withAccess, wordOptions } from "../core.js";
import { patch } from "../components/conflict.js";
import { CURRENT_PASSWORD, differences, editDialog, formDialog, languageOptions, newPassword,
  wording } from "../components/form.js";
import { inviteUser } from "./passwords.js";
import { askAndDelete, changeStatus, forEachItem } from "./sessions.js";

function newUser(/** @type {App.Values} */ values) {
  const { invite, email, till_roles: roles, devices, display_name: name, password, ...rest } = values;
  const { password_change_required: isTemporary, ...more } = rest;
  return {
    ...more,
    ...(name ? { display_name: name } : {}),
    ...(email ? { email } : {}),
    ...(password && !invite ? { password, password_change_required: isTemporary } : {}),
    devices: devices.map((/** @type {string} */ device) => ({ device, roles })),
  };
}

export async function addUser() {
  await requireDirectories("roles", "devices");
  const roles = roleOptions();
  const invites = { label: t("user.invite_new"), value: can("userUpdate"), hint: t("user.invite.hint") };
  const temporary = { label: t("password.temporary"), value: true };
  const tillRoles = { label: t("user.till_roles"), options: roles, pointer: "/devices/0/roles" };
  const officeRoles = { label: t("user.office_roles"), options: roles, hint: t("user.office_roles.hint") };
  const hasPassword = (/** @type {App.Values} */ { invite, password }) => Boolean(!invite && password);
  const created = await formDialog({
    title: t("user.new"),
    text: t("user.new.text"),
    wide: true,
    fields: [
      { name: "display_name", max: 200 },
      { name: "user_name", required: true, max: 100, hint: t("user.user_name.hint") },
      { name: "email", type: "email", max: 254 },
      { name: "invite", type: "check", ...invites, when: () => can("userUpdate") },
      { name: "password", ...newPassword(), when: ({ invite }) => !invite },
      { name: "password_change_required", type: "check", ...temporary, when: hasPassword },
      { name: "devices", label: t("user.tills"), type: "checks", options: deviceOptions() },
      { name: "till_roles", type: "checks", required: true, ...tillRoles, when: ({ devices }) => devices.length > 0 },
      { name: "roles", type: "checks", ...officeRoles },
    ],
    action: t("user.add"),
    asCall: (values) => ["POST", "users", newUser(values)],
    submit: async (values) => {
      const { data: user } = await call("POST", "users", { body: newUser(values) });
      return { user, isInvited: values.invite };
    },
  });
  if (!created) return;
  const { user, isInvited } = created;
  toast(t("user.added", { name: user.display_name }));
  navigate(href("people", user.id));
  await refreshPage();
  if (isInvited) await inviteUser(user);
}

/** Gives a role to people, or takes it from them, in the office or on one device. */
export async function changeRole(/** @type {any[]} */ users) {
  await requireDirectories("roles", "devices");
  const places = [{ value: "", label: t("access.office") }, ...deviceOptions()];
  const acts = { label: t("role_change.act"), value: "give", options: wordOptions("role_change", ["give", "take"]) };
  const chosen = await formDialog({
    title: tn("bulk.role", users.length),
    fields: [
      { name: "act", type: "select", required: true, ...acts },
      { name: "role", label: t("subject.role"), type: "select", required: true, options: roleOptions() },
      { name: "place", label: t("access.where"), type: "select", required: true, value: "", options: places },
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

/** The change that gives or takes a role; null if there is nothing to change. */
function withRole(/** @type {User} */ user, /** @type {App.Values} */ { act: kind, role, place }) {
  const before = place ? accessOn(user, place)?.roles ?? [] : user.roles;
  if (before.includes(role) === (kind === "give")) return null;
  const roles = kind === "give" ? [...before, role] : before.filter((each) => each !== role);
  return place ? { devices: withAccess(user, place, roles) } : { roles };
}

export async function editUser(/** @type {User} */ user, /** @type {string | null} */ etag) {
  const change = (/** @type {App.Values} */ { current_password: password, ...values }) => {
    const locale = "locale" in values ? { locale: values.locale || null } : {};
    const changed = differences(user, { ...values, email: values.email || null, ...locale });
    return password && "email" in changed ? { ...changed, current_password: password } : changed;
  };
  const changesEmail = (/** @type {App.Values} */ values) => isSelf(user) && (values.email || null) !== user.email;
  const current = { label: t("password.current"), ...CURRENT_PASSWORD, hint: t("user.email.own") };
  const locales = [{ value: "", label: t("user.locale.none") }, ...languageOptions(user.locale)];
  const fields = /** @type {App.Field[]} */ ([
    { name: "display_name", required: true, max: 200 },
    { name: "user_name", required: true, max: 100, hint: t("user.user_name.hint") },
    { name: "email", type: "email", max: 254 },
    { name: "current_password", ...current, when: changesEmail },
    { name: "locale", type: "select", value: user.locale ?? "", options: locales, when: () => "locale" in user },
    { name: "password_change_required", label: t("password.must_change"), type: "check" },
  ]);
  await editDialog(user.display_name, fields, { edit: { path: `users/${user.id}`, etag, base: user, change } });
}

/** Suspends or activates a person at once; the message offers to undo it. @param {User} user
 * @param {"active" | "suspended"} status @returns {Promise<void>} */
export const setUserStatus = (user, status) => {
  const undo = () => setUserStatus({ ...user, status }, status === "active" ? "suspended" : "active");
  return changeStatus(`users/${user.id}`, status, t(`user.now.${status}`, { name: user.display_name }), {
    detail: status === "suspended" ? t("user.suspended.hint") : undefined,
    undo: user.status === "pending" ? undefined : undo,
  });
};

export function deleteUser(/** @type {User} */ { id, display_name: name, user_name: typed }) {
  const points = [t("user.delete.sessions"), t("user.delete.stays"), t("user.delete.name")];
  const question = { ...wording("user.delete", { name }), points, name: typed };
  return askAndDelete(`users/${id}`, question, t("user.deleted", { name }), href("people"));
}

/** Saves roles on a device. @param {string} id @param {string} device
 * @param {string[] | null} roles */
async function saveAccess(id, device, roles) {
  const { data, etag } = await call("GET", `users/${id}`);
  return patch(`users/${id}`, etag, data, { devices: withAccess(data, device, roles) });
}

/** Lets a person log in on a device, or changes the roles there of one who may log in already.
 * @param {Device} device @param {User} [user] */
export async function giveAccess({ name: device }, user) {
  await requireDirectories("users", "roles");
  const people = usablePeople().filter((each) => !accessOn(each, device));
  const chosen = (/** @type {App.Values} */ values) => user ?? people.find(({ id }) => id === values.user);
  const roles = { label: t("user.till_roles"), value: user && accessOn(user, device)?.roles, options: roleOptions() };
  const saved = await formDialog({
    title: user ? t("access.change", { name: user.display_name }) : t("access.give_on", { device }),
    fields: [
      { name: "user", type: "select", required: true, options: peopleOptions(people), when: () => !user },
      { name: "roles", type: "checks", required: true, pointer: "/devices", ...roles },
    ],
    asCall: (values) => {
      const { id, devices } = chosen(values) ?? { id: "ID", devices: [] };
      return ["PATCH", `users/${id}`, { devices: withAccess({ devices }, device, values.roles) }];
    },
    submit: async (values) => (await saveAccess(chosen(values).id, device, values.roles)) && chosen(values),
  });
  if (saved?.id) toast(t("access.saved_on", { name: saved.display_name, device }));
  await refreshPage();
}

/** Takes the access to a device at once; the message offers to undo it. */
export const removeAccess = (/** @type {Device} */ { name: device }, /** @type {User} */ user) =>
  act(async () => {
    const { display_name: name, id } = user;
    const roles = accessOn(user, device)?.roles ?? [];
    await saveAccess(id, device, null);
    const undo = () => act(() => saveAccess(id, device, roles));
    toast(t("access.removed", { name, device }), { action: { label: t("undo"), run: undo } });
  });
