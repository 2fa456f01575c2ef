// @ts-check
// Tickets of the tills.

import { filterBar } from "../components/filters.js";
import { lazyPanel } from "../components/lazy.js";
import { ListState, tableView } from "../components/list.js";
import { emptyBox, moment, state } from "../components/small.js";
import { directory } from "../directory.js";
import { formatMoney, t } from "../i18n.js";
import { can } from "../rights.js";
import { pickQuery, withQuery } from "../router.js";
import { PERIODS } from "../time.js";
import { html, nothing } from "../view.js";
import { personName, ticketTitle, ticketTones } from "./ticket-words.js";

const ticketPanel = lazyPanel(() => import("./ticket-panel.js"));
const list = new ListState("tickets");
/** @param {import("../router.js").Route} route @param {boolean} refresh */
async function load(route, refresh) {
  const query = {
    ...pickQuery(route, ["state", "device", "owner", "search"]),
    ...PERIODS[route.query.get("period") ?? ""]?.(),
    sort: "-opened_at",
  };
  await Promise.all([list.show(query, refresh), ticketPanel.load(route.id)]);
}

/** @returns {import("../components/list.js").Column[]} */
const columns = () => [
  {
    key: "number",
    label: t("ticket.column.ticket"),
    cell: (each) => html`<strong class="num">${ticketTitle(each)}</strong>
      ${each.refund_of ? html`<span class="chip">${t("ticket.refund")}</span>` : nothing}`,
  },
  { key: "state", label: t("field.status"), cell: (each) => state(ticketTones[each.state], t(`ticket_state.${each.state}`)) },
  { key: "device", label: t("field.device"), cell: (each) => each.device.name ?? "–" },
  { key: "owner", label: t("ticket.owner"), cell: (each) => personName(each.owner) },
  { key: "place", label: t("ticket.place"), class: "wide", cell: (each) => [each.location.zone, each.location.table].filter(Boolean).join(" ") || html`<span class="faint">–</span>` },
  { key: "items", label: t("ticket.items"), class: "num wide", cell: (each) => each.items.length },
  { key: "opened", label: t("ticket.opened"), class: "num", cell: (each) => moment(each.opened_at) },
  { key: "payable", label: t("ticket.payable"), class: "num end", cell: (each) => formatMoney(each.payable, each.currency) },
];

const filters = () => [
  { name: "state", label: t("filter.status"), options: ["open", "closed", "void"].map((value) => ({ value, label: t(`ticket_state.${value}`) })) },
  { name: "device", label: t("field.device"), options: directory("devices").map(({ id, name }) => ({ value: id, label: name })) },
  ...(can("userRead") ? [{ name: "owner", label: t("ticket.owner"), options: directory("users").map((user) => ({ value: user.id, label: user.display_name })) }] : []),
  { name: "period", label: t("period.all"), options: Object.keys(PERIODS).map((value) => ({ value, label: t(`period.${value}`) })) },
];

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

/** @param {import("../router.js").Route} route */
function view(route) {
  return html`
    <div class="split">
      <div class="page">
        ${filterBar({ search: t("ticket.search"), filters: filters(), end: totals() })}
        ${tableView(list, {
          columns: columns(),
          label: t("nav.tickets"),
          rowHref: (ticket) => withQuery({}, ticket.id),
          openId: route.id,
          rowClass: (ticket) => (ticket.state === "void" ? "over" : ""),
          empty: () => emptyBox({ title: t("tickets.empty.title"), text: t("tickets.empty.text"), curl: ["GET", "tickets?sort=-opened_at"] }),
        })}
      </div>
      ${route.id ? ticketPanel.view(route.id) : nothing}
    </div>`;
}

/** @type {import("../main.js").Page} */
export const page = { title: () => t("nav.tickets"), kinds: ["ticket"], load, view };
