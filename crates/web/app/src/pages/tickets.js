// Tickets of the tills.

import { column, exportButton, listPage, ListState, periodFilter, whoFilters, wordFilter } from "../components/list-page.js";
import { chip, dash, formatMoney, html, joined, lazyPanel, moment, nothing, t } from "../core.js";
import { personName, ticketState, ticketTitle } from "./ticket-words.js";

const list = new ListState("tickets");

/** The sum of what is shown, by currency, without floating-point errors. */
function totals() {
  const sold = Map.groupBy(list.items.filter(({ state }) => state === "closed"), ({ currency }) => currency);
  return [...sold].map(([currency, tickets]) => {
    const digits = tickets[0].payable.split(".")[1]?.length ?? 0;
    const units = tickets.reduce((sum, { payable }) => sum + Math.round(Number(payable) * 10 ** digits), 0);
    const sum = formatMoney((units / 10 ** digits).toFixed(digits), currency);
    return html`<span class="sum">${t("ticket.sum", { count: tickets.length })} <strong class="num">${sum}</strong></span>`;
  });
}

export const page = listPage({
  list,
  panel: lazyPanel(() => import("./ticket-panel.js")),
  kinds: ["ticket"],
  also: ["owner", "store"],
  sort: "-opened_at",
  columns: () => [
    column("ticket.column.ticket", (each) => html`<strong class="num">${ticketTitle(each)}</strong>
      ${each.refund_of ? chip(t("ticket.refund")) : nothing}`),
    column("field.status", ticketState),
    column("field.device", (each) => each.device.name ?? "–"),
    column("field.owner", (each) => personName(each.owner)),
    column("field.location", ({ location: { zone, table } }) => joined([zone, table], " ") || dash, "wide"),
    column("ticket.items", (each) => each.items.length, "num wide"),
    column("ticket.opened", (each) => moment(each.opened_at), "num"),
    column("ticket.payable", (each) => formatMoney(each.payable, each.currency), "num end"),
  ],
  search: () => t("ticket.search"),
  filters: () => [
    wordFilter("state", t("filter.status"), "ticket_state", ["open", "closed", "void"]),
    wordFilter("refund", t("ticket.kinds"), "ticket_refund", ["false", "true"]),
    ...whoFilters("owner", t("field.owner")),
    periodFilter(),
    wordFilter("sort", t("sort.newest"), "sort", ["opened_at", "-payable", "payable"]),
  ],
  end: () => html`${totals()}${exportButton(list)}`,
  rowClass: (ticket) => (ticket.state === "void" ? "over" : ""),
  empty: () => ({ key: "tickets", curl: ["GET", "tickets?sort=-opened_at"] }),
});
