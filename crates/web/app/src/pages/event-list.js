// @ts-check
// Short lists of audit events.

import { href, html, nothing, readItems, t } from "../core.js";
import { moment } from "../components/small.js";
import { outcome, sentence } from "./event-words.js";

/**
 * The newest events of a filter, and a link to all of them.
 * @param {import("../components/detail.js").Detail} detail the item whose panel shows them
 * @param {Record<string, string>} filter
 * @param {number} limit
 */
export function eventsOf(detail, filter, limit) {
  return detail.list(`events by ${Object.keys(filter)}`, () => readItems("audit-events", { ...filter, limit }), (events) => html`
    <ol class="events">${events.map(
      (event) => html`<li><span class="when">${moment(event.at)}</span>
        <a href=${href("audit", event.id)}>${sentence(event)}</a> ${outcome(event)}</li>`,
    )}</ol>
    ${events.length === 0 ? html`<p class="muted">${t("audit.none")}</p>` : nothing}
    <p><a href=${href("audit", null, filter)}>${t("audit.all")}</a></p>`);
}
