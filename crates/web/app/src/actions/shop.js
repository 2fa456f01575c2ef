// Changes of the settings of the tenant, and of its stores.

import { call, can, LIMITS, loadShop, optionsOf, shop, storeOptions, t } from "../core.js";
import { differences, editDialog, formDialog, languageOptions, wording } from "../components/form.js";
import { askAndDelete } from "./sessions.js";

/** The longest time that a call can name, in seconds. */
const MAX_SECONDS = 2 ** 32 - 1;

/** @param {App.Detail} detail @param {Pick<App.Form, "title" | "text" | "fields">} form
 * @param {(values: App.Values) => App.Values} change */
async function editTenant(detail, form, change) {
  await formDialog({ ...form, edit: { path: `tenants/${detail.id}`, etag: detail.etag, base: detail.data, change } });
  await loadShop();
}

/** The time zones that the browser knows as options of a selection, with the one that is set. */
const zoneOptions = (/** @type {string | null | undefined} */ zone) =>
  optionsOf([...new Set([...(zone ? [zone] : []), "UTC", ...Intl.supportedValuesOf("timeZone")])]);

/** Changes the name, zone, language and color. @param {App.Detail} detail */
export function editShop(detail) {
  const tenant = detail.data;
  const [zones, languages] = [zoneOptions(tenant.zone), languageOptions(tenant.locale)];
  const fields = /** @type {App.Field[]} */ ([
    { name: "name", required: true, max: 200 },
    { name: "zone", type: "select", required: true, options: zones, hint: t("settings.zone.hint") },
    { name: "locale", type: "select", required: true, options: languages, hint: t("settings.locale.hint") },
    { name: "accent_color", max: 7, hint: t("settings.accent_color.hint") },
    { name: "machine_codes", label: t("machine.codes"), type: "check", hint: t("machine.codes.hint") },
  ]);
  return editTenant(detail, { title: t("settings.shop"), fields }, (values) =>
    differences(tenant, { ...values, accent_color: values.accent_color.trim() || null }),
  );
}

/** Whole seconds that a call can name; the server then says which of them are allowed. */
const toSeconds = (/** @type {string} */ minutes) =>
  minutes === "" ? null : Math.min(MAX_SECONDS, Math.max(0, Math.round(Number(minutes) * 60)));

/** Changes the limits of sessions. @param {App.Detail} detail */
export function editLimits(detail) {
  const { limits } = detail.data;
  const fields = LIMITS.map((name) => ({
    name,
    type: /** @type {const} */ ("number"),
    value: limits[name] === null ? "" : String(limits[name] / 60),
    hint: t(`field.${name}.hint`),
    pointer: `/limits/${name}`,
  }));
  return editTenant(detail, { title: t("settings.sessions"), text: t("settings.limits.text"), fields }, (values) => ({
    limits: Object.fromEntries(LIMITS.map((name) => [name, toSeconds(values[name])])),
  }));
}

/** @returns {App.Field[]} */
function storeFields(/** @type {Partial<Store>} */ { zone }) {
  const none = { value: "", label: t("store.zone.none", { zone: shop.tenant.zone }) };
  const options = [none, ...zoneOptions(zone)];
  return [
    { name: "name", required: true, max: 200 },
    { name: "zone", type: "select", value: zone ?? "", options, hint: t("store.zone.hint") },
  ];
}

const storeBody = (/** @type {App.Values} */ { zone, ...rest }) => ({ ...rest, zone: zone || null });

export async function addStore() {
  await formDialog({
    title: t("store.new"),
    fields: storeFields({}),
    action: t("store.add"),
    asCall: (values) => ["POST", "stores", storeBody(values)],
  });
}

export async function editStore(/** @type {Store} */ { id }) {
  const { data: base, etag } = await call("GET", `stores/${id}`);
  const change = (/** @type {App.Values} */ values) => differences(base, storeBody(values));
  await editDialog(base.name, storeFields(base), { edit: { path: `stores/${id}`, etag, base, change } });
}

/** Closes a store; its devices are moved to another one. */
export function closeStore(/** @type {Store} */ { id, name }, /** @type {any[]} */ devices) {
  const options = storeOptions().filter(({ value }) => value !== id);
  const canMove = devices.length > 0 && options.length > 0 && can("deviceUpdate");
  const names = { devices: devices.map((each) => each.name).join(", ") };
  const points = devices.length ? [t(canMove ? "store.close.moved" : "store.close.devices", names)] : [];
  const target = /** @type {const} */ ({ name: "store", label: t("store.close.move"), type: "select", required: true });
  const move = async (/** @type {App.Values} */ { store }) => {
    for (const device of canMove ? devices : []) {
      await call("PATCH", `devices/${device.id}`, { body: { store }, ifMatch: "*" });
    }
  };
  const question = { ...wording("store.close", { name }), points, fields: canMove ? [{ ...target, options }] : [], name };
  return askAndDelete(`stores/${id}`, question, t("store.closed", { name }), undefined, move);
}
