// Settings of the tenant, each with what it does now.

import { Detail, facts, section } from "../components/detail.js";
import { formatSpan } from "../components/values.js";
import { button, can, faint, formatExact, hasText, html, languageName, lazyActions, LIMITS, nothing, num, session, shop,
  t } from "../core.js";

const { editLimits, editShop } = lazyActions(() => import("../actions/shop.js"));

const detail = new Detail("tenants");

function view() {
  const tenant = detail.data;
  if (!tenant) return detail.placeholder();
  return html`
    <div class="page narrow-page">
      ${section("settings.shop", editButton(() => editShop(detail)), facts([
        ["field.name", tenant.name],
        ["field.slug", html`<code>${tenant.slug}</code>`],
        ["field.zone", html`${tenant.zone} <span class="faint num">${formatExact(new Date())}</span>`],
        ["field.locale", languageName(tenant.locale)],
        ["field.accent_color", html`<span class="swatch" aria-hidden="true"></span>
          ${tenant.accent_color ?? t("settings.accent_color.default")}`],
        hasText("machine.codes") && ["machine.codes", t(`machine.codes.${tenant.machine_codes ? "on" : "off"}`)],
      ]))}
      ${section("settings.sessions", editButton(() => editLimits(detail)),
        facts(LIMITS.map((name) => [t(`field.${name}`), limitText(tenant.limits[name])])))}
      ${section("settings.server", nothing, facts([
        ["settings.version", num(session.version ?? "–")],
        ["settings.api", html`<a href="/docs" target="_blank" rel="noreferrer">${t("settings.api.docs")}</a>`],
      ]))}
    </div>`;
}

/** @param {number | null} seconds */
const limitText = (seconds) => (seconds === null ? faint(t("settings.default")) : formatSpan(seconds));
/** @param {() => void} edit */
const editButton = (edit) => (can("tenantUpdate") ? button("edit", t("edit"), edit) : nothing);

/** @type {App.Page} */
export const page = { kinds: [], load: () => detail.load(shop.tenant.id), view };
