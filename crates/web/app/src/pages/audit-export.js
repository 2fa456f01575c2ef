// @ts-check
// Exports of the audit log, as a file.

import { hooks, Problem } from "../api.js";
import { apiBase } from "../base.js";
import { extendToast, toast, toastProblem } from "../components/toast.js";
import { t } from "../i18n.js";

/** Saves the events of a filter as a file. @param {"csv" | "jsonl"} format @param {Record<string, any>} filter */
export async function exportEvents(format, filter) {
  const query = new URLSearchParams({ format });
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value);
  const started = toast(t("audit.export.started"));
  try {
    const answer = await read(`${apiBase}audit-events/export?${query}`);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = `audit-${new Date().toISOString().slice(0, 10)}.${format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    extendToast(started, t("audit.export.done", { file: link.download }));
  } catch (error) {
    toastProblem(error);
  }
}

/** @param {string} address @returns {Promise<Response>} */
async function read(address) {
  for (;;) {
    const answer = await fetch(address, { credentials: "same-origin", cache: "no-store" });
    if (answer.ok) return answer;
    const problem = new Problem(answer.status, await answer.json().catch(() => ({})));
    if (answer.status === 401) await hooks.signIn();
    else if (problem.code !== "proof_too_old" || !(await hooks.stepUp(problem.maxAge))) throw problem;
  }
}
