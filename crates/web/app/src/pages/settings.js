// @ts-check
// Settings of the tenant, each with what it does now.

import { Detail, facts } from "../components/detail.js";
import { formatSpan } from "../components/field-errors.js";
import { differences, formDialog } from "../components/form.js";
import { section } from "../components/section.js";
import { button } from "../components/small.js";
import { can, formatExact, html, languages, nothing, optionsOf, t } from "../core.js";
import { session } from "../session.js";
import { loadShop, shop } from "../shop.js";

const LIMITS = /** @type {const} */ (["access", "idle", "absolute", "overlap"]);

const detail = new Detail("tenants");

function view() {
  const tenant = detail.data;
  if (!tenant) return detail.placeholder();
  return html`
    <div class="page narrow-page">
      ${section("settings.shop", editButton(editShop), facts([
        [t("field.name"), tenant.name],
        [t("field.slug"), html`<code>${tenant.slug}</code>`],
        [t("field.zone"), html`${tenant.zone} <span class="faint num">${formatExact(new Date().toISOString())}</span>`],
        [t("field.locale"), languages[/** @type {keyof typeof languages} */ (tenant.locale)] ?? tenant.locale],
        [t("field.accent_color"), html`<span class="swatch" aria-hidden="true"></span> ${tenant.accent_color ?? t("settings.accent_color.default")}`],
      ]))}
      ${section("settings.sessions", editButton(editLimits), facts(LIMITS.map((name) => [t(`settings.limit.${name}`), limitText(tenant.limits[name])])))}
      ${section("settings.server", nothing, facts([
        [t("settings.version"), html`<span class="num">${session.version ?? "–"}</span>`],
        [t("settings.api"), html`<a href="/docs" target="_blank" rel="noreferrer">${t("settings.api.docs")}</a>`],
      ]))}
    </div>`;
}

/** @param {number | null} seconds */
const limitText = (seconds) => (seconds === null ? html`<span class="faint">${t("settings.default")}</span>` : formatSpan(seconds));

/** @param {() => void} edit */
const editButton = (edit) => (can("tenantUpdate") ? button("edit", t("edit"), edit) : nothing);

/** @param {{title: string, text?: string, fields: import("../components/form.js").Field[]}} form @param {(values: Record<string, any>) => Record<string, any>} change */
async function editTenant(form, change) {
  await formDialog({ ...form, edit: { path: `tenants/${detail.id}`, etag: detail.etag, base: detail.data, change } });
  await loadShop();
}

function editShop() {
  const tenant = detail.data;
  const zones = /** @type {string[]} */ (/** @type {any} */ (Intl).supportedValuesOf?.("timeZone") ?? []);
  const options = optionsOf([...new Set([tenant.zone, "UTC", ...zones])], (name) => name);
  /** @type {import("../components/form.js").Field[]} */
  const fields = [
    { name: "name", label: t("field.name"), required: true, value: tenant.name, max: 200 },
    { name: "zone", label: t("field.zone"), type: "select", required: true, value: tenant.zone, options, hint: t("settings.zone.hint") },
    { name: "locale", label: t("field.locale"), required: true, value: tenant.locale, max: 35, hint: t("settings.locale.hint") },
    { name: "accent_color", label: t("field.accent_color"), value: tenant.accent_color ?? "", max: 7, hint: t("settings.accent_color.hint") },
  ];
  return editTenant({ title: t("settings.shop"), fields }, (values) => differences(tenant, { ...values, accent_color: values.accent_color.trim() || null }));
}

function editLimits() {
  const tenant = detail.data;
  const minutes = (/** @type {number | null} */ seconds) => (seconds === null ? "" : String(seconds / 60));
  const fields = LIMITS.map((name) => ({
    name,
    label: t(`settings.limit.${name}`),
    type: /** @type {const} */ ("number"),
    value: minutes(tenant.limits[name]),
    hint: t(`settings.limit.${name}.hint`),
    pointer: `/limits/${name}`,
  }));
  return editTenant({ title: t("settings.sessions"), text: t("settings.limits.text"), fields }, (values) => ({
    limits: Object.fromEntries(LIMITS.map((name) => [name, values[name] === "" ? null : Math.round(Number(values[name]) * 60)])),
  }));
}

/** @type {import("../main.js").Page} */
export const page = { kinds: [], load: () => detail.load(shop.tenant.id), view };
