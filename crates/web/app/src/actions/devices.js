// Acts on devices: lock, unlock, register, change, retire, and enroll with a one-time code.

import { act, call, can, currentRoute, href, navigate, optionsOf, refreshPage, requireDirectories, roleOptions, storeOptions, t,
  tn, toast, wordOptions } from "../core.js";
import { formatSpan } from "../components/values.js";
import { differences, editDialog, formDialog, wording } from "../components/form.js";
import { environments } from "../pages/board.js";
import { askAndDelete, askToEnd, changeStatus } from "./sessions.js";

/** Locks a device; a key asks first if somebody is on it. It can be undone.
 * @param {Device} device */
export async function lockDevice(device, byKey = false) {
  if (byKey && device.seat && !(await askToEnd({ user: device.seat.user, device }, t("device.end_and_lock")))) return;
  await changeStatus(`devices/${device.id}`, "locked", t("device.locked", { name: device.name }), {
    detail: device.seat ? t("device.locked.ended") : undefined,
    undo: () => unlockDevice(device),
  });
}

/** @param {Device} device */
export const unlockDevice = ({ id, name }) => changeStatus(`devices/${id}`, "active", t("device.unlocked", { name }));

/** The field of the kind of a device. @returns {App.Field} */
export const environmentField = (value = "CashRegister") => ({
  name: "environment",
  type: "select",
  required: true,
  value,
  options: wordOptions("environment", environments),
});

/** @returns {App.Field[]} */
function fields(/** @type {any} */ device) {
  const stores = [{ value: "", label: t("store.none") }, ...storeOptions()];
  const store = device ? device.store?.id ?? "" : currentRoute().query.get("store") ?? "";
  const hint = device ? t("device.environment.hint") : undefined;
  const roles = { label: t("device.roles"), options: roleOptions(), hint: t("device.roles.hint") };
  return [
    { name: "name", required: true, max: 100, hint: t("device.name.hint") },
    { ...environmentField(device?.environment), hint },
    { name: "store", type: "select", required: true, value: store, options: stores, when: () => stores.length > 1 },
    { name: "description", type: "textarea" },
    { name: "roles", type: "checks", ...roles },
  ];
}

const body = (/** @type {App.Values} */ { store, description, ...rest }) => ({
  ...rest,
  ...(description ? { description } : {}),
  ...(store ? { store } : {}),
});

export async function registerDevice() {
  await requireDirectories("stores", "roles");
  const created = await formDialog({
    title: t("device.new"),
    fields: fields(undefined),
    action: t("device.register"),
    asCall: (values) => ["POST", "devices", body(values)],
  });
  if (!created) return;
  const { id, name } = created.data;
  toast(t("device.registered", { name }), { detail: t("device.registered.hint") });
  navigate(href("devices", id, { tab: can("userRead") ? "people" : null }));
}

export async function editDevice(/** @type {Device} */ device, /** @type {string | null} */ etag) {
  await requireDirectories("stores", "roles");
  const base = { ...device, store: device.store?.id ?? null };
  const change = (/** @type {App.Values} */ values) => differences(base, { ...values, store: values.store || null });
  await editDialog(device.name, fields(device), { edit: { path: `devices/${device.id}`, etag, base, change } });
}

/** Retires a device for good. @param {Device} device @param {number} sessions that end */
export function retireDevice({ id, name }, sessions) {
  const points = [tn("device.retire.sessions", sessions), t("device.retire.stays"), t("device.retire.name")];
  const question = { ...wording("device.retire", { name }), points, name };
  return askAndDelete(`devices/${id}`, question, t("device.retired", { name }), href("devices"));
}

/** Changes a setting, or adds one; an empty one is removed. @param {Device} device
 * @param {string | null} etag @param {string} [key] */
export async function editSetting(device, etag, key) {
  const change = (/** @type {App.Values} */ values) => ({ settings: { [key ?? values.key]: values.value || null } });
  const hint = key ? t("setting.value.hint") : undefined;
  await formDialog({
    title: key ? t("setting.edit", { key }) : t("setting.new"),
    fields: [
      { name: "key", label: t("setting.key"), required: true, pointer: "/settings", when: () => !key },
      { name: "value", label: t("setting.value"), value: key && device.settings[key], hint, pointer: "/settings" },
    ],
    edit: { path: `devices/${device.id}`, etag, base: device, change },
  });
}

/** How long a code can be valid, in seconds. The first one is offered. */
const LIFETIMES = ["600", "3600", "86400", "604800"];

/** The codes that were started here, by device. No call returns them.
 * @type {Map<string, App.EnrollmentCode>} */
export const codes = new Map();

/** What ends with the key of a device; how many sessions, if that may be seen. */
const endings = (/** @type {number | undefined} */ sessions) => [
  sessions === undefined ? t("device_key.ends.sessions") : tn("device.retire.sessions", sessions),
  t("session.end_all.permanent"),
  t("device_key.ends.key"),
];

/** Starts the enrollment of a device. If it replaces a key, the person reads first what ends when
 * the code is used, and how many sessions, if that may be seen. @param {Device} device
 * @param {boolean} replace @param {number | undefined} sessions */
export async function startEnrollment({ id, name }, replace, sessions) {
  const enrollment = (/** @type {App.Values} */ { expires_in: seconds }) => ({ expires_in: Number(seconds), replace });
  const options = optionsOf(LIFETIMES, (seconds) => formatSpan(Number(seconds)));
  const lifetime = { label: t("enroll.lifetime"), value: LIFETIMES[0], options, hint: t("enroll.lifetime.hint") };
  const started = await formDialog({
    ...wording(replace ? "enroll.replace" : "enroll", { name }),
    points: replace ? endings(sessions) : [],
    fields: [{ name: "expires_in", type: "select", required: true, ...lifetime }],
    action: t("enroll.action"),
    danger: replace,
    asCall: (values) => ["POST", `devices/${id}/enrollment`, enrollment(values)],
    submit: async (values) => (await call("POST", `devices/${id}/enrollment`, { body: enrollment(values) })).data,
  });
  if (!started) return;
  // counted from now, because the clock of this machine may be wrong
  codes.set(id, { ...started, until: Date.now() + Date.parse(started.expires_at) - Date.parse(started.created_at) });
  await refreshPage();
}

/** Makes the code of a device void. @param {Device} device */
export const cancelEnrollment = ({ id, name }) =>
  act(async () => {
    await call("DELETE", `devices/${id}/enrollment`);
    codes.delete(id);
    toast(t("enroll.canceled", { name }));
  });

/** Revokes the key of a device, after a question that says what ends. @param {Device} device
 * @param {NativeApi.DeviceKey} key @param {number | undefined} sessions */
export function revokeKey({ id, name }, { thumbprint }, sessions) {
  const question = { ...wording("device_key.revoke", { name }), points: endings(sessions) };
  return askAndDelete(`devices/${id}/keys/${thumbprint}`, question, t("device_key.was_revoked", { name }));
}
