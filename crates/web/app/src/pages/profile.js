// @ts-check
// The person's own account.

import { endMany } from "../actions/sessions.js";
import { call, readItems } from "../api.js";
import { icon } from "../components/icon.js";
import { lazyActions } from "../components/lazy.js";
import { facts } from "../components/panel.js";
import { section } from "../components/section.js";
import { problemBox, skeleton } from "../components/small.js";
import { directory } from "../directory.js";
import { t, word } from "../i18n.js";
import { can, collectRights, effectiveRoles } from "../rights.js";
import { href } from "../router.js";
import { loadCurrent, session, signOut } from "../session.js";
import { toastProblem } from "../components/toast.js";
import { html, nothing, repaint } from "../view.js";
import { sessionRow } from "./session-row.js";
import { eventList } from "./event-list.js";
import { emailState, isVerifiable } from "./user-state.js";

const { changeOwnPassword, verifyEmail } = lazyActions(() => import("../actions/passwords.js"));
const { editUser } = lazyActions(() => import("../actions/users.js"));

/** @type {{user: any, etag: string | null, sessions: any[], events: any[] | null, error: any}} */
const data = { user: null, etag: null, sessions: [], events: null, error: null };

async function load() {
  try {
    await loadCurrent();
    const { id } = session.user;
    const [user, sessions] = await Promise.all([call("GET", `users/${id}`), readItems("sessions", { user: id, live: true })]);
    Object.assign(data, { user: user.data, etag: user.etag, sessions, error: null });
    if (can("auditRead")) data.events = await readItems("audit-events", { user: id, limit: 20 });
  } catch (error) {
    data.error = error;
  }
}

function view() {
  const { user, error, sessions, events } = data;
  if (!user) return error ? problemBox(error, () => load().then(repaint)) : skeleton();
  const others = sessions.filter((each) => each.id !== session.current?.id);
  return html`
    <div class="page narrow-page">
      ${section("profile.account",
        html`${can("userUpdate") ? html`<button class="button" @click=${() => editUser(user, data.etag)}>${icon("edit")}${t("edit")}</button>` : nothing}
        ${isVerifiable(user) ? html`<button class="button" @click=${() => verifyEmail(user)}>${icon("mail")}${t("email.verify")}</button>` : nothing}`,
        facts([
          [t("field.display_name"), user.display_name],
          [t("field.user_name"), user.user_name],
          [t("field.email"), emailState(user)],
        ]))}
      ${section("profile.password",
        html`<button class="button" @click=${changeOwnPassword}>${icon("key")}${t("password.own")}</button>`,
        html`<p class="muted">${t("password.own.text")}</p>`)}
      ${section("profile.sessions", html`
        ${others.length ? html`<button class="button" @click=${() => endMany(others)}>${icon("leave")}${t("profile.end_others")}</button>` : nothing}
        <button class="button" @click=${() => signOut().catch(toastProblem)}>${t("sign_out")}</button>`,
        html`<ul class="rows boxed">${sessions.map(sessionRow)}</ul>`)}
      ${section("profile.rights", nothing, rightsView(user))}
      ${events ? section("profile.events", nothing, eventList(events, href("audit", null, { user: user.id }))) : nothing}
    </div>`;
}

/** @param {NativeApi.User} user */
function rightsView(user) {
  const rights = collectRights(effectiveRoles(user, null, directory("roles")));
  if (rights.has("admin")) return html`<p>${t("profile.all_rights")}</p>`;
  return html`<ul class="rights">${[...rights].map(
    ([right, roles]) => html`<li>${word("right", right)} <span class="faint">${roles.join(", ")}</span></li>`,
  )}</ul>`;
}

/** @type {import("../main.js").Page} */
export const page = { title: () => t("nav.profile"), kinds: ["user"], load, view };
