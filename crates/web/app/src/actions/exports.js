// @ts-check
// Exports of lists, as files.

import { call, t } from "../core.js";
import { extendToast, toast } from "../components/toast.js";

/** Saves the items of a filter as a file. @param {string} list @param {string} format @param {Record<string, any>} filter */
export async function exportList(list, format, filter) {
  const started = toast(t("export.started"));
  const { data } = await call("GET", `${list}/export`, { query: { format, ...filter }, asFile: true });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(/** @type {any} */ (data));
  link.download = `${list}-${new Date().toISOString().slice(0, 10)}.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  extendToast(started, t("export.done", { file: link.download }));
}
