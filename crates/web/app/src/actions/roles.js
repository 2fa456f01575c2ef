// @ts-check
// Acts on roles: add, duplicate, describe, delete.

import { call } from "../api.js";
import { differences, patch } from "../components/conflict.js";
import { confirmDialog } from "../components/dialog.js";
import { formDialog } from "../components/form.js";
import { toast } from "../components/toast.js";
import { loadDirectory } from "../directory.js";
import { t, word } from "../i18n.js";
import { roleName } from "../rights.js";
import { href, navigate } from "../router.js";
import { act } from "../shop.js";
import { environments } from "./devices.js";

const environmentOptions = () => environments.map((value) => ({ value, label: word("environment", value) }));

/** Adds a role, with the rights of another one. @param {any} [source] */
export async function addRole(source) {
  const rights = source?.rights ?? [];
  const body = (/** @type {Record<string, any>} */ { label, description, ...rest }) => ({
    ...rest,
    ...(label ? { label } : {}),
    ...(description ? { description } : {}),
    rights: rights.length ? rights : ["ticketCreate"],
  });
  const created = await formDialog({
    title: source ? t("role.duplicate_of", { name: roleName(source) }) : t("role.new"),
    text: source ? undefined : t("role.new.text"),
    fields: [
      { name: "name", label: t("field.name"), required: true, max: 64, hint: t("role.name.hint") },
      { name: "label", label: t("field.label"), max: 200 },
      { name: "description", label: t("field.description"), type: "textarea" },
      { name: "environments", label: t("role.environments"), type: "checks", value: source?.environments ?? ["CashRegister"], options: environmentOptions(), required: true },
    ],
    action: t("role.add"),
    submit: async (values) => (await call("POST", "roles", { body: body(values) })).data,
    asCall: (values) => ["POST", "roles", body(values)],
  });
  if (!created) return;
  await loadDirectory("roles");
  navigate(href("roles", created.id));
}

/** @param {any} role @param {string | null} etag */
export async function editRole(role, etag) {
  const saved = await formDialog({
    title: t("edit.title", { name: roleName(role) }),
    fields: [
      { name: "name", label: t("field.name"), required: true, value: role.name, max: 64, hint: t("role.name.hint") },
      { name: "label", label: t("field.label"), value: role.label, max: 200 },
      { name: "description", label: t("field.description"), type: "textarea", value: role.description },
      { name: "environments", label: t("role.environments"), type: "checks", value: role.environments, options: environmentOptions(), required: true },
    ],
    action: t("save"),
    submit: (values) => patch(`roles/${role.id}`, etag, role, differences(role, values)),
    asCall: (values) => ["PATCH", `roles/${role.id}`, differences(role, values)],
  });
  if (!saved) return;
  await loadDirectory("roles");
}

/** @param {any} role */
export async function deleteRole(role) {
  const name = roleName(role);
  const isSure = await confirmDialog({
    title: t("role.delete", { name }),
    text: t("role.delete.text"),
    action: t("role.delete.action"),
    name: role.name,
  });
  if (!isSure) return;
  await act(async () => {
    await call("DELETE", `roles/${role.id}`, { ifMatch: "*" });
    toast(t("role.deleted", { name }));
    await loadDirectory("roles");
    navigate(href("roles"));
  });
}
