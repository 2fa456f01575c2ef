// API keys of programs.

import { Detail, detailPanel, facts, panel } from "../components/detail.js";
import { column, listPage, ListState, wordFilter } from "../components/list-page.js";
import { actButtons, age, can, chips, directory, entry, html, idText, lazyActions, link, moment, state, t, tn,
  word } from "../core.js";

const { createKey, deleteKey, editKey, rotateKey, setKeyStatus } = lazyActions(() => import("../actions/api-keys.js"));
const EXPIRES_SOON = 14 * 86_400_000;

const detail = new Detail("api-keys");

function keyState(/** @type {any} */ key) {
  if (key.status !== "active") return state("bad", t("key.revoked"));
  const left = key.expires_at ? Date.parse(key.expires_at) - Date.now() : Infinity;
  if (left < 0) return state("bad", t("key.expired"));
  return left < EXPIRES_SOON ? state("idle", t("key.expires_soon")) : state("good", t("key.active"));
}

/** The person as whom a key acts, as far as they may be seen. */
const actor = (/** @type {any} */ key) => directory("users").find(({ user_name: name }) => name === key.user);
const rightsOf = (/** @type {any} */ { permissions }) =>
  chips(permissions.map((/** @type {string} */ right) => word("right", right)), t("key.all_rights"));

const countRights = (/** @type {any} */ { permissions: { length } }) =>
  length ? tn("rights.count", length) : t("key.all_rights");

function keyPanel(/** @type {any} */ key) {
  const [isActive, canUpdate] = [key.status === "active", can("apiKeyUpdate")];
  const person = actor(key);
  const revoke = () => setKeyStatus(key, "revoked");
  return panel({
    title: key.name,
    subtitle: key.description,
    state: keyState(key),
    actions: actButtons([
      canUpdate && entry("edit", "edit", () => editKey(key, detail.etag)),
      canUpdate && isActive && entry("key.rotate", "rotate", () => rotateKey(key, detail.etag)),
      canUpdate && isActive && entry("key.revoke", "lock", revoke, { look: "danger-quiet" }),
      canUpdate && !isActive && entry("key.reactivate", "unlock", () => setKeyStatus(key, "active")),
      can("apiKeyDelete") && entry("key.delete", "trash", () => deleteKey(key), { look: "danger-quiet" }),
    ]),
    body: facts([
      ["key.client_id", idText(key.client_id)],
      ["field.user", person ? link("people", person.id, person.display_name) : key.user],
      ["field.device", key.device],
      ["field.permissions", rightsOf(key)],
      ["key.last_used", age(key.last_used_at)],
      ["field.expires_at", moment(key.expires_at)],
      key.previous_secret_until && ["field.previous_secret_until", moment(key.previous_secret_until)],
      ["field.created_at", moment(key.created_at)],
      ["field.id", idText(key.id)],
    ]),
  });
}

export const page = listPage({
  list: new ListState("api-keys"),
  panel: detailPanel(detail, keyPanel),
  kinds: ["api_key"],
  columns: () => [
    column("field.name", (key) => html`<strong>${key.name}</strong>`),
    column("field.status", keyState),
    column("key.acts_as", (key) => `${actor(key)?.display_name ?? key.user} · ${key.device}`),
    column("field.permissions", countRights, "wide"),
    column("key.last_used", (key) => age(key.last_used_at), "num"),
    column("field.expires_at", (key) => moment(key.expires_at), "num"),
    column("field.created_at", (key) => moment(key.created_at), "num wide"),
  ],
  filters: () => [wordFilter("status", t("filter.status"), "key", ["active", "revoked"])],
  add: () => ({ label: t("key.new"), right: "apiKeyCreate", run: createKey }),
  rowClass: (key) => (key.status === "active" ? "" : "over"),
  empty: () => ({
    key: "keys",
    curl: ["POST", "api-keys", { name: "Warehouse", user: "warehouse", device: "W01", permissions: ["ticketCreate"] }],
  }),
});
