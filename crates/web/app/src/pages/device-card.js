// A device on the board: who is on it, or who was on it last.

import { age, dash, faint, formatDuration, formatMoment, html, icon, menuButton, moment, nameOf, nothing, t,
  word } from "../core.js";
import { column } from "../components/table.js";
import { boardState, seenAt, stateView } from "./board.js";
import { deviceMenu } from "./menus.js";

const SILENT_AFTER = 36 * 3_600_000;

/** A device as a tile. @param {Device} device @param {App.CardOptions} options */
export function card(device, { address, isOpen, isChanged }) {
  return html`
    <li class="card ${boardState(device)} ${isChanged ? "changed" : ""}" data-row=${device.id}
      aria-current=${isOpen ? "true" : nothing}>
      <div class="card-head">
        <a class="card-name" href=${address}>${device.name}</a>
        ${stateView(device)}
        ${menuButton(() => deviceMenu(device), device.name)}
      </div>
      ${device.seat ? seatLines(device) : freeLines(device)}
    </li>`;
}

/** The other devices on which the person of this one works. */
const alsoOn = (/** @type {any} */ { also }) =>
  also.length ? html`<p class="card-note">${icon("people")}${t("board.also_on", { devices: also.join(", ") })}</p>` : nothing;

function seatLines(/** @type {any} */ device) {
  const { user, mount, address, created_at: at } = device.seat;
  return html`
    <p class="card-person">${nameOf(user) || t("board.itself")}</p>
    <p class="card-line">${t("board.since", { time: formatMoment(at), duration: formatDuration(at) })}</p>
    <p class="card-line faint">${word("mount", mount)}${address ? html` · <span class="num">${address}</span>` : nothing}
      <span class="fill"></span>${age(seenAt(device))}</p>
    ${alsoOn(device)}`;
}

function freeLines(/** @type {any} */ device) {
  const last = device.last_seat;
  if (boardState(device) === "active") return html`<p class="card-line faint">${device.description}</p>`;
  return html`
    <p class="card-person none">${device.status === "pending" ? t("board.not_set_up") : t("board.nobody")}</p>
    ${last
      ? html`<p class="card-line">${t("board.last", { name: nameOf(last.user), time: formatMoment(last.ended_at) })}</p>
          <p class="card-line faint">${word("ended_why", last.ended_why)}</p>`
      : html`<p class="card-line faint">${device.description}</p>`}
    ${silence(device)}`;
}

/** Says since when a till has been silent, if that is longer than a usual day. */
const silence = (/** @type {Device} */ { status, last_seen_at: at }) =>
  status === "active" && at && Date.now() - new Date(at).getTime() > SILENT_AFTER
    ? html`<p class="card-note warn">${icon("clock")}${t("board.silent", { time: formatMoment(at) })}</p>`
    : nothing;

const seatAge = (/** @type {any} */ { created_at: at }) => html`${moment(at)} ${faint(formatDuration(at))}`;

/** A device as a row of a table. @returns {App.Column[]} */
export const columns = () => [
  column("tills.column.till", ({ name, environment }) => html`<strong>${name}</strong>
    ${faint(environment === "CashRegister" ? "" : word("environment", environment))}`),
  column("tills.column.state", stateView),
  column("tills.column.person", (each) => {
    if (!each.seat) return html`${dash}${silence(each)}`;
    return html`${nameOf(each.seat.user) || t("board.itself")}${alsoOn(each)}`;
  }),
  column("session.column.since", ({ seat }) => seat && seatAge(seat), "num"),
  column("tills.column.seen", (each) => age(seenAt(each))),
  column("field.dialect", (each) => word("mount", each.seat?.mount)),
  column("field.address", (each) => each.seat?.address, "num"),
];
