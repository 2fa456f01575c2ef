// @ts-check
// API keys of programs.

import { call } from "../api.js";
import { differences, patch } from "../components/conflict.js";
import { Detail } from "../components/detail.js";
import { confirmDialog, showSecret } from "../components/dialog.js";
import { filterBar } from "../components/filters.js";
import { formDialog } from "../components/form.js";
import { icon } from "../components/icon.js";
import { ListState, tableView } from "../components/list.js";
import { facts, panel } from "../components/panel.js";
import { age, chips, emptyBox, idText, moment, problemBox, skeleton, state } from "../components/small.js";
import { toast, toastProblem } from "../components/toast.js";
import { directory, requireDirectories, usableDevices } from "../directory.js";
import { t, tn, word } from "../i18n.js";
import { can } from "../rights.js";
import { navigate, withQuery } from "../router.js";
import { refreshPage } from "../shop.js";
import { html, nothing } from "../view.js";

const EXPIRES_SOON = 14 * 86_400_000;

const list = new ListState("api-keys");
const detail = new Detail("api-keys");

/** @param {import("../router.js").Route} route @param {boolean} refresh */
async function load(route, refresh) {
  const query = { status: route.query.get("status") ?? undefined, search: route.query.get("search") ?? undefined };
  const isSame = list.isLoaded && JSON.stringify(query) === JSON.stringify(list.query);
  await Promise.all([isSame && !refresh ? null : list.load(query, refresh), detail.load(route.id)]);
}

/** @param {any} key */
function keyState(key) {
  if (key.status !== "active") return state("bad", t("key.revoked"));
  if (key.expires_at && new Date(key.expires_at).getTime() < Date.now()) return state("bad", t("key.expired"));
  if (key.expires_at && new Date(key.expires_at).getTime() - Date.now() < EXPIRES_SOON) return state("idle", t("key.expires_soon"));
  return state("good", t("key.active"));
}

const columns = () => [
  { key: "name", label: t("field.name"), cell: (/** @type {any} */ key) => html`<strong>${key.name}</strong>` },
  { key: "status", label: t("field.status"), cell: keyState },
  { key: "user", label: t("key.acts_as"), cell: (/** @type {any} */ key) => `${key.user} · ${key.device}` },
  { key: "rights", label: t("key.rights"), class: "wide", cell: (/** @type {any} */ key) => (key.permissions.length ? tn("rights.count", key.permissions.length) : t("key.all_rights")) },
  ...(list.items.some((key) => "last_used_at" in key) ? [{ key: "used", label: t("key.last_used"), class: "num", cell: (/** @type {any} */ key) => age(key.last_used_at) }] : []),
  ...(list.items.some((key) => "expires_at" in key) ? [{ key: "expires", label: t("key.expires"), class: "num", cell: (/** @type {any} */ key) => moment(key.expires_at) }] : []),
  { key: "created", label: t("field.created_at"), class: "num wide", cell: (/** @type {any} */ key) => moment(key.created_at) },
];

