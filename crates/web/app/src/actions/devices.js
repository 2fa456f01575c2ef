// Acts on devices: lock, unlock, register, change, retire.

import { can, currentRoute, href, navigate, optionsOf, requireDirectories, roleOptions, storeOptions, t, tn, toast, word } from "../core.js";
import { differences, editDialog, formDialog } from "../components/form.js";
import { environments } from "../pages/board.js";
import { askAndDelete, askToEnd, changeStatus } from "./sessions.js";

/** Locks a device; a key asks first if somebody is on it. The message offers to undo it. @param {NativeApi.Device} device @param {boolean} [byKey] */
export async function lockDevice(device, byKey = false) {
  if (byKey && device.seat && !(await askToEnd({ user: device.seat.user, device }, t("device.end_and_lock")))) return;
  await changeStatus(`devices/${device.id}`, "locked", t("device.locked", { name: device.name }), {
    detail: device.seat ? t("device.locked.ended") : undefined,
    undo: () => unlockDevice(device),
  });
}

/** @param {NativeApi.Device} device */
export const unlockDevice = (device) => changeStatus(`devices/${device.id}`, "active", t("device.unlocked", { name: device.name }));

/** @param {any} [device] @returns {App.Field[]} */
function fields(device) {
  const stores = storeOptions();
  /** @type {App.Field} */
  const store = {
    name: "store",
    label: t("field.store"),
    type: "select",
    required: true,
    value: device ? device.store?.id ?? "" : currentRoute().query.get("store") ?? "",
    options: [{ value: "", label: t("store.none") }, ...stores],
  };
  const kinds = optionsOf(environments, (name) => word("environment", name));
  const hint = device ? t("device.environment.hint") : undefined;
  return [
    { name: "name", label: t("field.name"), required: true, value: device?.name, max: 100, hint: t("device.name.hint") },
    { name: "environment", label: t("field.environment"), type: "select", required: true, value: device?.environment ?? "CashRegister", options: kinds, hint },
    ...(stores.length ? [store] : []),
    { name: "description", label: t("field.description"), type: "textarea", value: device?.description },
    { name: "roles", label: t("device.roles"), type: "checks", value: device?.roles, options: roleOptions(), hint: t("device.roles.hint") },
  ];
}

/** @param {any} values */
const body = ({ store, description, ...rest }) => ({
  ...rest,
  ...(description ? { description } : {}),
  ...(store ? { store } : {}),
});

/** Registers a device. */
export async function registerDevice() {
  await requireDirectories("stores", "roles");
  const created = await formDialog({
    title: t("device.new"),
    fields: fields(),
    action: t("device.register"),
    asCall: (values) => ["POST", "devices", body(values)],
  });
  if (!created) return;
  const { id, name } = created.data;
  toast(t("device.registered", { name }), { detail: t("device.registered.hint") });
  navigate(href("devices", id, { tab: can("userRead") ? "people" : null }));
}

/** @param {NativeApi.Device} device @param {string | null} etag */
export async function editDevice(device, etag) {
  await requireDirectories("stores", "roles");
  const base = { ...device, store: device.store?.id ?? "" };
  const change = (/** @type {Record<string, any>} */ values) => {
    const changed = differences(base, values);
    if (changed.store === "") changed.store = null;
    return changed;
  };
  await editDialog(device.name, fields(device), { edit: { path: `devices/${device.id}`, etag, base, change } });
}

/** Retires a device, which cannot be undone. @param {NativeApi.Device} device @param {number} sessions how many sessions end */
export function retireDevice(device, sessions) {
  const { name } = device;
  const points = [tn("device.retire.sessions", sessions), t("device.retire.stays"), t("device.retire.name")];
  const question = { title: t("device.retire", { name }), text: t("device.retire.text"), points, action: t("device.retire.action"), name };
  return askAndDelete(`devices/${device.id}`, question, t("device.retired", { name }), href("devices"));
}

/** Changes settings: null removes one. @param {NativeApi.Device} device @param {string | null} etag @param {string} [key] the setting to change; a new one if omitted */
export async function editSetting(device, etag, key) {
  await formDialog({
    title: key ? t("setting.edit", { key }) : t("setting.new"),
    fields: [
      ...(key ? [] : [/** @type {any} */ ({ name: "key", label: t("setting.key"), required: true, pointer: "/settings" })]),
      { name: "value", label: t("setting.value"), value: key ? device.settings[key] : "", hint: key ? t("setting.value.hint") : undefined, pointer: "/settings" },
    ],
    edit: {
      path: `devices/${device.id}`,
      etag,
      base: device,
      change: (values) => ({ settings: { [key ?? values.key]: values.value || null } }),
    },
  });
}
