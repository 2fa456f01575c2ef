// @ts-check
// The devices with who is on each of them.

import { readAll } from "../api.js";
import { directory } from "../directory.js";
import { seesSessions } from "../rights.js";

const IDLE_AFTER = 15 * 60_000;
const SILENT_AFTER = 36 * 3_600_000;

/** Reads the devices that are not retired, each with `seat` and `last_seat`. @param {string | null} store */
export async function readBoard(store) {
  const devices = await readAll("devices", { with: seesSessions() ? "seat" : undefined, store });
  return devices.filter((device) => device.status !== "retired");
}

/** Whether people sell on a device. @param {NativeApi.Device} device */
export const isTill = (device) => device.environment === "CashRegister" || device.environment === "PDA";

/** When a device was last used, or somebody logged in on it. @param {NativeApi.Device} device @returns {string | null} */
export const seenAt = ({ last_seen_at: seen, seat }) => [seen, seat?.last_used_at, seat?.created_at].filter(Boolean).sort().at(-1) ?? null;

/** The state of a device on the board: `used`, `idle`, `free`, `locked`, `pending`; `active` without a known seat. @param {NativeApi.Device} device */
export function boardState(device) {
  if (device.status === "locked" || device.status === "pending") return device.status;
  if (!device.seat) return isTill(device) && "seat" in device ? "free" : "active";
  const used = device.seat.last_used_at ?? device.seat.created_at;
  return Date.now() - new Date(used).getTime() > IDLE_AFTER ? "idle" : "used";
}

/** The tone in which a state is shown. @type {Record<string, string>} */
export const tones = { used: "good", active: "good", idle: "idle", free: "free", locked: "bad", pending: "new", retired: "free" };

/** Whether a till has been silent for longer than a usual day. @param {NativeApi.Device} device */
export const isSilent = (device) =>
  device.status === "active" && device.last_seen_at && Date.now() - new Date(device.last_seen_at).getTime() > SILENT_AFTER;

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

/** The devices on which each person is logged in, by user id. @param {any[]} devices @returns {Map<string, any[]>} */
export function groupByUser(devices) {
  const groups = new Map();
  for (const device of devices) {
    const id = device.seat?.user?.id;
    if (groups.has(id)) groups.get(id).push(device);
    else if (id) groups.set(id, [device]);
  }
  return groups;
}
