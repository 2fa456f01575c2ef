// @ts-check
// Acts on stores: add, rename, close.

import { call, t } from "../core.js";
import { differences, formDialog } from "../components/form.js";
import { askAndDelete } from "./delete.js";

/** Adds a store. */
export async function addStore() {
  await formDialog({
    title: t("store.new"),
    fields: [{ name: "name", label: t("field.name"), required: true, max: 200 }],
    action: t("store.add"),
    asCall: (values) => ["POST", "stores", values],
  });
}

/** @param {NativeApi.Store} store */
export async function renameStore(store) {
  const { data: fresh, etag } = await call("GET", `stores/${store.id}`);
  await formDialog({
    title: t("store.rename"),
    fields: [{ name: "name", label: t("field.name"), required: true, value: fresh.name, max: 200 }],
    edit: { path: `stores/${store.id}`, etag, base: fresh, change: (values) => differences(fresh, values) },
  });
}

/** @param {NativeApi.Store} store @param {any[]} devices */
export function closeStore(store, devices) {
  const { name } = store;
  const points = devices.length ? [t("store.close.devices", { devices: devices.map((each) => each.name).join(", ") })] : [];
  const question = { title: t("store.close.title", { name }), text: t("store.close.text"), points, action: t("store.close"), name };
  return askAndDelete(`stores/${store.id}`, question, t("store.closed", { name }));
}
