// A device on the board: who is on it, or who was on it last.

import { menuButton } from "../components/lazy.js";
import { age, dash, moment, state } from "../components/small.js";
import { formatDuration, formatMoment, html, icon, nameOf, nothing, t, word } from "../core.js";
import { boardState, seenAt, tones } from "./board.js";
import { deviceMenu } from "./menus.js";

const SILENT_AFTER = 36 * 3_600_000;

/** A device as a tile. @param {NativeApi.Device} device @param {{address: string, isOpen: boolean, isChanged: boolean}} options */
export function card(device, { address, isOpen, isChanged }) {
  const is = boardState(device);
  return html`
    <li class="card ${is} ${isChanged ? "changed" : ""}" data-row=${device.id} aria-current=${isOpen ? "true" : nothing}>
      <div class="card-head">
        <a class="card-name" href=${address}>${device.name}</a>
        ${state(tones[is], t(`board.${is}`))}
        ${menuButton(() => deviceMenu(device), device.name)}
      </div>
      ${device.seat ? seatLines(device) : freeLines(device)}
    </li>`;
}

/** The other devices on which the person of this one works. @param {any} device */
const alsoOn = ({ also }) =>
  also.length ? html`<p class="card-note">${icon("people")}${t("board.also_on", { devices: also.join(", ") })}</p>` : nothing;

/** @param {any} device */
function seatLines(device) {
  const { seat } = device;
  return html`
    <p class="card-person">${nameOf(seat.user) || t("board.itself")}</p>
    <p class="card-line">${t("board.since", { time: formatMoment(seat.created_at), duration: formatDuration(seat.created_at) })}</p>
    <p class="card-line faint">${word("mount", seat.mount)}${seat.address ? html` · <span class="num">${seat.address}</span>` : nothing}
      <span class="fill"></span>${age(seenAt(device))}</p>
    ${alsoOn(device)}`;
}

/** @param {any} device */
function freeLines(device) {
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

/** Says since when a till has been silent, if that is longer than a usual day. @param {NativeApi.Device} device */
const silence = ({ status, last_seen_at: at }) =>
  status === "active" && at && Date.now() - new Date(at).getTime() > SILENT_AFTER
    ? html`<p class="card-note warn">${icon("clock")}${t("board.silent", { time: formatMoment(at) })}</p>`
    : nothing;

/** A device as a row of a table. @returns {App.Column[]} */
export const columns = () => [
  {
    label: t("tills.column.till"),
    cell: (each) => html`<strong>${each.name}</strong>
      <span class="faint">${each.environment === "CashRegister" ? "" : word("environment", each.environment)}</span>`,
  },
  { label: t("tills.column.state"), cell: (each) => state(tones[boardState(each)], t(`board.${boardState(each)}`)) },
  {
    label: t("tills.column.person"),
    cell: (each) => (each.seat ? html`${nameOf(each.seat.user) || t("board.itself")}${alsoOn(each)}` : html`${dash}${silence(each)}`),
  },
  {
    label: t("tills.column.since"),
    class: "num",
    cell: ({ seat }) => seat && html`${moment(seat.created_at)} <span class="faint">${formatDuration(seat.created_at)}</span>`,
  },
  { label: t("tills.column.seen"), cell: (each) => age(seenAt(each)) },
  { label: t("tills.column.mount"), cell: (each) => word("mount", each.seat?.mount) },
  { label: t("tills.column.address"), class: "num", cell: (each) => each.seat?.address },
];
