import { chip, faint, formatDuration, html, isOwn, joined, moment, nameOf, nothing, state, t, word } from "../core.js";

/** The mark of the session of this page. @param {{id: string}} session */
export const ownMark = (session) => (isOwn(session) ? chip(t("session.own")) : nothing);

/** A session in a short list. @param {Session} session */
export const sessionRow = (session) => html`
  <li>
    <div><strong>${nameOf(session.user) || session.device?.name}</strong> ${ownMark(session)}
      ${faint(joined([word("mount", session.mount), session.user && session.device?.name]))}</div>
    <span class="fill"></span>
    <div class="end">${session.ended_at
      ? html`<span class="muted">${word("ended_why", session.ended_why)}</span> ${moment(session.ended_at)}`
      : state("good", t("session.live_for", { duration: formatDuration(session.created_at) }))}</div>
  </li>`;
