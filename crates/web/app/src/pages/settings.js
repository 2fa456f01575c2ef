// Settings of the tenant, each with what it does now.

import { Detail, facts, section } from "../components/detail.js";
import { formatSpan } from "../components/field-errors.js";
import { lazyActions } from "../components/lazy.js";
import { button } from "../components/small.js";
import { can, formatExact, hasText, html, languageName, nothing, t } from "../core.js";
import { session } from "../session.js";
import { LIMITS, shop } from "../shop.js";

const { editLimits, editShop } = lazyActions(() => import("../actions/shop.js"));

const detail = new Detail("tenants");

function view() {
  const tenant = detail.data;
  if (!tenant) return detail.placeholder();
  return html`
    <div class="page narrow-page">
      ${section("settings.shop", editButton(() => editShop(detail)), facts([
        [t("field.name"), tenant.name],
        [t("field.slug"), html`<code>${tenant.slug}</code>`],
        [t("field.zone"), html`${tenant.zone} <span class="faint num">${formatExact(new Date().toISOString())}</span>`],
        [t("field.locale"), languageName(tenant.locale)],
        [t("field.accent_color"), html`<span class="swatch" aria-hidden="true"></span> ${tenant.accent_color ?? t("settings.accent_color.default")}`],
        hasText("machine.codes") ? [t("machine.codes"), t(`machine.codes.${tenant.machine_codes ? "on" : "off"}`)] : null,
      ]))}
      ${section("settings.sessions", editButton(() => editLimits(detail)), facts(LIMITS.map((name) => [t(`settings.limit.${name}`), limitText(tenant.limits[name])])))}
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

/** @type {App.Page} */
export const page = { kinds: [], load: () => detail.load(shop.tenant.id), view };
