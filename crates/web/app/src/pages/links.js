// @ts-check
// Links to other pages, as items of a menu. A link to a page that the person may not see is false.

import { can, href, seesSessions, t } from "../core.js";

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
