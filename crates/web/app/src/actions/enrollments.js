// The enrollment of a device: its one-time code, and the key that the device enrolled.

import { call, optionsOf, t, tn, toast } from "../core.js";
import { formatSpan } from "../components/field-errors.js";
import { formDialog } from "../components/form.js";
import { act, refreshPage } from "../shop.js";
import { askAndDelete } from "./sessions.js";

/** How long a code can be valid, in seconds. The first one is offered. */
const LIFETIMES = ["600", "3600", "86400", "604800"];

/** The codes that were started here, which no other call returns, by device. @type {Map<string, App.EnrollmentCode>} */
export const codes = new Map();

/** What ends with the key of a device. @param {number | undefined} sessions how many, if that may be seen */
const endings = (sessions) => [
  ...(sessions === undefined ? [t("device_key.ends.sessions")] : [tn("device.retire.sessions", sessions)]),
  t("session.end_all.permanent"),
  t("device_key.ends.key"),
];

/**
 * Starts the enrollment of a device. If it has a key, the person reads first what ends when the code is used.
 * @param {NativeApi.Device} device
 * @param {boolean} replace whether it has a key
 * @param {number | undefined} sessions how many sessions on it end then, if that may be seen
 */
export async function startEnrollment({ id, name }, replace, sessions) {
  const body = (/** @type {App.Values} */ { expires_in: seconds }) => ({ expires_in: Number(seconds), replace });
  const started = await formDialog({
    title: t(replace ? "enroll.replace.title" : "enroll.title", { name }),
    text: t(replace ? "enroll.replace.text" : "enroll.text"),
    points: replace ? endings(sessions) : [],
    fields: [{ name: "expires_in", label: t("enroll.lifetime"), type: "select", required: true, value: LIFETIMES[0], options: optionsOf(LIFETIMES, (seconds) => formatSpan(Number(seconds))), hint: t("enroll.lifetime.hint") }],
    action: t("enroll.action"),
    danger: replace,
    asCall: (values) => ["POST", `devices/${id}/enrollment`, body(values)],
    submit: async (values) => (await call("POST", `devices/${id}/enrollment`, { body: body(values) })).data,
  });
  if (!started) return;
  // counted from now, because the clock of this machine may be wrong
  codes.set(id, { ...started, until: Date.now() + Date.parse(started.expires_at) - Date.parse(started.created_at) });
  await refreshPage();
}

/** Makes the code of a device void. @param {NativeApi.Device} device */
export const cancelEnrollment = ({ id, name }) =>
  act(async () => {
    await call("DELETE", `devices/${id}/enrollment`);
    codes.delete(id);
    toast(t("enroll.canceled", { name }));
  });

/** Revokes the key of a device, after a question that says what ends. @param {NativeApi.Device} device @param {NativeApi.DeviceKey} key @param {number | undefined} sessions */
export function revokeKey({ id, name }, key, sessions) {
  const question = { title: t("device_key.revoke.title", { name }), text: t("device_key.revoke.text"), points: endings(sessions), action: t("device_key.revoke") };
  return askAndDelete(`devices/${id}/keys/${key.thumbprint}`, question, t("device_key.was_revoked", { name }));
}
