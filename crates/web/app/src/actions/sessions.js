// @ts-check
// Ending sessions, and the acknowledgments of the processes for whatever ends sessions.

import { call } from "../api.js";
import { confirmDialog } from "../components/dialog.js";
import { extendToast, toast, toastProblem } from "../components/toast.js";
import { formatList, t, tn } from "../i18n.js";
import { nameOf } from "../directory.js";
import { can } from "../rights.js";
import { act, refreshPage } from "../shop.js";

const ACKNOWLEDGMENT_DELAY = 600;

/** Ends one session at once. @param {{id: string, user?: any, device?: any}} session */
export const endSession = (session) =>
  act(async () => {
    const answer = await call("DELETE", `sessions/${session.id}`);
    const values = { name: nameOf(session.user) || session.device?.name || "", device: session.device?.name ?? "" };
    const text = session.user && session.device ? t("session.ended_on", values) : t("session.ended", values);
    toastEnding(answer, text, { detail: session.user ? t("session.ended.hint") : undefined });
  });

/** Ends sessions one by one, and reports which were refused. @param {any[]} sessions */
export async function endMany(sessions) {
  const isSure = await confirmDialog({
    title: tn("session.end_many", sessions.length),
    text: t("session.end_selected"),
    action: tn("session.end_many", sessions.length),
  });
  if (!isSure) return;
  await forEachItem(sessions, (session) => call("DELETE", `sessions/${session.id}`));
}

/**
 * Does something with each item, and reports how many were done and refused.
 * @param {any[]} items
 * @param {(item: any) => Promise<any>} act
 */
export async function forEachItem(items, act) {
  let done = 0;
  /** @type {unknown} */
  let refusal = null;
  let refused = 0;
  for (const item of items) {
    try {
      await act(item);
      done += 1;
    } catch (error) {
      refused += 1;
      refusal ??= error;
    }
  }
  toast(tn("bulk.done", done), { detail: refused ? tn("bulk.refused", refused) : undefined });
  if (refusal) toastProblem(refusal);
  await refreshPage();
}

/**
 * Ends all sessions of a person, on a device, or of the tenant.
 * @param {{user?: string, device?: string, everyone?: boolean}} whose
 * @param {string} name
 * @param {number | null} count
 */
export async function endAll(whose, name, count) {
  const isSure = await confirmDialog({
    title: whose.everyone ? t("session.end_everyone") : t("session.end_all", { name }),
    text: count === null ? t("session.end_all.text") : tn("session.end_all.count", count),
    points: [t("session.end_all.permanent")],
    action: t("session.end_all.action"),
    name: whose.everyone ? name : undefined,
  });
  if (!isSure) return;
  await act(async () => {
    toastEnding(await call("POST", "sessions/end", { body: whose }), t("session.ended_all", { name }));
  });
}

/**
 * Reports what was done. If it ended sessions, the message also says when each process of the server
 * had applied that.
 * @param {{headers: Headers} | null} answer
 * @param {string} text
 * @param {Parameters<typeof toast>[1]} [options]
 */
export function toastEnding(answer, text, options) {
  const entry = toast(text, options);
  const position = answer?.headers.get("revocation");
  if (!position || !can("sessionDelete")) return;
  setTimeout(async () => {
    try {
      const { data } = await call("GET", `revocations/${position}`);
      const applied = data.processes.filter((/** @type {any} */ each) => each.applied_at);
      const lines = applied.map((/** @type {any} */ each) => `${each.name} ${each.applied_at.slice(11, 23)}`);
      if (lines.length) extendToast(entry, t("session.acknowledgment", { processes: formatList(lines) }));
    } catch {
      // the acknowledgment is an addition: the session has ended
    }
  }, ACKNOWLEDGMENT_DELAY);
}
