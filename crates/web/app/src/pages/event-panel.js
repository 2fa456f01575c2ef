// @ts-check
// The panel of an audit event, with all that it recorded.

import { Detail, detailPanel, facts, panel } from "../components/detail.js";
import { idText } from "../components/small.js";
import { nameOf } from "../directory.js";
import { formatDecimal, formatExact, href, html, t, word } from "../core.js";
import { outcome, sentence, subjectName } from "./event-words.js";

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
      ${details.length ? html`<dl class="facts">${details.map(([name, value]) => detailRow(name, value))}</dl>` : html`<p class="muted">${t("none")}</p>`}
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

/** The group of the texts for the values of a detail. @type {Record<string, string>} */
const GROUPS = { right: "right", rights: "right", mount: "mount", environment: "environment", environments: "environment", status: "status" };

/** A detail; a change shows both values. @param {string} name @param {any} value */
function detailRow(name, value) {
  const text = (/** @type {any} */ each) => detailText(each, GROUPS[name]);
  const isChange = value && typeof value === "object" && "from" in value && "to" in value;
  return html`<div><dt>${word("field", name)}</dt><dd>${isChange
    ? html`<del>${text(value.from)}</del> → <ins>${text(value.to)}</ins>`
    : text(value)}</dd></div>`;
}

/** A value of the details as text; items of tickets by their names. @param {any} value @param {string} [group] @returns {string} */
function detailText(value, group) {
  if (value === null || value === undefined || value === "") return "–";
  if (Array.isArray(value)) return value.map((each) => detailText(each, group)).join(", ") || "–";
  if (typeof value !== "object") return group ? word(group, String(value)) : String(value);
  if (typeof value.name !== "string") return JSON.stringify(value);
  return typeof value.quantity === "string" ? `${formatDecimal(value.quantity)} × ${value.name}` : value.name;
}
