// Menus of devices, and links to other pages as items of menus, if the person may see these pages.

import { can, entry, href, lazyActions, seesSessions, t } from "../core.js";
import { currentRowId } from "../shortcuts.js";

export const sessionActions = lazyActions(() => import("../actions/sessions.js"));
export const deviceActions = lazyActions(() => import("../actions/devices.js"));

/** What a list without devices says. @returns {App.Emptiness} */
export const noDevices = () => ({
  key: "tills",
  curl: ["POST", "devices", { name: "P01", environment: "CashRegister" }],
  command: "tillgate device add P01 --environment CashRegister",
});

const endSeat = (/** @type {any} */ device, byKey = false) =>
  sessionActions.endSession({ id: device.seat.session_id, user: device.seat.user, device }, byKey);
/** Whether a device is neither active nor gone. */
const isClosed = (/** @type {Device} */ { status }) => status !== "active" && status !== "retired";

/** What changes who may use a device. @param {Device} device @returns {App.MenuItem[]} */
export function deviceActs(device) {
  const { seat, status } = device;
  const canUpdate = can("deviceUpdate");
  const lock = { label: t(seat ? "device.end_and_lock" : "device.lock"), run: () => deviceActions.lockDevice(device) };
  const unlock = t(status === "pending" ? "device.activate" : "device.unlock");
  const open = () => deviceActions.unlockDevice(device);
  return [
    seat && can("sessionDelete") && entry("session.end", "leave", () => endSeat(device), { key: "e" }),
    canUpdate && status === "active" && { ...lock, icon: "lock", key: "l" },
    canUpdate && isClosed(device) && { label: unlock, icon: "unlock", key: "l", run: open },
  ];
}

/** What can be done with a device, as a menu. @param {Device} device @returns {App.MenuItem[]} */
export const deviceMenu = (device) => [
  ...deviceActs(device),
  null,
  deviceLink(device),
  personLink(device.seat?.user),
  ...linksTo({ device: device.id }),
];

/** What keys do with the device of a row. @param {any[]} devices @returns {App.PageKeys} */
export function deviceKeys(devices) {
  const device = devices.find((each) => each.id === currentRowId());
  const lock = () => {
    if (device.status === "active") deviceActions.lockDevice(device, true);
    else if (isClosed(device)) deviceActions.unlockDevice(device);
  };
  return {
    e: { label: t("session.end"), run: () => device?.seat && can("sessionDelete") && endSeat(device, true) },
    l: { label: t("device.lock_toggle"), run: () => device && can("deviceUpdate") && lock() },
  };
}

/** @param {string} page @param {string} label @param {string} icon @param {string | null} id
 * @param {App.Parameters} [query] */
const linkItem = (page, label, icon, id, query) => ({ label: t(label), icon, href: href(page, id, query) });

/** @param {{id: string} | null | undefined} user */
export const personLink = (user) => user && can("userRead") && linkItem("people", "board.open_person", "person", user.id);
/** @param {{id: string} | null | undefined} device */
export const deviceLink = (device) => device && linkItem("devices", "device.open", "device", device.id);
/** @param {App.Parameters} filter */
export const auditLink = (filter) => can("auditRead") && linkItem("audit", "nav.audit", "audit", null, filter);

/** Links to the sessions, tickets and events of a person or a device. */
export const linksTo = (/** @type {{user?: string, device?: string}} */ { user, device }) => [
  seesSessions() && linkItem("sessions", "nav.sessions", "session", null, { user, device, live: user && "all" }),
  linkItem("tickets", "nav.tickets", "ticket", null, { owner: user, device }),
  auditLink({ user, device }),
];
