// The panel of a session: its life, and the events in it.

import { endSession } from "../actions/sessions.js";
import { Detail, detailPanel, facts, panel } from "../components/detail.js";
import { age, button, faint, formatDuration, formatExact, html, idText, joined, moment, nameOf, num, t, word } from "../core.js";
import { timeline } from "./events.js";
import { canEnd, sessionState } from "./sessions.js";

const detail = new Detail("sessions");

export const { load, view } = detailPanel(detail, (session) => {
  const { user, device, created_at: since, ended_at: end } = session;
  return panel({
    title: nameOf(user) || device?.name || t("nav.sessions"),
    subtitle: joined([user && device?.name, word("mount", session.mount)]),
    state: sessionState(session),
    actions: canEnd(session) ? button("leave", t("session.end"), () => endSession(session)) : undefined,
    body: html`
      ${facts([
        ["session.column.since", html`${formatExact(since)} ${faint(formatDuration(since, end))}`],
        ["session.column.used", age(session.last_used_at ?? since)],
        end
          ? ["session.ended_at", html`${formatExact(end)} ${faint(word("ended_why", session.ended_why))}`]
          : ["session.column.ends", moment(session.expires_at, t("session.no_end"))],
        session.kind && ["session.kind", word("session_kind", session.kind)],
        session.address && ["field.address", num(session.address)],
        session.methods && ["session.methods", joined(session.methods.map(methodName), ", ")],
        session.proved_at && ["session.proved_at", age(session.proved_at)],
        ["field.id", idText(session.id)],
      ])}
      ${timeline("session.timeline", detail, { session: session.id }, 25)}`,
  });
});

const methodName = (/** @type {string} */ name) => word("method", name);
