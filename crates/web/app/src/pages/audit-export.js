// @ts-check
// Exports of the audit log, as a file.

import { call, t } from "../core.js";
import { extendToast, toast } from "../components/toast.js";

/** Saves the events of a filter as a file. @param {"csv" | "jsonl"} format @param {Record<string, any>} filter */
export async function exportEvents(format, filter) {
  const started = toast(t("audit.export.started"));
  const { data } = await call("GET", "audit-events/export", { query: { format, ...filter }, asFile: true });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(/** @type {any} */ (data));
  link.download = `audit-${new Date().toISOString().slice(0, 10)}.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  extendToast(started, t("audit.export.done", { file: link.download }));
}
