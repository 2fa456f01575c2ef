// @ts-check
// The stores of the tenant.

import { readAll } from "../api.js";
import { icon } from "../components/icon.js";
import { lazyActions } from "../components/lazy.js";
import { emptyBox, problemBox, skeleton } from "../components/small.js";
import { directory, loadDirectory } from "../directory.js";
import { t, tn } from "../i18n.js";
import { can } from "../rights.js";
import { href } from "../router.js";
import { html, nothing, repaint } from "../view.js";

const { addStore, closeStore, renameStore } = lazyActions(() => import("../actions/stores.js"));

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

/** @param {NativeApi.Store} store */
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

/** @type {import("../main.js").Page} */
export const page = {
  title: () => t("nav.stores"),
  kinds: ["store", "device"],
  load,
  view,
  keys: () => ({ n: { label: t("store.new"), run: () => can("storeCreate") && addStore() } }),
};
