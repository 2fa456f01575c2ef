// The states of devices, and their order by store.

import { directory } from "../core.js";

/** The kinds of devices. */
export const environments = ["CashRegister", "PDA", "BackOffice", "Tool"];

const IDLE_AFTER = 15 * 60_000;

/** Whether people sell on a device. @param {NativeApi.Device} device */
export const isTill = (device) => device.environment === "CashRegister" || device.environment === "PDA";

/** When a device was last used, or somebody logged in on it. @param {NativeApi.Device} device @returns {string | null} */
export const seenAt = ({ last_seen_at: seen, seat }) => [seen, seat?.last_used_at, seat?.created_at].filter(Boolean).sort().at(-1) ?? null;

/** The state of a device: `used`, `idle`, `free`, `locked`, `pending`, `retired`; `active` without a known seat. @param {NativeApi.Device} device */
export function boardState(device) {
  if (device.status !== "active") return device.status;
  if (!device.seat) return isTill(device) && "seat" in device ? "free" : "active";
  const used = device.seat.last_used_at ?? device.seat.created_at;
  return Date.now() - new Date(used).getTime() > IDLE_AFTER ? "idle" : "used";
}

/** The tone in which a state is shown. @type {Record<string, string>} */
export const tones = { used: "good", active: "good", idle: "idle", free: "free", locked: "bad", pending: "new", retired: "free" };

/** Groups devices by store; a device without one is in the last group. @param {any[]} devices */
export function groupByStore(devices) {
  const stores = directory("stores");
  if (!devices.some((device) => device.store)) return [{ id: "", name: "", devices }];
  const groups = stores.map((store) => ({
    id: store.id,
    name: store.name,
    devices: devices.filter((device) => device.store?.id === store.id),
  }));
  groups.push({ id: "none", name: "", devices: devices.filter((device) => !device.store) });
  return groups.filter((group) => group.devices.length > 0);
}
