// @ts-check
// API keys of programs.

import { Detail } from "../components/detail.js";
import { filterBar } from "../components/filters.js";
import { icon } from "../components/icon.js";
import { lazyActions } from "../components/lazy.js";
import { ListState, tableView } from "../components/list.js";
import { facts, loadingPanel, panel } from "../components/panel.js";
import { age, chips, emptyBox, idText, moment, state } from "../components/small.js";
import { optionsOf, t, tn, word } from "../i18n.js";
import { can } from "../rights.js";
import { pickQuery, withQuery } from "../router.js";
import { html, nothing } from "../view.js";

const { createKey, deleteKey, editKey, rotateKey, setKeyStatus } = lazyActions(() => import("../actions/api-keys.js"));
const EXPIRES_SOON = 14 * 86_400_000;

const list = new ListState("api-keys");
const detail = new Detail("api-keys");

/** @param {import("../router.js").Route} route @param {boolean} refresh */
async function load(route, refresh) {
  await Promise.all([list.show(pickQuery(route, ["status"]), refresh), detail.load(route.id)]);
}

/** @param {any} key */
function keyState(key) {
  if (key.status !== "active") return state("bad", t("key.revoked"));
  if (key.expires_at && new Date(key.expires_at).getTime() < Date.now()) return state("bad", t("key.expired"));
  if (key.expires_at && new Date(key.expires_at).getTime() - Date.now() < EXPIRES_SOON) return state("idle", t("key.expires_soon"));
  return state("good", t("key.active"));
}

/** @returns {import("../components/list.js").Column[]} */
const columns = () => [
  { key: "name", label: t("field.name"), cell: (key) => html`<strong>${key.name}</strong>` },
  { key: "status", label: t("field.status"), cell: keyState },
  { key: "user", label: t("key.acts_as"), cell: (key) => `${key.user} · ${key.device}` },
  { key: "rights", label: t("key.rights"), class: "wide", cell: (key) => (key.permissions.length ? tn("rights.count", key.permissions.length) : t("key.all_rights")) },
  { key: "used", label: t("key.last_used"), class: "num", cell: (key) => age(key.last_used_at) },
  { key: "expires", label: t("key.expires"), class: "num", cell: (key) => moment(key.expires_at) },
  { key: "created", label: t("field.created_at"), class: "num wide", cell: (key) => moment(key.created_at) },
];

/** @param {import("../router.js").Route} route */
function view(route) {
  const end = can("apiKeyCreate") ? html`<button class="button primary" @click=${createKey}>${icon("plus")}${t("key.new")}</button>` : nothing;
  const filters = [{ name: "status", label: t("filter.status"), options: optionsOf(["active", "revoked"], (name) => t(`key.${name}`)) }];
  return html`
    <div class="split">
      <div class="page">
        ${filterBar({ filters, end })}
        ${tableView(list, {
          columns: columns(),
          label: t("nav.api-keys"),
          rowHref: (key) => withQuery({}, key.id),
          openId: route.id,
          rowClass: (key) => (key.status === "active" ? "" : "over"),
          empty: () =>
            emptyBox({
              title: t("keys.empty.title"),
              text: t("keys.empty.text"),
              action: can("apiKeyCreate") ? { label: t("key.new"), run: createKey } : undefined,
              curl: ["POST", "api-keys", { name: "Warehouse", user: "warehouse", device: "W01", permissions: ["ticketCreate"] }],
            }),
        })}
      </div>
      ${route.id ? keyPanel(route.id) : nothing}
    </div>`;
}

/** @param {string} id */
function keyPanel(id) {
  const key = detail.data;
  if (!key) return loadingPanel(detail);
  const isActive = key.status === "active";
  return panel({
    title: key.name,
    subtitle: key.description,
    state: keyState(key),
    actions: html`
      ${can("apiKeyUpdate") ? html`<button class="button" @click=${() => editKey(key, detail.etag)}>${icon("edit")}${t("edit")}</button>` : nothing}
      ${can("apiKeyUpdate") && isActive
        ? html`<button class="button" @click=${() => rotateKey(key, detail.etag)}>${icon("rotate")}${t("key.rotate")}</button>`
        : nothing}
      ${can("apiKeyUpdate")
        ? html`<button class="button ${isActive ? "danger-quiet" : ""}" @click=${() => setKeyStatus(key, isActive ? "revoked" : "active")}>
            ${icon(isActive ? "lock" : "unlock")}${t(isActive ? "key.revoke" : "key.reactivate")}</button>`
        : nothing}
      ${can("apiKeyDelete") ? html`<button class="button danger-quiet" @click=${() => deleteKey(key)}>${icon("trash")}${t("delete")}</button>` : nothing}`,
    body: facts([
      [t("key.client_id"), idText(key.client_id)],
      [t("field.user"), key.user],
      [t("field.device"), key.device],
      [t("key.rights"), key.permissions.length ? chips(key.permissions.map((/** @type {string} */ right) => word("right", right))) : t("key.all_rights")],
      [t("key.last_used"), age(key.last_used_at)],
      [t("key.expires"), moment(key.expires_at)],
      key.previous_secret_until ? [t("key.previous_until"), moment(key.previous_secret_until)] : null,
      [t("field.created_at"), moment(key.created_at)], [t("field.id"), idText(key.id)],
    ]),
  });
}

/** @type {import("../main.js").Page} */
export const page = {
  title: () => t("nav.api-keys"),
  rights: ["apiKeyCreate", "apiKeyUpdate", "apiKeyDelete"],
  kinds: ["api_key"],
  load,
  view,
  keys: () => ({ n: { label: t("key.new"), run: () => can("apiKeyCreate") && createKey() } }),
};
