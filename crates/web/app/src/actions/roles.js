// Acts on roles: add, duplicate, describe, delete.

import { differences, editDialog, formDialog } from "../components/form.js";
import { call, href, navigate, optionsOf, requireDirectories, roleName, roleOptions, t, tn, usableDevices, usablePeople, word } from "../core.js";
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

/** @param {NativeApi.Role} role */
export async function editRole({ id }) {
  const { data: base, etag } = await call("GET", `roles/${id}`);
  await editDialog(roleName(base), fields(base), { edit: { path: `roles/${id}`, etag, base, change: (values) => differences(base, values) } });
}

/** Deletes a role; who has it gets another one instead, or none. @param {NativeApi.Role} role */
export async function deleteRole(role) {
  await requireDirectories("users", "devices", "roles");
  const name = roleName(role);
  const has = (/** @type {{roles: string[]}} */ { roles }) => roles.includes(role.name);
  const people = usablePeople().filter((user) => has(user) || user.devices.some(has));
  const devices = usableDevices().filter(has);
  const options = [{ value: "", label: t("role.delete.nothing") }, ...roleOptions().filter(({ value }) => value !== role.name)];
  const holders = { people: tn("count.people", people.length), devices: tn("count.devices", devices.length) };
  /** @type {App.Field} */
  const instead = { name: "instead", label: t("role.delete.instead", holders), type: "select", required: true, value: "", options };
  const move = async (/** @type {App.Values} */ { instead: other }) => {
    const swap = (/** @type {string[]} */ roles) => [...new Set(roles.flatMap((each) => (each !== role.name ? each : other || [])))];
    for (const { id } of people) {
      const { data, etag } = await call("GET", `users/${id}`);
      const access = data.devices.map((/** @type {App.Access} */ each) => ({ ...each, roles: swap(each.roles) }));
      await call("PATCH", `users/${id}`, { body: { roles: swap(data.roles), devices: access }, ifMatch: etag });
    }
    for (const { id, roles } of devices) await call("PATCH", `devices/${id}`, { body: { roles: swap(roles) }, ifMatch: "*" });
  };
  const fields = people.length + devices.length ? [instead] : [];
  const question = { title: t("role.delete", { name }), text: t("role.delete.text"), fields, action: t("role.delete.action"), name: role.name };
  return askAndDelete(`roles/${role.id}`, question, t("role.deleted", { name }), href("roles"), move);
}
