// Exports of lists, as files.

import { call, extendToast, t, toast } from "../core.js";

/** Saves a list as a file. @param {string} list @param {string} format
 * @param {App.Values} filter */
export async function exportList(list, format, filter) {
  const started = toast(t("export.started"));
  const { data, headers } = await call("GET", `${list}/export`, { query: { format, ...filter }, asFile: true });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(/** @type {any} */ (data));
  // the name is that which every client gets
  link.download = /filename="([^"]+)"/.exec(headers.get("content-disposition") ?? "")?.[1] ?? `${list}.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  extendToast(started, t("export.done", { file: link.download }));
}
