// The panel of an audit event, with all that it recorded.

import { Detail, detailPanel, facts, panel } from "../components/detail.js";
import { idText } from "../components/small.js";
import { isChange, labelOf, valueText } from "../components/values.js";
import { call, directory, formatExact, formatMoney, href, html, nameOf, roleName, t, word } from "../core.js";
import { outcome, sentence, subjectName } from "./events.js";

const detail = new Detail("audit-events");

export const { load, view } = detailPanel(detail, (event) => {
  const details = Object.entries(event.details);
  return panel({
    title: word("action", event.action),
    subtitle: sentence(event),
    state: outcome(event),
    body: html`
      ${facts([
        [t("audit.column.at"), html`<span class="num">${formatExact(event.at)}</span>`],
        [t("field.user"), event.user ? html`<a href=${href("people", event.user.id)}>${nameOf(event.user) || t("audit.gone_user")}</a>` : t("audit.server")],
        event.device ? [t("field.device"), html`<a href=${href("devices", event.device.id)}>${event.device.name ?? event.device.id}</a>`] : null,
        event.session ? [t("audit.session"), html`<a href=${href("sessions", event.session)}>${t("audit.session_open")}</a>`] : null,
        event.address ? [t("field.address"), html`<span class="num">${event.address}</span>`] : null,
        [t("audit.subject"), subjectLink(event)],
        event.approver ? [t("audit.approver"), nameOf({ id: event.approver })] : null,
        [t("field.id"), idText(event.id)],
      ])}
      <h3>${t("audit.details")}</h3>
      ${details.length ? html`<dl class="facts">${details.map(([name, value]) => detailRow(name, value, event))}</dl>` : html`<p class="muted">${t("none")}</p>`}
      <details class="commands"><summary>JSON</summary><pre class="code" tabindex="0">${JSON.stringify(event, null, 2)}</pre></details>`,
  });
});

/** Where each kind of subject is shown. @type {Record<string, string>} */
const SUBJECT_PAGES = { session: "sessions", user: "people", device: "devices", role: "roles", ticket: "tickets", api_key: "api-keys" };

/** @param {any} event */
function subjectLink(event) {
  const { kind, id } = event.subject;
  const text = `${word("subject", kind)} ${subjectName(event)}`;
  return SUBJECT_PAGES[kind] && id ? html`<a href=${href(SUBJECT_PAGES[kind], id)}>${text}</a>` : text;
}

const AMOUNTS = ["payable", "rounding", "payments", "change"];
/** Details that are no words. */
const CODES = ["call", "client", "extra"];

/** The currency of the ticket that an event is about, as soon as it is read. @param {any} event @returns {string | undefined} */
const currencyOf = ({ subject }) =>
  subject.kind === "ticket" ? detail.extra("ticket", async () => (await call("GET", `tickets/${subject.id}`)).data).value?.currency : undefined;

/** A detail; a change shows both values, or what was taken from a list and added to it. @param {string} name @param {any} value @param {any} event */
function detailRow(name, value, event) {
  const currency = AMOUNTS.includes(name) && currencyOf(event);
  /** @type {(each: any) => string} */
  const text = (each) => {
    if (typeof each?.amount === "string") return `${each.name || word("payment", each.means)} ${text(each.amount)}`;
    if (currency && typeof each === "string") return formatMoney(each, currency);
    return valueText(name, each);
  };
  const row = (/** @type {any} */ shown) => html`<div><dt>${labelOf(name)}</dt><dd>${shown}</dd></div>`;
  if (name === "refund_of") return row(html`<a href=${href("tickets", value)}>${t("ticket.refund_of")}</a>`);
  if (CODES.includes(name)) return row(html`<code>${isChange(value) ? value.to : value}</code>`);
  if (!isChange(value)) return row(text(listed(name, value)));
  const [from, to] = [listed(name, value.from), listed(name, value.to)];
  if (!Array.isArray(from) || !Array.isArray(to)) return row(html`<del>${text(from)}</del> → <ins>${text(to)}</ins>`);
  const [before, after] = [from.map(text), to.map(text)];
  return row([
    ...before.filter((/** @type {string} */ each) => !after.includes(each)).map((/** @type {string} */ each) => html`<del>− ${each}</del> `),
    ...after.filter((/** @type {string} */ each) => !before.includes(each)).map((/** @type {string} */ each) => html`<ins>+ ${each}</ins> `),
  ]);
}

/** Access as a list of texts, one for each place; other values as they are. @param {string} name @param {any} value */
function listed(name, value) {
  if (!value || (name !== "assignment" && (name !== "devices" || Array.isArray(value)))) return value;
  const { roles: office, devices } = name === "assignment" ? value : { roles: [], devices: value };
  const roles = (/** @type {string[]} */ given) =>
    given.map((each) => roleName(directory("roles").find(({ id, name }) => id === each || name === each) ?? { name: each })).join(", ") || t("access.no_roles");
  const places = Object.keys(devices).map((each) => `${directory("devices").find(({ id }) => id === each)?.name ?? each}: ${roles(devices[each])}`);
  return office.length ? [`${t("access.office")}: ${roles(office)}`, ...places] : places;
}
