// The stores of the tenant.

import { PageData } from "../components/detail.js";
import { button, can, emptyBox, faint, formatExact, href, html, icon, inZone, joined, lazyActions, loadDirectory, nothing, t, tn,
  usableDevices } from "../core.js";
import { isTill } from "./board.js";

const { addStore, closeStore, editStore } = lazyActions(() => import("../actions/shop.js"));

const data = new PageData(() => loadDirectory("stores"));

function view() {
  const stores = data.value;
  if (!stores) return data.placeholder();
  const add = can("storeCreate") ? { label: t("store.new"), run: addStore } : undefined;
  return html`
    <div class="page narrow-page">
      <div class="filters"><p class="muted">${t("stores.empty.text")}</p><span class="fill"></span>
        ${add ? button("plus", add.label, add.run, "primary") : nothing}</div>
      ${stores.length
        ? html`<ul class="rows boxed">${stores.map(storeRow)}</ul>`
        : emptyBox({ key: "stores", action: add, curl: ["POST", "stores", { name: "Main Street" }] })}
    </div>`;
}

function storeRow(/** @type {Store} */ store) {
  const devices = usableDevices().filter((device) => device.store?.id === store.id);
  const others = devices.filter((device) => !isTill(device)).length;
  const counts = [tn("user.till_count", devices.length - others), others && tn("tills.others", others)];
  const zone = store.zone && inZone(store.zone, () => `· ${store.zone}, ${formatExact(new Date())}`);
  return html`
    <li>
      ${icon("store")}
      <div><strong>${store.name}</strong>
        ${faint(joined(counts))} ${faint(zone)}</div>
      <span class="fill"></span>
      <a class="button small quiet" href=${href("tills", null, { store: store.id })}>${t("nav.tills")}</a>
      ${can("storeUpdate") ? button("", t("edit"), () => editStore(store), "small") : nothing}
      ${can("storeDelete") ? button("", t("store.close"), () => closeStore(store, devices), "small danger-quiet") : nothing}
    </li>`;
}

/** @type {App.Page} */
export const page = {
  kinds: ["store", "device"],
  load: () => data.load(),
  view,
  keys: () => ({ n: { label: t("store.new"), run: () => can("storeCreate") && addStore() } }),
};
