// @ts-check
// Acts on people: add, change, suspend, delete, give roles.

import { call } from "../api.js";
import { differences, patch } from "../components/conflict.js";
import { confirmDialog } from "../components/dialog.js";
import { formDialog } from "../components/form.js";
import { toast } from "../components/toast.js";
import { directory, loadDirectory, requireDirectories, usableDevices } from "../directory.js";
import { languages, t } from "../i18n.js";
import { roleName } from "../rights.js";
import { href, navigate } from "../router.js";
import { isSelf } from "../pages/user-state.js";
import { act } from "../shop.js";

const roleOptions = () => directory("roles").map((role) => ({ value: role.name, label: roleName(role) }));

/** @param {any} user @returns {import("../components/form.js").Field} */
function localeField(user) {
  const tags = [...new Set([...Object.keys(languages), user.locale].filter(Boolean))];
  const options = tags.map((value) => ({ value, label: languages[/** @type {keyof typeof languages} */ (value)] ?? value }));
  return { name: "locale", label: t("field.locale"), type: "select", value: user.locale ?? "", options: [{ value: "", label: t("user.locale.none") }, ...options] };
}

/** @param {Record<string, any>} values */
function newUser(values) {
  const { email, password, till_roles: roles, devices, display_name: name, password_change_required: isTemporary, ...rest } = values;
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
      { name: "password", label: t("auth.password"), type: "password", autocomplete: "new-password", hint: t("password.hint") },
      { name: "password_change_required", label: t("password.temporary"), type: "check", value: true, when: (values) => Boolean(values.password) },
      { name: "devices", label: t("user.tills"), type: "checks", options: usableDevices().map(({ name }) => ({ value: name, label: name })) },
      { name: "till_roles", label: t("user.till_roles"), type: "checks", required: true, options: roleOptions(), pointer: "/devices/0/roles", when: (values) => values.devices.length > 0 },
      { name: "roles", label: t("user.office_roles"), type: "checks", options: roleOptions(), hint: t("user.office_roles.hint") },
    ],
    action: t("user.add"),
    submit: async (values) => (await call("POST", "users", { body: newUser(values) })).data,
    asCall: (values) => ["POST", "users", { ...newUser(values), ...(values.password ? { password: "…" } : {}) }],
  });
  if (!created) return;
  toast(t("user.added", { name: created.display_name }));
  await loadDirectory("users");
  navigate(href("people", created.id));
}

/** @param {any} user @param {string | null} etag */
export async function editUser(user, etag) {
  const change = (/** @type {Record<string, any>} */ { current_password: password, ...values }) => {
    const locale = "locale" in values ? { locale: values.locale || null } : {};
    const changed = differences(user, { ...values, email: values.email || null, ...locale });
    return password && "email" in changed ? { ...changed, current_password: password } : changed;
  };
  const saved = await formDialog({
    title: t("edit.title", { name: user.display_name }),
    fields: [
      { name: "display_name", label: t("field.display_name"), required: true, value: user.display_name, max: 200 },
      { name: "user_name", label: t("field.user_name"), required: true, value: user.user_name, max: 100, hint: t("user.user_name.hint") },
      { name: "email", label: t("field.email"), type: "email", value: user.email ?? "", max: 254 },
      ...(isSelf(user)
        ? [/** @type {any} */ ({ name: "current_password", label: t("password.current"), type: "password", autocomplete: "current-password", hint: t("user.email.own"), when: (/** @type {any} */ values) => (values.email || null) !== user.email })]
        : []),
      ...("locale" in user ? [localeField(user)] : []),
      { name: "password_change_required", label: t("password.must_change"), type: "check", value: user.password_change_required },
    ],
    action: t("save"),
    submit: (values) => patch(`users/${user.id}`, etag, user, change(values)),
    asCall: (values) => ["PATCH", `users/${user.id}`, change({ ...values, current_password: "" })],
  });
  if (saved) {
    await loadDirectory("users");
  }
}

/**
 * Suspends or activates a person at once; the message offers to undo it.
 * @param {any} user
 * @param {"active" | "suspended"} status
 */
export const setUserStatus = (user, status) =>
  act(async () => {
    await call("PATCH", `users/${user.id}`, { body: { status }, ifMatch: "*" });
    const other = status === "active" ? "suspended" : "active";
    const undo = user.status === "pending" ? undefined : { label: t("undo"), run: () => setUserStatus({ ...user, status }, other) };
    toast(t(`user.now.${status}`, { name: user.display_name }), {
      detail: status === "suspended" ? t("user.suspended.hint") : undefined,
      action: undo,
    });
  });

/** @param {any} user */
export async function deleteUser(user) {
  const isSure = await confirmDialog({
    title: t("user.delete", { name: user.display_name }),
    text: t("user.delete.text"),
    points: [t("user.delete.sessions"), t("user.delete.stays"), t("user.delete.name")],
    action: t("user.delete.action"),
    name: user.user_name,
  });
  if (!isSure) return;
  await act(async () => {
    await call("DELETE", `users/${user.id}`, { ifMatch: "*" });
    toast(t("user.deleted", { name: user.display_name }));
    navigate(href("people"));
  });
}
