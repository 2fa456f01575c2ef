// The panel of a session: its life, and the events in it.

import { endSession } from "../actions/sessions.js";
import { Detail, detailPanel, facts, panel } from "../components/detail.js";
import { age, button, idText, moment } from "../components/small.js";
import { can, formatDuration, formatExact, html, nameOf, nothing, t, word } from "../core.js";
import { eventsOf } from "./events.js";
import { canEnd, sessionState } from "./sessions.js";

const detail = new Detail("sessions");

export const { load, view } = detailPanel(detail, (session) =>
  panel({
    title: nameOf(session.user) || session.device?.name || t("nav.sessions"),
    subtitle: [session.user && session.device?.name, word("mount", session.mount)].filter(Boolean).join(" · "),
    state: sessionState(session),
    actions: canEnd(session) ? button("leave", t("session.end"), () => endSession(session)) : undefined,
    body: html`
      ${facts([
        [t("session.column.since"), html`${formatExact(session.created_at)} <span class="faint">${formatDuration(session.created_at, session.ended_at)}</span>`],
        [t("session.column.used"), age(session.last_used_at ?? session.created_at)],
        session.ended_at
          ? [t("session.ended_at"), html`${formatExact(session.ended_at)} <span class="faint">${word("ended_why", session.ended_why)}</span>`]
          : [t("session.column.ends"), moment(session.expires_at, t("session.no_end"))],
        session.kind ? [t("session.kind"), word("session_kind", session.kind)] : null,
        session.address ? [t("field.address"), html`<span class="num">${session.address}</span>`] : null,
        session.methods ? [t("session.methods"), session.methods.map((/** @type {string} */ name) => word("method", name)).join(", ")] : null,
        session.proved_at ? [t("session.proved_at"), age(session.proved_at)] : null,
        [t("field.id"), idText(session.id)],
      ])}
      ${can("auditRead") ? html`<h3>${t("session.timeline")}</h3>${eventsOf(detail, { session: session.id }, 25)}` : nothing}`,
  }),
);
