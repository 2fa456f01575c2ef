// Who may log in on a device, changed from the side of the device.

import { accessOn, call, peopleOptions, requireDirectories, roleOptions, t, toast, usablePeople, withAccess } from "../core.js";
import { patch } from "../components/conflict.js";
import { formDialog } from "../components/form.js";
import { act, refreshPage } from "../shop.js";

/** Saves other roles on a device. @param {string} id @param {string} device @param {string[] | null} roles */
async function saveAccess(id, device, roles) {
  const { data, etag } = await call("GET", `users/${id}`);
  return patch(`users/${id}`, etag, data, { devices: withAccess(data, device, roles) });
}

/** Lets a person log in on a device, or changes their roles there. @param {NativeApi.Device} device @param {NativeApi.User} [user] one who may log in there already */
export async function giveAccess({ name: device }, user) {
  await requireDirectories("users", "roles");
  const people = usablePeople().filter((each) => !accessOn(each, device));
  const chosen = (/** @type {Record<string, any>} */ values) => user ?? people.find(({ id }) => id === values.user);
  const saved = await formDialog({
    title: user ? t("access.change", { name: user.display_name }) : t("access.give_on", { device }),
    fields: [
      ...(user ? [] : [/** @type {App.Field} */ ({ name: "user", label: t("field.user"), type: "select", required: true, options: peopleOptions(people) })]),
      { name: "roles", label: t("user.till_roles"), type: "checks", required: true, value: user ? accessOn(user, device)?.roles : [], options: roleOptions(), pointer: "/devices" },
    ],
    asCall: (values) => ["PATCH", `users/${chosen(values)?.id ?? "ID"}`, { devices: withAccess(chosen(values) ?? { devices: [] }, device, values.roles) }],
    submit: async (values) => (await saveAccess(chosen(values).id, device, values.roles)) && chosen(values),
  });
  if (saved?.id) toast(t("access.saved_on", { name: saved.display_name, device }));
  await refreshPage();
}

/** Takes the access to a device at once; the message offers to undo it. @param {NativeApi.Device} device @param {NativeApi.User} user */
export const removeAccess = ({ name: device }, user) =>
  act(async () => {
    const { display_name: name, id } = user;
    const roles = accessOn(user, device)?.roles ?? [];
    await saveAccess(id, device, null);
    const undo = () => act(() => saveAccess(id, device, roles));
    toast(t("access.removed", { name, device }), { action: { label: t("undo"), run: undo } });
  });
