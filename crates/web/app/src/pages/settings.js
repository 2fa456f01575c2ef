// @ts-check
// Settings of the tenant, each with what it does now.

import { call } from "../api.js";
import { patch } from "../components/conflict.js";
import { formDialog } from "../components/form.js";
import { icon } from "../components/icon.js";
import { facts } from "../components/panel.js";
import { problemBox, skeleton } from "../components/small.js";
import { languages, t, tn } from "../i18n.js";
import { can } from "../rights.js";
import { session } from "../session.js";
import { loadShop, shop } from "../shop.js";
import { formatExact } from "../time.js";
import { html, nothing, repaint } from "../view.js";

const LIMITS = /** @type {const} */ (["access", "idle", "absolute", "overlap"]);

/** @type {{tenant: any, etag: string | null, error: any}} */
const data = { tenant: null, etag: null, error: null };

async function load() {
  try {
    const { data: tenant, etag } = await call("GET", `tenants/${shop.tenant.id}`);
    Object.assign(data, { tenant, etag, error: null });
  } catch (error) {
    data.error = error;
  }
}

/** @param {number | null} seconds */
function span(seconds) {
  if (seconds === null) return html`<span class="faint">${t("settings.default")}</span>`;
  if (seconds % 86_400 === 0) return tn("count.days", seconds / 86_400);
  if (seconds % 3_600 === 0) return tn("count.hours", seconds / 3_600);
  if (seconds % 60 === 0) return tn("count.minutes", seconds / 60);
  return tn("count.seconds", seconds);
}

function view() {
  const { tenant, error } = data;
  if (!tenant) return error ? problemBox(error, () => load().then(repaint)) : skeleton();
  return html`
    <div class="page narrow-page">
      ${section("shop", editShop, facts([
        [t("field.name"), tenant.name],
        [t("field.slug"), html`<code>${tenant.slug}</code>`],
        [t("field.zone"), html`${tenant.zone} <span class="faint num">${formatExact(new Date().toISOString())}</span>`],
        [t("field.locale"), languages[/** @type {keyof typeof languages} */ (tenant.locale)] ?? tenant.locale],
      ]))}
      ${section("sessions", editLimits, facts(LIMITS.map((name) => [t(`settings.limit.${name}`), span(tenant.limits[name])])))}
      ${section("server", null, facts([
        [t("settings.version"), html`<span class="num">${session.version ?? "–"}</span>`],
        [t("settings.api"), html`<a href="/docs" target="_blank" rel="noreferrer">${t("settings.api.docs")}</a>`],
      ]))}
    </div>`;
}

/** @param {string} name @param {(() => void) | null} edit @param {any} body */
const section = (name, edit, body) => html`
  <section class="setting">
    <header><h2>${t(`settings.${name}`)}</h2><p class="muted">${t(`settings.${name}.text`)}</p>
      ${edit && can("tenantUpdate") ? html`<button class="button" @click=${edit}>${icon("edit")}${t("edit")}</button>` : nothing}</header>
    <div>${body}</div>
  </section>`;

/** @param {Record<string, any>} change */
async function save(change) {
  const answer = await patch(`tenants/${data.tenant.id}`, data.etag, data.tenant, change);
  if (answer) await loadShop();
  return answer;
}

async function editShop() {
  const { tenant } = data;
  const zones = /** @type {string[]} */ (/** @type {any} */ (Intl).supportedValuesOf?.("timeZone") ?? []);
  const options = [...new Set([tenant.zone, ...zones])].map((value) => ({ value, label: value }));
  const change = (/** @type {Record<string, any>} */ values) =>
    Object.fromEntries(Object.entries(values).filter(([name, value]) => value !== tenant[name]));
  await formDialog({
    title: t("settings.shop"),
    fields: [
      { name: "name", label: t("field.name"), required: true, value: tenant.name, max: 200 },
      { name: "zone", label: t("field.zone"), type: "select", required: true, value: tenant.zone, options, hint: t("settings.zone.hint") },
      { name: "locale", label: t("field.locale"), required: true, value: tenant.locale, max: 35, hint: t("settings.locale.hint") },
    ],
    action: t("save"),
    submit: (values) => save(change(values)),
    asCall: (values) => ["PATCH", `tenants/${tenant.id}`, change(values)],
  });
}

async function editLimits() {
  const { tenant } = data;
  const change = (/** @type {Record<string, any>} */ values) => ({
    limits: Object.fromEntries(LIMITS.map((name) => [name, values[name] === "" ? null : Math.round(Number(values[name]) * 60)])),
  });
  const minutes = (/** @type {number | null} */ seconds) => (seconds === null ? "" : String(seconds / 60));
  await formDialog({
    title: t("settings.sessions"),
    text: t("settings.limits.text"),
    fields: LIMITS.map((name) => ({
      name,
      label: t(`settings.limit.${name}`),
      type: "number",
      value: minutes(tenant.limits[name]),
      hint: t(`settings.limit.${name}.hint`),
      pointer: `/limits/${name}`,
    })),
    action: t("save"),
    submit: (values) => save(change(values)),
    asCall: (values) => ["PATCH", `tenants/${tenant.id}`, change(values)],
  });
}

/** @type {import("../main.js").Page} */
export const page = { title: () => t("nav.settings"), rights: ["tenantUpdate"], kinds: [], load, view };
