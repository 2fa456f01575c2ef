// Tickets of the tills.

import { whoFilters } from "../components/filters.js";
import { exportButton, lazyPanel, listPage, ListState } from "../components/list-page.js";
import { dash, moment, state } from "../components/small.js";
import { formatMoney, html, nothing, optionsOf, PERIODS, t } from "../core.js";
import { personName, ticketTitle, ticketTones } from "./ticket-words.js";

const list = new ListState("tickets");

/** The sum of what is shown, by currency, without floating-point errors. */
function totals() {
  /** @type {Map<string, {units: bigint, digits: number, count: number}>} */
  const sums = new Map();
  for (const ticket of list.items.filter((each) => each.state === "closed")) {
    const [whole, part = ""] = ticket.payable.split(".");
    const sum = sums.get(ticket.currency) ?? { units: 0n, digits: part.length, count: 0 };
    sums.set(ticket.currency, { units: sum.units + BigInt(whole + part), digits: part.length, count: sum.count + 1 });
  }
  return [...sums].map(([currency, { units, digits, count }]) => {
    const text = (units < 0n ? -units : units).toString().padStart(digits + 1, "0");
    const amount = digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text;
    return html`<span class="sum">${t("ticket.sum", { count })} <strong class="num">${formatMoney((units < 0n ? "-" : "") + amount, currency)}</strong></span>`;
  });
}

export const page = listPage({
  list,
  panel: lazyPanel(() => import("./ticket-panel.js")),
  kinds: ["ticket"],
  also: ["owner", "store"],
  sort: "-opened_at",
  columns: () => [
    {
      label: t("ticket.column.ticket"),
      cell: (each) => html`<strong class="num">${ticketTitle(each)}</strong>
        ${each.refund_of ? html`<span class="chip">${t("ticket.refund")}</span>` : nothing}`,
    },
    { label: t("field.status"), cell: (each) => state(ticketTones[each.state], t(`ticket_state.${each.state}`)) },
    { label: t("field.device"), cell: (each) => each.device.name ?? "–" },
    { label: t("ticket.owner"), cell: (each) => personName(each.owner) },
    { label: t("ticket.place"), class: "wide", cell: (each) => [each.location.zone, each.location.table].filter(Boolean).join(" ") || dash },
    { label: t("ticket.items"), class: "num wide", cell: (each) => each.items.length },
    { label: t("ticket.opened"), class: "num", cell: (each) => moment(each.opened_at) },
    { label: t("ticket.payable"), class: "num end", cell: (each) => formatMoney(each.payable, each.currency) },
  ],
  search: () => t("ticket.search"),
  filters: () => [
    { name: "state", label: t("filter.status"), options: optionsOf(["open", "closed", "void"], (name) => t(`ticket_state.${name}`)) },
    { name: "refund", label: t("ticket.kinds"), options: optionsOf(["false", "true"], (name) => t(`ticket_refund.${name}`)) },
    ...whoFilters("owner", t("ticket.owner")),
    { name: "period", label: t("period.all"), options: optionsOf(Object.keys(PERIODS), (name) => t(`period.${name}`)) },
    { name: "sort", label: t("sort.newest"), options: optionsOf(["opened_at", "-payable", "payable"], (name) => t(`sort.${name}`)) },
  ],
  end: () => html`${totals()}${exportButton(list)}`,
  rowClass: (ticket) => (ticket.state === "void" ? "over" : ""),
  empty: () => ({ key: "tickets", curl: ["GET", "tickets?sort=-opened_at"] }),
});
