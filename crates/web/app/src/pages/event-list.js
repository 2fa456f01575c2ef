// @ts-check
// Short lists of audit events.

import { readItems } from "../api.js";
import { moment, problemBox, skeleton } from "../components/small.js";
import { t } from "../i18n.js";
import { href } from "../router.js";
import { html, nothing } from "../view.js";
import { outcome, sentence } from "./event-words.js";

/** A short list of events. @param {any[] | null} events @param {string} [all] address of the complete list */
export const eventList = (events, all) =>
  !events
    ? skeleton()
    : html`
        <ol class="events">${events.map(
          (event) => html`<li><span class="when">${moment(event.at)}</span>
            <a href=${href("audit", event.id)}>${sentence(event)}</a> ${outcome(event)}</li>`,
        )}</ol>
        ${events.length === 0 ? html`<p class="muted">${t("audit.none")}</p>` : nothing}
        ${all ? html`<p><a href=${all}>${t("audit.all")}</a></p>` : nothing}`;

/**
 * The newest events of a filter, and a link to all of them.
 * @param {import("../components/detail.js").Detail} detail the item whose panel shows them
 * @param {Record<string, string>} filter
 * @param {number} limit
 */
export function eventsOf(detail, filter, limit) {
  const read = () => readItems("audit-events", { ...filter, limit });
  const { value, error } = detail.extra(`events by ${Object.keys(filter)}`, read);
  return error ? problemBox(error, () => detail.load(detail.id)) : eventList(value, href("audit", null, filter));
}
