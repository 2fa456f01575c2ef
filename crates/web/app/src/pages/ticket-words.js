import { nameOf, t } from "../core.js";

/** @type {Record<string, string>} */
export const ticketTones = { open: "new", closed: "good", void: "bad" };

/** @param {NativeApi.Ticket} ticket */
export const ticketTitle = (ticket) =>
  ticket.closed ? t("ticket.number", { number: ticket.closed.number }) : ticket.name || t("ticket.unnamed");

/** @param {NativeApi.TicketPerson} person */
export const personName = (person) => nameOf(person) || t("audit.gone_user");
