// @ts-check
// The devices with who is on each of them.

import { Problem, readAll } from "../api.js";
import { directory } from "../directory.js";
import { seesSessions } from "../rights.js";

const IDLE_AFTER = 15 * 60_000;
const SILENT_AFTER = 36 * 3_600_000;

/** Whether the server lists devices together with their seats. */
let hasSeats = true;

/** Reads the devices that are not retired, each with `seat` and `last_seat`. @param {string | null} store */
export async function readBoard(store) {
  const filter = store ? { store } : {};
  if (!seesSessions()) return withoutRetired(await readAll("devices", filter));
  if (hasSeats) {
    try {
      return withoutRetired(await readAll("devices", { with: "seat", ...filter }));
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 422) throw error;
      hasSeats = false;
    }
  }
  const [devices, sessions] = await Promise.all([readAll("devices"), readAll("sessions", { live: true })]);
  const seats = new Map(sessions.filter((each) => each.device && each.mount !== "krmpesan").map((each) => [each.device.id, each]));
  return withoutRetired(devices).map((device) => ({ ...device, seat: toSeat(seats.get(device.id)) }));
}

/** @param {any[]} devices */
const withoutRetired = (devices) => devices.filter((device) => device.status !== "retired");

/** @param {any} session */
const toSeat = (session) => (session ? { ...session, session_id: session.id } : null);

/** The state of a device on the board: `used`, `idle`, `free`, `locked`, `pending`; `active` without a known seat. @param {any} device */
export function boardState(device) {
  if (device.status === "locked" || device.status === "pending") return device.status;
  const isTill = device.environment === "CashRegister" || device.environment === "PDA";
  if (!device.seat) return isTill && "seat" in device ? "free" : "active";
  const used = device.seat.last_used_at ?? device.seat.created_at;
  return Date.now() - new Date(used).getTime() > IDLE_AFTER ? "idle" : "used";
}

/** The tone in which a state is shown. @type {Record<string, string>} */
export const tones = { used: "good", active: "good", idle: "idle", free: "free", locked: "bad", pending: "new", retired: "free" };

/** Whether a till has been silent for longer than a usual day. @param {any} device */
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
