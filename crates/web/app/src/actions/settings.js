// @ts-check
// Changes of the settings of the tenant.

import { optionsOf, t } from "../core.js";
import { differences, formDialog, languageOptions } from "../components/form.js";
import { LIMITS, loadShop } from "../shop.js";

/** The longest time that a call can name, in seconds. */
const MAX_SECONDS = 2 ** 32 - 1;

/** @typedef {import("../components/detail.js").Detail} Detail */

/** @param {Detail} detail @param {{title: string, text?: string, fields: import("../components/form.js").Field[]}} form @param {(values: Record<string, any>) => Record<string, any>} change */
async function editTenant(detail, form, change) {
  await formDialog({ ...form, edit: { path: `tenants/${detail.id}`, etag: detail.etag, base: detail.data, change } });
  await loadShop();
}

/** Changes the name, zone, language and color. @param {Detail} detail */
export function editShop(detail) {
  const tenant = detail.data;
  const zones = /** @type {string[]} */ (/** @type {any} */ (Intl).supportedValuesOf?.("timeZone") ?? []);
  /** @type {import("../components/form.js").Field[]} */
  const fields = [
    { name: "name", label: t("field.name"), required: true, value: tenant.name, max: 200 },
    { name: "zone", label: t("field.zone"), type: "select", required: true, value: tenant.zone, options: optionsOf([...new Set([tenant.zone, "UTC", ...zones])], (name) => name), hint: t("settings.zone.hint") },
    { name: "locale", label: t("field.locale"), type: "select", required: true, value: tenant.locale, options: languageOptions(tenant.locale), hint: t("settings.locale.hint") },
    { name: "accent_color", label: t("field.accent_color"), value: tenant.accent_color ?? "", max: 7, hint: t("settings.accent_color.hint") },
  ];
  return editTenant(detail, { title: t("settings.shop"), fields }, (values) => differences(tenant, { ...values, accent_color: values.accent_color.trim() || null }));
}

/** Whole seconds that a call can name; the server then says which of them are allowed. @param {string} minutes */
const toSeconds = (minutes) => (minutes === "" ? null : Math.min(MAX_SECONDS, Math.max(0, Math.round(Number(minutes) * 60))));

/** Changes the limits of sessions. @param {Detail} detail */
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
