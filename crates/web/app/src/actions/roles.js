// Acts on roles: add, duplicate, describe, delete.

import { differences, editDialog, formDialog, wording } from "../components/form.js";
import { call, href, navigate, requireDirectories, roleName, roleOptions, t, tn, usableDevices, usablePeople,
  wordOptions } from "../core.js";
import { askAndDelete } from "./sessions.js";
import { environments } from "../pages/board.js";

/** @returns {App.Field[]} */
function fields(/** @type {string[]} */ value) {
  const kinds = { label: t("role.environments"), value, options: wordOptions("environment", environments) };
  return [
    { name: "name", required: true, max: 64, hint: t("role.name.hint") },
    { name: "label", max: 200 },
    { name: "description", type: "textarea" },
    { name: "environments", type: "checks", required: true, ...kinds },
  ];
}

/** Adds a role, with the rights of another one. @param {any} [source] */
export async function addRole(source) {
  const rights = source?.rights.length ? source.rights : ["ticketCreate"];
  const body = (/** @type {any} */ { label, description, ...rest }) => ({
    ...rest,
    ...(label ? { label } : {}),
    ...(description ? { description } : {}),
    rights,
  });
  const created = await formDialog({
    title: source ? t("role.duplicate_of", { name: roleName(source) }) : t("role.new"),
    text: source ? undefined : t("role.new.text"),
    fields: fields(source?.environments ?? ["CashRegister"]),
    action: t("role.add"),
    asCall: (values) => ["POST", "roles", body(values)],
  });
  if (created) navigate(href("roles", created.data.id));
}

export async function editRole(/** @type {Role} */ { id }) {
  const { data: base, etag } = await call("GET", `roles/${id}`);
  const change = (/** @type {App.Values} */ values) => differences(base, values);
  await editDialog(roleName(base), fields(base.environments), { edit: { path: `roles/${id}`, etag, base, change } });
}

/** Deletes a role; who has it gets another one instead, or none. @param {Role} role */
export async function deleteRole(role) {
  await requireDirectories("users", "devices", "roles");
  const name = roleName(role);
  const has = (/** @type {{roles: string[]}} */ { roles }) => roles.includes(role.name);
  const people = usablePeople().filter((user) => has(user) || user.devices.some(has));
  const devices = usableDevices().filter(has);
  const others = roleOptions().filter(({ value }) => value !== role.name);
  const options = [{ value: "", label: t("role.delete.nothing") }, ...others];
  const holders = { people: tn("count.people", people.length), devices: tn("count.devices", devices.length) };
  const instead = { label: t("role.delete.instead", holders), value: "", options };
  const move = async (/** @type {App.Values} */ { instead: other }) => {
    const swap = (/** @type {string[]} */ roles) => [
      ...new Set(roles.flatMap((each) => (each !== role.name ? each : other || []))),
    ];
    for (const { id } of people) {
      const { data, etag } = await call("GET", `users/${id}`);
      const access = data.devices.map((each) => ({ ...each, roles: swap(each.roles) }));
      await call("PATCH", `users/${id}`, { body: { roles: swap(data.roles), devices: access }, ifMatch: etag });
    }
    for (const { id, roles } of devices) {
      await call("PATCH", `devices/${id}`, { body: { roles: swap(roles) }, ifMatch: "*" });
    }
  };
  /** @type {App.Field} */
  const field = { name: "instead", type: "select", required: true, ...instead };
  const fields = people.length + devices.length ? [field] : [];
  const question = { ...wording("role.delete", { name }), fields, name: role.name };
  return askAndDelete(`roles/${role.id}`, question, t("role.deleted", { name }), href("roles"), move);
}
