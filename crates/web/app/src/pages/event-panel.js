// The panel of an audit event, with all that it recorded.

import { Detail, detailPanel, facts, panel } from "../components/detail.js";
import { isChange, labelOf, valueText } from "../components/values.js";
import { call, code, directory, findItem, formatExact, formatMoney, html, idText, link, muted, nameOf, num, roleName, t,
  word } from "../core.js";
import { outcome, sentence, subjectName } from "./events.js";

const detail = new Detail("audit-events");

export const { load, view } = detailPanel(detail, (event) => {
  const { user, device, session, address, approver } = event;
  const details = Object.entries(event.details);
  return panel({
    title: word("action", event.action),
    subtitle: sentence(event),
    state: outcome(event),
    body: html`
      ${facts([
        ["audit.column.at", num(formatExact(event.at))],
        ["field.user", user ? link("people", user.id, nameOf(user) || t("audit.gone_user")) : t("audit.server")],
        device && ["field.device", link("devices", device.id, device.name ?? device.id)],
        session && ["audit.session", link("sessions", session, t("audit.session_open"))],
        address && ["field.address", num(address)],
        ["audit.subject", subjectLink(event)],
        approver && ["audit.approver", nameOf({ id: approver })],
        ["field.id", idText(event.id)],
      ])}
      <h3>${t("audit.details")}</h3>
      ${details.length ? facts(details.map(([name, value]) => detailFact(name, value, event))) : muted(t("none"))}
      <details class="commands"><summary>JSON</summary>${code(JSON.stringify(event, null, 2))}</details>`,
  });
});

/** Where each kind of subject is shown. @type {Record<string, string>} */
const PAGES = { session: "sessions", user: "people", device: "devices", role: "roles", ticket: "tickets", api_key: "api-keys" };

function subjectLink(/** @type {any} */ event) {
  const { kind, id } = event.subject;
  const text = `${word("subject", kind)} ${subjectName(event)}`;
  return PAGES[kind] && id ? link(PAGES[kind], id, text) : text;
}

const AMOUNTS = ["payable", "rounding", "payments", "change"];
/** Details that are no words. */
const CODES = ["call", "client", "extra"];

/** The currency of the ticket of an event, as soon as it is read. @returns {string | undefined} */
function currencyOf(/** @type {any} */ { subject: { kind, id } }) {
  const read = async () => (await call("GET", `tickets/${id}`)).data;
  return kind === "ticket" ? detail.extra("ticket", read).value?.currency : undefined;
}

/** A detail; a change shows both values, or what was taken from a list and added to it.
 * @param {string} name @param {any} value @param {any} event @returns {[string, any]} */
function detailFact(name, value, event) {
  const label = labelOf(name);
  const currency = AMOUNTS.includes(name) && currencyOf(event);
  /** @type {(each: any) => string} */
  const text = (each) => {
    if (typeof each?.amount === "string") return `${each.name || word("payment", each.means)} ${text(each.amount)}`;
    if (currency && typeof each === "string") return formatMoney(each, currency);
    return valueText(name, each);
  };
  if (name === "refund_of") return [label, link("tickets", value, t("ticket.refund_of"))];
  if (CODES.includes(name)) return [label, html`<code>${isChange(value) ? value.to : value}</code>`];
  if (!isChange(value)) return [label, text(listed(name, value))];
  const [from, to] = [listed(name, value.from), listed(name, value.to)];
  if (!Array.isArray(from) || !Array.isArray(to)) return [label, html`<del>${text(from)}</del> → <ins>${text(to)}</ins>`];
  const [before, after] = [from.map(text), to.map(text)];
  return [label, [
    ...before.filter((each) => !after.includes(each)).map((each) => html`<del>− ${each}</del> `),
    ...after.filter((each) => !before.includes(each)).map((each) => html`<ins>+ ${each}</ins> `),
  ]];
}

/** The names of roles that are given by id or by name. */
function roleTexts(/** @type {string[]} */ given) {
  const roles = directory("roles");
  const names = given.map((each) => roleName(roles.find(({ id, name }) => id === each || name === each) ?? { name: each }));
  return names.join(", ") || t("access.no_roles");
}

/** Access as a list of texts, one for each place; other values as they are. */
function listed(/** @type {string} */ name, /** @type {any} */ value) {
  if (!value || (name !== "assignment" && (name !== "devices" || Array.isArray(value)))) return value;
  const { roles: office, devices } = name === "assignment" ? value : { roles: [], devices: value };
  const places = Object.keys(devices).map((id) => `${findItem("devices", id)?.name ?? id}: ${roleTexts(devices[id])}`);
  return office.length ? [`${t("access.office")}: ${roleTexts(office)}`, ...places] : places;
}
