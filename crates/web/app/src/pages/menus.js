// Menus of devices, and links to other pages as items of menus. A link to a page that the person may not see is false.

import { lazyActions } from "../components/lazy.js";
import { can, href, seesSessions, t } from "../core.js";
import { currentRowId } from "../shortcuts.js";

export const sessionActions = lazyActions(() => import("../actions/sessions.js"));
export const deviceActions = lazyActions(() => import("../actions/devices.js"));

/** What a list without devices says. @returns {App.Emptiness} */
export const noDevices = () => ({
  key: "tills",
  curl: ["POST", "devices", { name: "P01", environment: "CashRegister" }],
  command: "tillgate device add P01 --environment CashRegister",
});

/** Ends the session on a device. @param {any} device @param {boolean} [byKey] */
const endSeat = (device, byKey) => sessionActions.endSession({ id: device.seat.session_id, user: device.seat.user, device }, byKey);

/** Whether a device is neither active nor gone. @param {NativeApi.Device} device */
const isClosed = ({ status }) => status !== "active" && status !== "retired";

/** What changes who may use a device. @param {NativeApi.Device} device @returns {App.MenuEntry[]} */
export function deviceActs(device) {
  const { seat, status } = device;
  const canUpdate = can("deviceUpdate");
  return /** @type {any[]} */ ([
    seat && can("sessionDelete") && { label: t("session.end"), icon: "leave", key: "e", run: () => endSeat(device) },
    canUpdate && status === "active" && { label: t(seat ? "device.end_and_lock" : "device.lock"), icon: "lock", key: "l", run: () => deviceActions.lockDevice(device) },
    canUpdate && isClosed(device) && { label: t(status === "pending" ? "device.activate" : "device.unlock"), icon: "unlock", key: "l", run: () => deviceActions.unlockDevice(device) },
  ]).filter(Boolean);
}

/** What can be done with a device, as a menu. @param {NativeApi.Device} device @returns {App.MenuItem[]} */
export const deviceMenu = (device) => [
  ...deviceActs(device),
  null,
  deviceLink(device),
  personLink(device.seat?.user),
  ...linksTo({ device: device.id }),
];

/** The keys of a page with devices: what they do with the device of the current row. @param {any[]} devices @returns {App.PageKeys} */
export function deviceKeys(devices) {
  const device = devices.find((each) => each.id === currentRowId());
  const lock = () => device.status === "active" ? deviceActions.lockDevice(device, true) : isClosed(device) && deviceActions.unlockDevice(device);
  return {
    e: { label: t("session.end"), run: () => device?.seat && can("sessionDelete") && endSeat(device, true) },
    l: { label: t("device.lock_toggle"), run: () => device && can("deviceUpdate") && lock() },
  };
}

/** @param {{id: string} | null | undefined} user */
export const personLink = (user) =>
  user && can("userRead") && { label: t("board.open_person"), icon: "person", href: href("people", user.id) };

/** @param {{id: string} | null | undefined} device */
export const deviceLink = (device) => device && { label: t("device.open"), icon: "device", href: href("devices", device.id) };

/** @param {Record<string, string>} filter */
export const auditLink = (filter) => can("auditRead") && { label: t("nav.audit"), icon: "audit", href: href("audit", null, filter) };

/** Links to the sessions, tickets and events of a person or a device. @param {{user: string} | {device: string}} of */
export const linksTo = (of) => [
  seesSessions() && { label: t("nav.sessions"), icon: "session", href: href("sessions", null, "user" in of ? { ...of, live: "all" } : of) },
  { label: t("nav.tickets"), icon: "ticket", href: href("tickets", null, "user" in of ? { owner: of.user } : of) },
  auditLink(of),
];
