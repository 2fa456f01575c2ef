// @ts-check
import { lazyActions } from "../components/lazy.js";
import { emptyBox } from "../components/small.js";
import { t } from "../i18n.js";
import { can, seesSessions } from "../rights.js";
import { href } from "../router.js";

const { endSession } = lazyActions(() => import("../actions/sessions.js"));
export const deviceActions = lazyActions(() => import("../actions/devices.js"));

/** What a list without devices says. */
export const noDevices = () =>
  emptyBox({
    title: t("tills.empty.title"),
    text: t("tills.empty.text"),
    action: can("deviceCreate") ? { label: t("device.register"), run: deviceActions.registerDevice } : undefined,
    curl: ["POST", "devices", { name: "P01", environment: "CashRegister" }],
    command: "tillgate device add P01 --environment CashRegister",
  });

/**
 * What can be done with a device, as a menu.
 * @param {NativeApi.Device} device
 * @returns {import("../components/menu.js").MenuItem[]}
 */
export function deviceMenu(device) {
  const seat = device.seat;
  const canUpdate = can("deviceUpdate");
  /** @type {import("../components/menu.js").MenuItem[]} */
  const items = [];
  if (seat && can("sessionDelete")) {
    const session = { id: seat.session_id, user: seat.user, device };
    items.push({ label: t("session.end"), icon: "leave", key: "e", run: () => endSession(session) });
  }
  if (canUpdate && device.status === "active") {
    items.push({ label: t(seat ? "device.end_and_lock" : "device.lock"), icon: "lock", key: "l", run: () => deviceActions.lockDevice(device) });
  }
  if (canUpdate && device.status !== "active" && device.status !== "retired") {
    const label = t(device.status === "pending" ? "device.activate" : "device.unlock");
    items.push({ label, icon: "unlock", key: "l", run: () => deviceActions.unlockDevice(device) });
  }
  if (items.length) items.push(null);
  items.push({ label: t("device.open"), icon: "device", href: href("devices", device.id) });
  if (seat?.user && can("userRead")) items.push({ label: t("board.open_person"), icon: "person", href: href("people", seat.user.id) });
  if (seesSessions()) {
    items.push({ label: t("nav.sessions"), icon: "session", href: href("sessions", null, { device: device.id }) });
  }
  items.push({ label: t("nav.tickets"), icon: "ticket", href: href("tickets", null, { device: device.id }) });
  if (can("auditRead")) items.push({ label: t("nav.audit"), icon: "audit", href: href("audit", null, { device: device.id }) });
  return items;
}
