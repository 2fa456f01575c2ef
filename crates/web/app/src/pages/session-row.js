import { moment, state } from "../components/small.js";
import { isOwn } from "../session.js";
import { formatDuration, html, nameOf, nothing, t, word } from "../core.js";

/** The mark of the session of this page. @param {{id: string}} session */
export const ownMark = (session) => (isOwn(session) ? html`<span class="chip">${t("session.own")}</span>` : nothing);

/** A session in a short list. @param {NativeApi.Session} session */
export const sessionRow = (session) => html`
  <li>
    <div><strong>${nameOf(session.user) || session.device?.name}</strong> ${ownMark(session)}
      <span class="faint">${word("mount", session.mount)}${session.device && session.user ? ` · ${session.device.name ?? ""}` : ""}</span></div>
    <span class="fill"></span>
    <div class="end">${session.ended_at
      ? html`<span class="muted">${word("ended_why", session.ended_why)}</span> ${moment(session.ended_at)}`
      : state("good", t("session.live_for", { duration: formatDuration(session.created_at) }))}</div>
  </li>`;
