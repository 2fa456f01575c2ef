// API keys of programs.

import { Detail, detailPanel, facts, panel } from "../components/detail.js";
import { lazyActions, listPage, ListState } from "../components/list-page.js";
import { actButtons, age, chips, idText, moment, state } from "../components/small.js";
import { can, directory, href, html, nothing, optionsOf, t, tn, word } from "../core.js";

const { createKey, deleteKey, editKey, rotateKey, setKeyStatus } = lazyActions(() => import("../actions/api-keys.js"));
const EXPIRES_SOON = 14 * 86_400_000;

const detail = new Detail("api-keys");

/** @param {any} key */
function keyState(key) {
  if (key.status !== "active") return state("bad", t("key.revoked"));
  if (key.expires_at && new Date(key.expires_at).getTime() < Date.now()) return state("bad", t("key.expired"));
  if (key.expires_at && new Date(key.expires_at).getTime() - Date.now() < EXPIRES_SOON) return state("idle", t("key.expires_soon"));
  return state("good", t("key.active"));
}

/** The person as whom a key acts, as far as they may be seen. @param {any} key */
const actor = (key) => directory("users").find(({ user_name: name }) => name === key.user);

/** @param {any} key */
const rightsOf = ({ permissions }) =>
  chips(permissions.map((/** @type {string} */ right) => word("right", right)), t("key.all_rights"));

/** @param {any} key */
function keyPanel(key) {
  const [isActive, canUpdate] = [key.status === "active", can("apiKeyUpdate")];
  const person = actor(key);
  return panel({
    title: key.name,
    subtitle: key.description,
    state: keyState(key),
    actions: actButtons([
      canUpdate && { label: t("edit"), icon: "edit", run: () => editKey(key, detail.etag) },
      canUpdate && isActive && { label: t("key.rotate"), icon: "rotate", run: () => rotateKey(key, detail.etag) },
      canUpdate && isActive && { label: t("key.revoke"), icon: "lock", run: () => setKeyStatus(key, "revoked"), look: "danger-quiet" },
      canUpdate && !isActive && { label: t("key.reactivate"), icon: "unlock", run: () => setKeyStatus(key, "active") },
      can("apiKeyDelete") && { label: t("delete"), icon: "trash", run: () => deleteKey(key), look: "danger-quiet" },
    ]),
    body: facts([
      [t("key.client_id"), idText(key.client_id)],
      [t("field.user"), person ? html`<a href=${href("people", person.id)}>${person.display_name}</a>` : key.user],
      [t("field.device"), key.device],
      [t("key.rights"), rightsOf(key)],
      [t("key.last_used"), age(key.last_used_at)],
      [t("key.expires"), moment(key.expires_at)],
      key.previous_secret_until ? [t("key.previous_until"), moment(key.previous_secret_until)] : null,
      [t("field.created_at"), moment(key.created_at)],
      [t("field.id"), idText(key.id)],
    ]),
  });
}

export const page = listPage({
  list: new ListState("api-keys"),
  panel: detailPanel(detail, keyPanel),
  kinds: ["api_key"],
  columns: () => [
    { label: t("field.name"), cell: (key) => html`<strong>${key.name}</strong>` },
    { label: t("field.status"), cell: keyState },
    { label: t("key.acts_as"), cell: (key) => `${actor(key)?.display_name ?? key.user} · ${key.device}` },
    { label: t("key.rights"), class: "wide", cell: (key) => (key.permissions.length ? tn("rights.count", key.permissions.length) : t("key.all_rights")) },
    { label: t("key.last_used"), class: "num", cell: (key) => age(key.last_used_at) },
    { label: t("key.expires"), class: "num", cell: (key) => moment(key.expires_at) },
    { label: t("field.created_at"), class: "num wide", cell: (key) => moment(key.created_at) },
  ],
  filters: () => [{ name: "status", label: t("filter.status"), options: optionsOf(["active", "revoked"], (name) => t(`key.${name}`)) }],
  add: () => ({ label: t("key.new"), right: "apiKeyCreate", run: createKey }),
  rowClass: (key) => (key.status === "active" ? "" : "over"),
  empty: () => ({
    key: "keys",
    curl: ["POST", "api-keys", { name: "Warehouse", user: "warehouse", device: "W01", permissions: ["ticketCreate"] }],
  }),
});
