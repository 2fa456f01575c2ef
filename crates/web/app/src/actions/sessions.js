// Ending sessions, and the acknowledgments of the processes for whatever ends sessions.

import { act, call, can, extendToast, formatSeconds, isOwn, isSelf, nameOf, navigate, readItems, refreshPage, signOut, t, tn,
  toast, toastProblem } from "../core.js";
import { confirmDialog } from "../components/form.js";

const ACKNOWLEDGMENT_DELAY = 600;
/** The most sessions and tickets that are read to count them. */
const MAX_COUNTED = 200;

/** The name of the person or the device of a session. */
const holderOf = (/** @type {App.SessionOf} */ { user, device }) => nameOf(user) || device?.name || "";

/** Asks before a single key ends the session of somebody. */
export const askToEnd = (/** @type {App.SessionOf} */ session, /** @type {string} */ action) =>
  confirmDialog({ title: t("session.end_of", { name: holderOf(session) }), text: t("session.end_of.text"), action });

/** Ends one session; a key asks first. The own one ends by signing out.
 * @param {App.SessionOf & {id: string}} session */
export async function endSession(session, byKey = false) {
  if (isOwn(session)) {
    const question = { title: t("session.end_own"), text: t("session.end_own.text"), action: t("sign_out") };
    return (await confirmDialog(question)) ? signOut() : undefined;
  }
  if (byKey && !(await askToEnd(session, t("session.end")))) return undefined;
  return act(async () => {
    const response = await call("DELETE", `sessions/${session.id}`);
    const { user, device } = session;
    const values = { name: holderOf(session), device: device?.name ?? "" };
    const text = t(user && device ? "session.ended_on" : "session.ended", values);
    toastEnding(response, text, { detail: user ? t("session.ended.hint") : undefined });
  });
}

/** Ends what belongs to each item after a question, and reports what was refused.
 * @param {any[]} items @param {string} key of the title @param {(item: any) => boolean} isOwn
 * @param {(item: any) => Promise<any>} end */
async function endEach(items, key, isOwn, end) {
  const points = items.some(isOwn) ? [t("session.end_own.text")] : [];
  const words = { title: tn(key, items.length), text: t("session.end_selected"), action: t("session.end_all.action") };
  if (await confirmDialog({ ...words, points })) await forEachItem(items, end);
}

/** Ends sessions one by one. @param {any[]} sessions */
export const endMany = (sessions) => endEach(sessions, "session.end_many", isOwn, ({ id }) => call("DELETE", `sessions/${id}`));

/** Ends all sessions of several people. @param {User[]} users */
export const endAllOf = (users) =>
  endEach(users, "session.end_of_people", isSelf, ({ id }) => call("POST", "sessions/end", { body: { user: id } }));

/** Changes a status at once, and reports it with a text. With `undo`, the message offers to undo
 * that. @param {string} path @param {string} status @param {string} text
 * @param {{detail?: string, undo?: () => void}} [options] */
export const changeStatus = (path, status, text, { detail, undo } = {}) =>
  act(async () => {
    const response = await call("PATCH", path, { body: { status }, ifMatch: "*" });
    toastEnding(response, text, { detail, action: undo && { label: t("undo"), run: undo } });
  });

/** Changes the status of several users or devices. @param {App.OwnerList} list
 * @param {{id: string}[]} items @param {"active" | "suspended" | "locked"} status */
export const changeStatuses = (list, items, status) =>
  forEachItem(items, ({ id }) => call("PATCH", `${list}/${id}`, { body: { status }, ifMatch: "*" }));

/** Does something with each item, and reports how many were done and refused. */
export async function forEachItem(/** @type {any[]} */ items, /** @type {(item: any) => Promise<any>} */ act) {
  const refusals = /** @type {unknown[]} */ ([]);
  for (const item of items) await act(item).catch((error) => refusals.push(error));
  const detail = refusals.length ? tn("bulk.refused", refusals.length) : undefined;
  toast(tn("bulk.done", items.length - refusals.length), { detail });
  if (refusals.length) toastProblem(refusals[0]);
  await refreshPage();
}

/** Ends all sessions of a person, on a device, or of the tenant, after a question that says in
 * numbers what that means. @param {{user?: string, device?: string, everyone?: boolean}} whose
 * @param {string} name */
export async function endAll(whose, name) {
  const { everyone, user, device } = whose;
  const [sessions, tickets] = await Promise.all([
    readItems("sessions", { user, device, live: true, limit: MAX_COUNTED }),
    readItems("tickets", { owner: user, device, state: "open", limit: MAX_COUNTED }),
  ]).catch(() => [[], []]);
  const ending = sessions.filter(({ kind }) => kind !== "permanent");
  const tills = new Set(ending.map((session) => session.device?.id).filter(Boolean)).size;
  const isCounted = ending.length > 0 && sessions.length < MAX_COUNTED;
  const isSure = await confirmDialog({
    title: everyone ? t("session.end_everyone") : t("session.end_all", { name }),
    text: isCounted ? tn("session.end_all.count", ending.length) : t("session.end_all.text"),
    points: [
      ...(tills > 1 ? [tn("session.end_all.tills", tills)] : []),
      ...(tickets.length ? [tn("session.end_all.tickets", tickets.length)] : []),
      t("session.end_all.permanent"),
      ...(sessions.some(isOwn) ? [t("session.end_own.text")] : []),
    ],
    action: t("session.end_all.action"),
    name: everyone ? name : undefined,
  });
  if (!isSure) return;
  await act(async () => {
    toastEnding(await call("POST", "sessions/end", { body: whose }), t("session.ended_all", { name }));
  });
}

/** Reports what was done. If it ended sessions, the message also says since when that is in effect
 * in every process of the server. @param {{headers: Headers} | null} response @param {string} text
 * @param {App.ToastOptions} [options] */
export function toastEnding(response, text, options) {
  const entry = toast(text, options);
  const position = response?.headers.get("revocation");
  if (!position || !can("sessionDelete")) return;
  setTimeout(async () => {
    // the acknowledgment is an addition: the session has ended
    const response = await call("GET", `revocations/${position}`).catch(() => null);
    const times = (response?.data.processes ?? []).map((/** @type {any} */ each) => each.applied_at);
    if (times.length === 0 || !times.every(Boolean)) return;
    extendToast(entry, t("session.acknowledgment", { time: formatSeconds(times.sort().at(-1)) }));
  }, ACKNOWLEDGMENT_DELAY);
}

/** Asks whether to delete something, deletes it, reports that it is done, and goes to an address.
 * @param {string} path @param {App.Question} question @param {string} done
 * @param {string} [address] @param {(values: App.Values) => Promise<any>} [prepare] what is
 * done before, by what was entered */
export async function askAndDelete(path, question, done, address, prepare) {
  const values = await confirmDialog(question);
  if (!values) return;
  await act(async () => {
    await prepare?.(values);
    toastEnding(await call("DELETE", path, { ifMatch: "*" }), done);
    if (address) navigate(address);
  });
}
