// Changes of the settings of the tenant, and of its stores.

import { call, can, optionsOf, storeOptions, t } from "../core.js";
import { differences, editDialog, formDialog, languageOptions } from "../components/form.js";
import { LIMITS, loadShop, shop } from "../shop.js";
import { askAndDelete } from "./sessions.js";

/** The longest time that a call can name, in seconds. */
const MAX_SECONDS = 2 ** 32 - 1;

/** @param {import("../components/detail.js").Detail} detail @param {{title: string, text?: string, fields: App.Field[]}} form @param {(values: Record<string, any>) => Record<string, any>} change */
async function editTenant(detail, form, change) {
  await formDialog({ ...form, edit: { path: `tenants/${detail.id}`, etag: detail.etag, base: detail.data, change } });
  await loadShop();
}

/** The time zones that the browser knows as options of a selection, with the one that is set. @param {string | null | undefined} zone */
const zoneOptions = (zone) =>
  optionsOf([...new Set([...(zone ? [zone] : []), "UTC", ...Intl.supportedValuesOf("timeZone")])], (name) => name);

/** Changes the name, zone, language and color. @param {import("../components/detail.js").Detail} detail */
export function editShop(detail) {
  const tenant = detail.data;
  /** @type {App.Field[]} */
  const fields = [
    { name: "name", label: t("field.name"), required: true, value: tenant.name, max: 200 },
    { name: "zone", label: t("field.zone"), type: "select", required: true, value: tenant.zone, options: zoneOptions(tenant.zone), hint: t("settings.zone.hint") },
    { name: "locale", label: t("field.locale"), type: "select", required: true, value: tenant.locale, options: languageOptions(tenant.locale), hint: t("settings.locale.hint") },
    { name: "accent_color", label: t("field.accent_color"), value: tenant.accent_color ?? "", max: 7, hint: t("settings.accent_color.hint") },
    { name: "machine_codes", label: t("machine.codes"), type: "check", value: tenant.machine_codes, hint: t("machine.codes.hint") },
  ];
  return editTenant(detail, { title: t("settings.shop"), fields }, (values) => differences(tenant, { ...values, accent_color: values.accent_color.trim() || null }));
}

/** Whole seconds that a call can name; the server then says which of them are allowed. @param {string} minutes */
const toSeconds = (minutes) => (minutes === "" ? null : Math.min(MAX_SECONDS, Math.max(0, Math.round(Number(minutes) * 60))));

/** Changes the limits of sessions. @param {import("../components/detail.js").Detail} detail */
export function editLimits(detail) {
  const { limits } = detail.data;
  const fields = LIMITS.map((name) => ({
    name,
    label: t(`settings.limit.${name}`),
    type: /** @type {const} */ ("number"),
    value: limits[name] === null ? "" : String(limits[name] / 60),
    hint: t(`settings.limit.${name}.hint`),
    pointer: `/limits/${name}`,
  }));
  return editTenant(detail, { title: t("settings.sessions"), text: t("settings.limits.text"), fields }, (values) => ({
    limits: Object.fromEntries(LIMITS.map((name) => [name, toSeconds(values[name])])),
  }));
}

/** @param {Partial<NativeApi.Store>} store @returns {App.Field[]} */
const storeFields = ({ name, zone }) => [
  { name: "name", label: t("field.name"), required: true, value: name, max: 200 },
  { name: "zone", label: t("field.zone"), type: "select", value: zone ?? "", options: [{ value: "", label: t("store.zone.none", { zone: shop.tenant.zone }) }, ...zoneOptions(zone)], hint: t("store.zone.hint") },
];

/** @param {App.Values} values */
const storeBody = ({ zone, ...rest }) => ({ ...rest, zone: zone || null });

/** Adds a store. */
export async function addStore() {
  await formDialog({
    title: t("store.new"),
    fields: storeFields({}),
    action: t("store.add"),
    asCall: (values) => ["POST", "stores", storeBody(values)],
  });
}

/** @param {NativeApi.Store} store */
export async function editStore({ id }) {
  const { data: base, etag } = await call("GET", `stores/${id}`);
  await editDialog(base.name, storeFields(base), { edit: { path: `stores/${id}`, etag, base, change: (values) => differences(base, storeBody(values)) } });
}

/** Closes a store; its devices are moved to another one. @param {NativeApi.Store} store @param {any[]} devices */
export function closeStore(store, devices) {
  const { name } = store;
  const others = storeOptions().filter(({ value }) => value !== store.id);
  const canMove = devices.length > 0 && others.length > 0 && can("deviceUpdate");
  const points = devices.length ? [t(canMove ? "store.close.moved" : "store.close.devices", { devices: devices.map((each) => each.name).join(", ") })] : [];
  /** @type {App.Field[]} */
  const fields = canMove ? [{ name: "store", label: t("store.close.move"), type: "select", required: true, options: others }] : [];
  const move = async (/** @type {App.Values} */ values) => {
    for (const { id } of canMove ? devices : []) await call("PATCH", `devices/${id}`, { body: { store: values.store }, ifMatch: "*" });
  };
  const question = { title: t("store.close.title", { name }), text: t("store.close.text"), points, fields, action: t("store.close"), name };
  return askAndDelete(`stores/${store.id}`, question, t("store.closed", { name }), undefined, move);
}
