// A ticket as on paper, with what was done to it beside it.

import { can, formatDecimal, formatMoney, href, html, nothing, readItems, t, toast, word } from "../core.js";
import { Detail, detailPanel, panel } from "../components/detail.js";
import { formDialog } from "../components/form.js";
import { button, idText, moment, state } from "../components/small.js";
import { eventsOf } from "./events.js";
import { personName, ticketTitle, ticketTones } from "./ticket-words.js";

const detail = new Detail("tickets");

export const { load, view } = detailPanel(detail, (ticket) =>
  panel({
    title: ticketTitle(ticket),
    subtitle: [ticket.device.name, personName(ticket.owner)].filter(Boolean).join(" · "),
    state: html`${ticket.refund_of ? html`<span class="chip">${t("ticket.refund")}</span>` : nothing} ${state(ticketTones[ticket.state], t(`ticket_state.${ticket.state}`))}`,
    actions: actions(ticket),
    body: html`
      ${paper(ticket)}
      ${ticket.refund_of ? html`<p><a href=${href("tickets", ticket.refund_of)}>${t("ticket.refund_of")}</a></p>` : refundsOf(ticket)}
      ${idText(ticket.id)}
      ${can("auditRead") ? html`<h3>${t("ticket.history")}</h3>${eventsOf(detail, { subject: ticket.id }, 30)}` : nothing}`,
  }),
);

/** @param {NativeApi.Ticket} ticket */
const actions = (ticket) =>
  ticket.state === "open" && can("ticketDelete") ? button("trash", t("ticket.void"), () => voidTicket(ticket), "danger-quiet") : undefined;

/** Links to what was given back of a sold ticket. @param {NativeApi.Ticket} ticket */
function refundsOf(ticket) {
  if (!ticket.closed) return nothing;
  const { value } = detail.extra("refunds", () => readItems("tickets", { refund_of: ticket.id }));
  return value?.map(
    (/** @type {NativeApi.Ticket} */ each) => html`<p><a href=${href("tickets", each.id)}>${t("ticket.refund")}: ${ticketTitle(each)},
      ${formatMoney(each.payable, each.currency)}</a></p>`,
  );
}

/** @param {NativeApi.Ticket} ticket */
function paper(ticket) {
  const money = (/** @type {string} */ amount) => formatMoney(amount, ticket.currency);
  const isZero = (/** @type {string} */ amount) => /^-?0+(\.0+)?$/.test(amount);
  return html`
    <div class="paper">
      <p class="paper-head">
        ${[ticket.location.zone, ticket.location.table].filter(Boolean).join(" · ") || nothing}
        <span>${moment(ticket.opened_at)}${ticket.closed ? html` – ${moment(ticket.closed.at)}` : nothing}</span>
      </p>
      <table>
        <caption class="visually-hidden">${t("ticket.items")}</caption>
        <tbody>
          ${ticket.items.map(
            (/** @type {any} */ item) => html`
              <tr>
                <td class="num">${formatDecimal(item.quantity)}${item.unit ? ` ${item.unit}` : ""}</td>
                <td>${item.article.name || "–"}
                  ${item.comment ? html`<span class="faint">${item.comment}</span>` : nothing}
                  ${isZero(item.discount_rate) ? nothing : html`<span class="chip">−${formatDecimal(item.discount_rate)} %</span>`}</td>
                <td class="num end">${money(item.totals.after_discount_including_vat)}</td>
              </tr>`,
          )}
        </tbody>
        <tfoot>
          ${isZero(ticket.discount_rate) ? nothing : sumRow(t("ticket.discount"), `−${formatDecimal(ticket.discount_rate)} %`)}
          ${sumRow(t("ticket.without_vat"), money(ticket.totals.after_discount))}
          ${isZero(ticket.rounding) ? nothing : sumRow(t("ticket.rounding"), money(ticket.rounding))}
          <tr class="total"><th colspan="2">${t("ticket.payable")}</th><td class="num end">${money(ticket.payable)}</td></tr>
          ${ticket.payments.map((/** @type {any} */ each) => sumRow(each.name || word("payment", each.means), money(each.amount)))}
          ${ticket.change && !isZero(ticket.change) ? sumRow(t("ticket.change"), money(ticket.change)) : nothing}
        </tfoot>
      </table>
      ${ticket.closed ? html`<p class="faint">${t("ticket.closed_by", { name: personName(ticket.closed.by), device: ticket.closed.device.name ?? "–" })}
          ${ticket.closed.fiscal ? html` · ${ticket.closed.fiscal}` : nothing}</p>` : nothing}
      ${ticket.voided ? html`<p class="bad-text">${t("ticket.voided_by", { name: personName(ticket.voided.by) })}${ticket.voided.reason ? `: ${ticket.voided.reason}` : ""}</p>` : nothing}
    </div>`;
}

/** @param {string} label @param {string} value */
const sumRow = (label, value) => html`<tr><th colspan="2">${label}</th><td class="num end">${value}</td></tr>`;

/** @param {NativeApi.Ticket} ticket */
async function voidTicket(ticket) {
  const done = await formDialog({
    title: t("ticket.void.title"),
    text: t("ticket.void.text"),
    danger: true,
    fields: [{ name: "reason", label: t("ticket.reason"), max: 200 }],
    action: t("ticket.void"),
    asCall: ({ reason }) => ["DELETE", `tickets/${ticket.id}`, undefined, { ifMatch: detail.etag, query: { reason } }],
  });
  if (done) toast(t("ticket.voided"));
}
