// Audit events as sentences, alone and in short lists.

import { atPlaceOf, can, findItem, hasText, html, link, moment, muted, nameOf, nothing, readItems, roleName, t,
  word } from "../core.js";

/** The actions of which every event is a refusal. */
const REFUSALS = ["api_key.use", "one_time_token.use", "right.missing"];

/** The sentence of an event, with names instead of ids. @param {any} event */
export function sentence(event) {
  const { action, device, details, user } = event;
  const who = user ? nameOf(user) || t("audit.gone_user") : details.login ?? device?.name ?? t("audit.server");
  const right = typeof details.right === "string" ? word("right", details.right) : "";
  const status = details.status?.to ? ` (${word("status", details.status.to)})` : "";
  const refusal = `audit.refused.${action}`;
  let key = `audit.${action}`;
  if (action === "right.missing" && right) key = "audit.right.missing.named";
  else if (event.outcome === "refused" && hasText(refusal)) key = refusal;
  else if (event.outcome === "refused" && !REFUSALS.includes(action)) key = "audit.was_refused";
  const values = { who, right, what: `${subjectName(event)}${status}`, action: word("action", action) };
  const text = hasText(key) ? t(key, values) : `${who}: ${action}`;
  const isThere = /^(login|logout|ticket)/.test(action);
  const where = device?.name && user ? ` ${t(isThere ? "audit.on" : "audit.from", { device: device.name })}` : "";
  return `${text.replace(/\s+/g, " ").trim()}${where}`;
}

/** The name of what an event is about, as far as it is known here. @param {any} event */
export function subjectName(event) {
  const { kind, id } = event.subject;
  const { details } = event;
  const named = details.name ?? details.user_name ?? details.login ?? details.slug;
  if (kind === "user") return nameOf({ id }) || text(named);
  if (kind === "device") return findItem("devices", id)?.name ?? text(named);
  if (kind === "role") return roleName(findItem("roles", id) ?? { name: text(named) });
  if (kind === "store") return findItem("stores", id)?.name ?? text(named);
  if (kind === "ticket") return details.number ? `#${details.number}` : text(named?.to ?? named) || `…${id.slice(-6)}`;
  return text(named);
}

const text = (/** @type {any} */ value) => (typeof value === "string" ? value : "");

/** The mark of an event that was refused. @param {any} event */
export const outcome = (event) =>
  event.outcome === "refused" ? html`<span class="chip bad">${t("audit.refused")}</span>` : nothing;

/** The newest events of a filter under a title, if the person may see them. @param {string} key
 * @param {App.Detail} detail @param {Record<string, string>} filter @param {number} limit */
export const timeline = (key, detail, filter, limit) =>
  can("auditRead") ? html`<h3>${t(key)}</h3>${eventsOf(detail, filter, limit)}` : nothing;

const eventRow = (/** @type {any} */ event) => html`
  <li><span class="when">${moment(event.at)}</span> ${link("audit", event.id, sentence(event))} ${outcome(event)}</li>`;

/** The newest events of a filter, and a link to all of them, for the panel of an item.
 * @param {App.Detail} detail @param {Record<string, string>} filter @param {number} limit */
export function eventsOf(detail, filter, limit) {
  const read = () => readItems("audit-events", { ...filter, limit });
  return detail.list(`events by ${Object.keys(filter)}`, read, (events) => html`
    <ol class="events">${events.map((event) => atPlaceOf(event, () => eventRow(event)))}</ol>
    ${events.length === 0 ? muted(t("audit.none")) : nothing}
    <p>${link("audit", null, t("audit.all"), filter)}</p>`);
}
