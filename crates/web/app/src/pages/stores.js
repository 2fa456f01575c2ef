// @ts-check
// The stores of the tenant.

import { call, readAll } from "../api.js";
import { patch } from "../components/conflict.js";
import { confirmDialog } from "../components/dialog.js";
import { formDialog } from "../components/form.js";
import { icon } from "../components/icon.js";
import { emptyBox, problemBox, skeleton } from "../components/small.js";
import { toast } from "../components/toast.js";
import { directory, loadDirectory } from "../directory.js";
import { t, tn } from "../i18n.js";
import { can } from "../rights.js";
import { href } from "../router.js";
import { act } from "../shop.js";
import { html, nothing, repaint } from "../view.js";

/** @type {{stores: any[] | null, error: any}} */
const data = { stores: null, error: null };

async function load() {
  try {
    Object.assign(data, { stores: await readAll("stores"), error: null });
    await loadDirectory("stores");
    directory("devices");
  } catch (error) {
    data.error = error;
  }
}

function view() {
  if (!data.stores) return data.error ? problemBox(data.error, () => load().then(repaint)) : skeleton();
  return html`
    <div class="page narrow-page">
      <div class="filters"><p class="muted">${t("stores.text")}</p><span class="fill"></span>
        ${can("storeCreate") ? html`<button class="button primary" @click=${addStore}>${icon("plus")}${t("store.new")}</button>` : nothing}</div>
      ${data.stores.length
        ? html`<ul class="rows boxed">${data.stores.map(storeRow)}</ul>`
        : emptyBox({ title: t("stores.empty.title"), text: t("stores.text"), curl: ["POST", "stores", { name: "Main Street" }] })}
    </div>`;
}

/** @param {any} store */
function storeRow(store) {
  const devices = directory("devices").filter((device) => device.store?.id === store.id && device.status !== "retired");
  return html`
    <li>
      ${icon("store")}
      <div><strong>${store.name}</strong>
        <span class="faint">${tn("tills.count", devices.length)}</span></div>
      <span class="fill"></span>
      <a class="button small quiet" href=${href("tills", null, { store: store.id })}>${t("nav.tills")}</a>
      ${can("storeUpdate") ? html`<button class="button small" @click=${() => renameStore(store)}>${t("store.rename")}</button>` : nothing}
      ${can("storeDelete") ? html`<button class="button small danger-quiet" @click=${() => closeStore(store, devices)}>${t("store.close")}</button>` : nothing}
    </li>`;
}

async function addStore() {
  await formDialog({
    title: t("store.new"),
    fields: [{ name: "name", label: t("field.name"), required: true, max: 200 }],
    action: t("store.add"),
    submit: async (values) => (await call("POST", "stores", { body: values })).data,
    asCall: (values) => ["POST", "stores", values],
  });
}

/** @param {any} store */
async function renameStore(store) {
  const { data: fresh, etag } = await call("GET", `stores/${store.id}`);
  await formDialog({
    title: t("store.rename"),
    fields: [{ name: "name", label: t("field.name"), required: true, value: fresh.name, max: 200 }],
    action: t("save"),
    submit: (values) => patch(`stores/${store.id}`, etag, fresh, { name: values.name }),
    asCall: (values) => ["PATCH", `stores/${store.id}`, { name: values.name }],
  });
}

/** @param {any} store @param {any[]} devices */
async function closeStore(store, devices) {
  const points = devices.length ? [t("store.close.devices", { devices: devices.map((each) => each.name).join(", ") })] : [];
  const isSure = await confirmDialog({ title: t("store.close.title", { name: store.name }), text: t("store.close.text"), points, action: t("store.close"), name: store.name });
  if (!isSure) return;
  await act(async () => {
    await call("DELETE", `stores/${store.id}`, { ifMatch: "*" });
    toast(t("store.closed", { name: store.name }));
  });
}

/** @type {import("../main.js").Page} */
export const page = {
  title: () => t("nav.stores"),
  kinds: ["store", "device"],
  load,
  view,
  keys: () => ({ n: { label: t("store.new"), run: () => can("storeCreate") && addStore() } }),
};