/** @param {import("../router.js").Route} route */
function view(route) {
  const end = can("apiKeyCreate") ? html`<button class="button primary" @click=${createKey}>${icon("plus")}${t("key.new")}</button>` : nothing;
  const filters = [{ name: "status", label: t("filter.status"), options: ["active", "revoked"].map((value) => ({ value, label: t(`key.${value}`) })) }];
  return html`
    <div class="split">
      <div class="page">
        ${filterBar({ search: t("key.search"), filters, end })}
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
  if (!key) return panel({ title: "…", body: detail.error ? problemBox(detail.error, () => detail.load(id)) : skeleton() });
  const isActive = key.status === "active";
  return panel({
    title: key.name,
    subtitle: key.description,
    state: keyState(key),
    actions: html`
      ${can("apiKeyUpdate") ? html`<button class="button" @click=${() => editKey(key)}>${icon("edit")}${t("edit")}</button>` : nothing}
      ${can("apiKeyUpdate") && isActive && "expires_at" in key
        ? html`<button class="button" @click=${() => rotateKey(key)}>${icon("rotate")}${t("key.rotate")}</button>`
        : nothing}
      ${can("apiKeyUpdate")
        ? html`<button class="button ${isActive ? "danger-quiet" : ""}" @click=${() => setStatus(key, isActive ? "revoked" : "active")}>
            ${icon(isActive ? "lock" : "unlock")}${t(isActive ? "key.revoke" : "key.reactivate")}</button>`
        : nothing}
      ${can("apiKeyDelete") ? html`<button class="button danger-quiet" @click=${() => deleteKey(key)}>${icon("trash")}${t("delete")}</button>` : nothing}`,
    body: facts([
      [t("key.client_id"), idText(key.client_id)],
      [t("field.user"), key.user],
      [t("field.device"), key.device],
      [t("key.rights"), key.permissions.length ? chips(key.permissions.map((/** @type {string} */ right) => word("right", right))) : t("key.all_rights")],
      "last_used_at" in key ? [t("key.last_used"), age(key.last_used_at)] : null,
      "expires_at" in key ? [t("key.expires"), moment(key.expires_at)] : null,
      [t("field.created_at"), moment(key.created_at)],
      [t("field.id"), idText(key.id)],
    ]),
  });
}

/** @param {any} [key] @returns {Promise<import("../components/form.js").Field[]>} */
async function fields(key) {
  await requireDirectories("users", "devices");
  const { data } = await call("GET", "rights", { quiet: true });
  const rights = data.items.filter((/** @type {any} */ right) => right.name !== "admin");
  return [
    { name: "name", label: t("field.name"), required: true, value: key?.name, max: 200 },
    { name: "description", label: t("field.description"), type: "textarea", value: key?.description },
    { name: "user", label: t("key.user"), type: "select", required: true, value: key?.user, options: directory("users").filter((user) => user.status !== "deleted").map((user) => ({ value: user.user_name, label: user.display_name })) },
    { name: "device", label: t("key.device"), type: "select", required: true, value: key?.device, options: usableDevices().map(({ name }) => ({ value: name, label: name })), hint: t("key.device.hint") },
    {
      name: "permissions",
      label: t("key.rights"),
      type: "checks",
      value: key?.permissions,
      options: rights.map((/** @type {any} */ right) => ({ value: right.name, label: word("right", right.name), disabled: !right.held })),
      hint: t("key.rights.hint"),
    },
  ];
}

async function createKey() {
  const created = await formDialog({
    title: t("key.new"),
    wide: true,
    fields: await fields(),
    action: t("key.create"),
    submit: async (values) => (await call("POST", "api-keys", { body: values })).data,
    asCall: (values) => ["POST", "api-keys", values],
  });
  if (!created) return;
  await offerSecret(created);
  await refreshPage();
  navigate(withQuery({}, created.id));
}

/** @param {any} key */
const offerSecret = (key) =>
  showSecret({
    title: t("key.secret", { name: key.name }),
    text: t("key.secret.text"),
    secret: key.client_secret,
    file: "tillgate.env",
    content: `TILLGATE_CLIENT_ID=${key.client_id}\nTILLGATE_CLIENT_SECRET=${key.client_secret}\n`,
  });

/** @param {any} key */
async function editKey(key) {
  const all = await fields(key);
  const saved = await formDialog({
    title: t("edit.title", { name: key.name }),
    wide: true,
    fields: all,
    action: t("save"),
    submit: (values) => patch(`api-keys/${key.id}`, detail.etag, key, differences(key, values)),
    asCall: (values) => ["PATCH", `api-keys/${key.id}`, differences(key, values)],
  });
  if (saved) await refreshPage();
}

/** @param {any} key */
async function rotateKey(key) {
  const options = [1, 4, 24].map((hours) => ({ value: String(hours), label: tn("key.overlap", hours) }));
  const rotated = await formDialog({
    title: t("key.rotate.title", { name: key.name }),
    text: t("key.rotate.text"),
    fields: [{ name: "overlap", label: t("key.overlap.label"), type: "select", required: true, value: "24", options }],
    action: t("key.rotate"),
    submit: async (values) => (await call("POST", `api-keys/${key.id}/rotate`, { body: { overlap_hours: Number(values.overlap) } })).data,
    asCall: (values) => ["POST", `api-keys/${key.id}/rotate`, { overlap_hours: Number(values.overlap) }],
  });
  if (!rotated) return;
  await offerSecret({ ...key, ...rotated });
  await refreshPage();
}

/** @param {any} key @param {"active" | "revoked"} status */
async function setStatus(key, status) {
  try {
    await patch(`api-keys/${key.id}`, "*", key, { status });
    const other = status === "active" ? "revoked" : "active";
    toast(t(`key.now.${status}`, { name: key.name }), { action: { label: t("undo"), run: () => setStatus(key, other) } });
  } catch (error) {
    toastProblem(error);
  }
  await refreshPage();
}

/** @param {any} key */
async function deleteKey(key) {
  if (!(await confirmDialog({ title: t("key.delete", { name: key.name }), text: t("key.delete.text"), action: t("delete"), name: key.name }))) return;
  try {
    await call("DELETE", `api-keys/${key.id}`, { ifMatch: "*" });
    toast(t("key.deleted", { name: key.name }));
    navigate(withQuery({}, null));
  } catch (error) {
    toastProblem(error);
  }
  await refreshPage();
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
