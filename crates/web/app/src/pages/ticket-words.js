import { nameOf, state, t } from "../core.js";

/** @type {Record<string, string>} */
const TONES = { open: "new", closed: "good", void: "bad" };

export const ticketState = (/** @type {Ticket} */ { state: is }) => state(TONES[is], t(`ticket_state.${is}`));
export const ticketTitle = (/** @type {Ticket} */ ticket) =>
  ticket.closed ? t("ticket.number", { number: ticket.closed.number }) : ticket.name || t("ticket.unnamed");
export const personName = (/** @type {NativeApi.TicketPerson} */ person) => nameOf(person) || t("audit.gone_user");
