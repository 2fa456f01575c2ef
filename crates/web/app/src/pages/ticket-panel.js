// A ticket as on paper, with what was done to it beside it.

import { button, can, chip, faint, formatDecimal, formatMoney, html, idText, joined, link, moment, nothing, readItems, t, toast,
  word } from "../core.js";
import { Detail, detailPanel, panel } from "../components/detail.js";
import { formDialog, wording } from "../components/form.js";
import { timeline } from "./events.js";
import { personName, ticketState, ticketTitle } from "./ticket-words.js";

const detail = new Detail("tickets");

export const { load, view } = detailPanel(detail, (ticket) =>
  panel({
    title: ticketTitle(ticket),
    subtitle: joined([ticket.device.name, personName(ticket.owner)]),
    state: html`${ticket.refund_of ? chip(t("ticket.refund")) : nothing} ${ticketState(ticket)}`,
    actions: actions(ticket),
    body: html`
      ${paper(ticket)}
      ${ticket.refund_of ? html`<p>${link("tickets", ticket.refund_of, t("ticket.refund_of"))}</p>` : refundsOf(ticket)}
      ${idText(ticket.id)}
      ${timeline("ticket.history", detail, { subject: ticket.id }, 30)}`,
  }),
);

const actions = (/** @type {Ticket} */ ticket) =>
  ticket.state === "open" && can("ticketDelete")
    ? button("trash", t("ticket.void"), () => voidTicket(ticket), "danger-quiet")
    : undefined;

/** Links to what was given back of a sold ticket. */
function refundsOf(/** @type {Ticket} */ ticket) {
  if (!ticket.closed) return nothing;
  const { value } = detail.extra("refunds", () => readItems("tickets", { refund_of: ticket.id }));
  const text = (/** @type {Ticket} */ each) =>
    `${t("ticket.refund")}: ${ticketTitle(each)}, ${formatMoney(each.payable, each.currency)}`;
  return value?.map((/** @type {any} */ each) => html`<p>${link("tickets", each.id, text(each))}</p>`);
}

function paper(/** @type {Ticket} */ ticket) {
  const money = (/** @type {string} */ amount) => formatMoney(amount, ticket.currency);
  const isZero = (/** @type {string} */ amount) => /^-?0+(\.0+)?$/.test(amount);
  const percent = (/** @type {string} */ rate) => `−${formatDecimal(rate)} %`;
  const { closed, voided } = ticket;
  const closer = closed ? { name: personName(closed.by), device: closed.device.name ?? "–" } : undefined;
  const voider = voided ? { name: personName(voided.by) } : undefined;
  return html`
    <div class="paper">
      <p class="paper-head">
        ${[ticket.location.zone, ticket.location.table].filter(Boolean).join(" · ") || nothing}
        <span>${moment(ticket.opened_at)}${closed ? html` – ${moment(closed.at)}` : nothing}</span>
      </p>
      <table>
        <caption class="visually-hidden">${t("ticket.items")}</caption>
        <tbody>
          ${ticket.items.map(
            (item) => html`
              <tr>
                <td class="num">${formatDecimal(item.quantity)}${item.unit ? ` ${item.unit}` : ""}</td>
                <td>${item.article.name || "–"}
                  ${item.comment ? faint(item.comment) : nothing}
                  ${isZero(item.discount_rate) ? nothing : chip(percent(item.discount_rate))}</td>
                <td class="num end">${money(item.totals.after_discount_including_vat)}</td>
              </tr>`,
          )}
        </tbody>
        <tfoot>
          ${isZero(ticket.discount_rate) ? nothing : sumRow(t("field.discount"), percent(ticket.discount_rate))}
          ${sumRow(t("ticket.without_vat"), money(ticket.totals.after_discount))}
          ${isZero(ticket.rounding) ? nothing : sumRow(t("field.rounding"), money(ticket.rounding))}
          <tr class="total"><th colspan="2">${t("ticket.payable")}</th><td class="num end">${money(ticket.payable)}</td></tr>
          ${ticket.payments.map(({ name, means, amount }) => sumRow(name || word("payment", means), money(amount)))}
          ${ticket.change && !isZero(ticket.change) ? sumRow(t("field.change"), money(ticket.change)) : nothing}
        </tfoot>
      </table>
      ${closed ? html`<p class="faint">${joined([t("ticket.closed_by", closer), closed.fiscal])}</p>` : nothing}
      ${voided ? html`<p class="bad-text">${joined([t("ticket.voided_by", voider), voided.reason], ": ")}</p>` : nothing}
    </div>`;
}

/** @param {string} label @param {string} value */
const sumRow = (label, value) => html`<tr><th colspan="2">${label}</th><td class="num end">${value}</td></tr>`;

async function voidTicket(/** @type {Ticket} */ ticket) {
  const done = await formDialog({
    ...wording("ticket.void"),
    danger: true,
    fields: [{ name: "reason", max: 200 }],
    asCall: ({ reason }) => ["DELETE", `tickets/${ticket.id}`, undefined, { ifMatch: detail.etag, query: { reason } }],
  });
  if (done) toast(t("ticket.voided"));
}
