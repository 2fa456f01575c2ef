// The states of devices, and their order by store.

import { directory, state, t } from "../core.js";

export const environments = ["CashRegister", "PDA", "BackOffice", "Tool"];

const IDLE_AFTER = 15 * 60_000;

/** Whether people sell on a device. @param {Device} device */
export const isTill = (device) => device.environment === "CashRegister" || device.environment === "PDA";
/** When a device was last used, or somebody logged in on it. @param {Device} device */
export const seenAt = ({ last_seen_at: seen, seat }) =>
  [seen, seat?.last_used_at, seat?.created_at].filter(Boolean).sort().at(-1);

/** The state of a device, one of `TONES`; `active` without a known seat. */
export function boardState(/** @type {Device} */ device) {
  if (device.status !== "active") return device.status;
  if (!device.seat) return isTill(device) && "seat" in device ? "free" : "active";
  const used = device.seat.last_used_at ?? device.seat.created_at;
  return Date.now() - new Date(used).getTime() > IDLE_AFTER ? "idle" : "used";
}

/** The tone in which a state is shown. @type {Record<string, string>} */
const TONES = { used: "good", active: "good", idle: "idle", free: "free", locked: "bad", pending: "new", retired: "free" };
/** The state of a device by shape and word. @param {Device} device */
export const stateView = (device) => state(TONES[boardState(device)], t(`board.${boardState(device)}`));

/** Groups devices by store, with its name; those without one are the last group. */
export function groupByStore(/** @type {any[]} */ devices) {
  if (!devices.some(({ store }) => store)) return [{ name: "", devices }];
  const groups = [...directory("stores"), { id: undefined, name: t("store.none") }].map(({ id, name }) => ({
    name,
    devices: devices.filter(({ store }) => store?.id === id),
  }));
  return groups.filter((group) => group.devices.length > 0);
}
