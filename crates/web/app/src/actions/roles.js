// @ts-check
// Acts on roles: add, duplicate, describe, delete.

import { differences, formDialog } from "../components/form.js";
import { href, navigate, optionsOf, roleName, t, word } from "../core.js";
import { askAndDelete } from "./sessions.js";
import { environments } from "../pages/board.js";

/** @param {any} role @returns {App.Field[]} */
const fields = (role) => [
  { name: "name", label: t("field.name"), required: true, value: role.name, max: 64, hint: t("role.name.hint") },
  { name: "label", label: t("field.label"), value: role.label, max: 200 },
  { name: "description", label: t("field.description"), type: "textarea", value: role.description },
  { name: "environments", label: t("role.environments"), type: "checks", value: role.environments, options: optionsOf(environments, (name) => word("environment", name)), required: true },
];

/** Adds a role, with the rights of another one. @param {any} [source] */
export async function addRole(source) {
  const rights = source?.rights ?? [];
  const body = (/** @type {any} */ { label, description, ...rest }) => ({
    ...rest,
    ...(label ? { label } : {}),
    ...(description ? { description } : {}),
    rights: rights.length ? rights : ["ticketCreate"],
  });
  const created = await formDialog({
    title: source ? t("role.duplicate_of", { name: roleName(source) }) : t("role.new"),
    text: source ? undefined : t("role.new.text"),
    fields: fields({ environments: source?.environments ?? ["CashRegister"] }),
    action: t("role.add"),
    asCall: (values) => ["POST", "roles", body(values)],
  });
  if (created) navigate(href("roles", created.data.id));
}

/** @param {NativeApi.Role} role @param {string | null} etag */
export async function editRole(role, etag) {
  await formDialog({
    title: t("edit.title", { name: roleName(role) }),
    fields: fields(role),
    edit: { path: `roles/${role.id}`, etag, base: role, change: (values) => differences(role, values) },
  });
}

/** @param {NativeApi.Role} role */
export function deleteRole(role) {
  const name = roleName(role);
  const question = { title: t("role.delete", { name }), text: t("role.delete.text"), action: t("role.delete.action"), name: role.name };
  return askAndDelete(`roles/${role.id}`, question, t("role.deleted", { name }), href("roles"));
}
