// @ts-check
// The panel of a person: access, sessions, security, events.

import { deleteUser, editUser, setUserStatus } from "../actions/users.js";
import { clearThrottle, inviteUser, mailInvitation, setPassword, verifyEmail } from "../actions/passwords.js";
import { endAll } from "../actions/sessions.js";
import { readItems } from "../api.js";
import { Detail } from "../components/detail.js";
import { icon } from "../components/icon.js";
import { menuButton } from "../components/menu.js";
import { facts, loadingPanel, openTab, panel } from "../components/panel.js";
import { age, idText, moment, problemBox, skeleton, state } from "../components/small.js";
import { t } from "../i18n.js";
import { can } from "../rights.js";
import { href } from "../router.js";
import { formatTime } from "../time.js";
import { html, nothing } from "../view.js";
import { accessTab, resetAccess } from "./access-matrix.js";
import { sessionRow } from "./session-row.js";
import { eventsOf } from "./event-list.js";
import { emailState, isInvitable, isSelf, isVerifiable, userState } from "./user-state.js";

const detail = new Detail("users");

/** @param {string | null} id */
export async function load(id) {
  if (id !== detail.id) resetAccess();
  await detail.load(id);
}

/** @param {string} id */
export function view(id) {
  const user = detail.data;
  if (!user) return loadingPanel(detail, true);
  const tabs = [
    { id: "access", label: t("person.tab.access") },
    ...(can("sessionRead") || can("sessionDelete") ? [{ id: "sessions", label: t("nav.sessions") }] : []),
    { id: "security", label: t("person.tab.security") },
    ...(can("auditRead") ? [{ id: "audit", label: t("nav.audit") }] : []),
  ];
  /** @type {Record<string, (user: any) => any>} */
  const bodies = {
    access: () => accessTab(user, detail.etag),
    sessions: sessionsTab,
    security: securityTab,
    audit: auditTab,
  };
  return panel({
    title: user.display_name,
    wide: true,
    subtitle: [user.user_name, user.email].filter(Boolean).join(" · "),
    state: userState(user),
    actions: actions(user),
    tabs,
    body: bodies[openTab(tabs)](user),
  });
}

/** @param {NativeApi.User} user */
function actions(user) {
  if (user.status === "deleted" || !can("userUpdate")) return undefined;
  const more = () => [
    ...(can("sessionDelete") ? [{ label: t("session.end_all.menu"), icon: "leave", run: () => endAll({ user: user.id }, user.display_name, null) }] : []),
    { label: t("throttle.clear"), icon: "unlock", run: () => clearThrottle("users", user, user.display_name) },
    null,
    ...(can("userDelete") && !isSelf(user) ? [{ label: t("user.delete.action"), icon: "trash", danger: true, run: () => deleteUser(user) }] : []),
  ];
  return html`
    <button class="button" @click=${() => editUser(user, detail.etag)}>${icon("edit")}${t("edit")}</button>
    ${isSelf(user)
      ? html`<span class="muted small">${t("user.self")}</span>`
      : user.status === "active"
        ? html`<button class="button" @click=${() => setUserStatus(user, "suspended")}>${icon("lock")}${t("user.suspend")}</button>`
        : html`<button class="button primary" @click=${() => setUserStatus(user, "active")}>${icon("unlock")}${t("user.activate")}</button>`}
    ${isInvitable(user) && !user.has_password ? inviteButtons(user, "primary") : nothing}
    ${menuButton(more)}`;
}

/** @param {NativeApi.User} user @param {string} look */
const inviteButtons = (user, look) => html`
  <button class="button ${look}" @click=${() => inviteUser(user)}>${icon("people")}${t("user.invite")}</button>
  ${user.email ? html`<button class="button" @click=${() => mailInvitation(user)}>${icon("mail")}${t("user.invite_by_mail")}</button>` : nothing}`;

/** @param {NativeApi.User} user */
function sessionsTab(user) {
  const { value, error } = detail.extra("sessions", () => readItems("sessions", { user: user.id, limit: 25 }));
  if (error) return problemBox(error, () => detail.load(user.id));
  if (!value) return skeleton();
  return html`
    <ul class="rows">${value.map(sessionRow)}</ul>
    ${value.length === 0 ? html`<p class="muted">${t("sessions.none_of_person")}</p>` : nothing}
    <p><a href=${href("sessions", null, { user: user.id, live: "all" })}>${t("sessions.all")}</a></p>`;
}

/** @param {NativeApi.User} user */
function securityTab(user) {
  const throttle = user.login_throttle;
  return html`
    ${throttle
      ? html`<div class="notice notice-warn">${icon("clock")}
          <span>${t("throttle.until", { time: formatTime(throttle.until), count: throttle.failures })}</span>
          ${can("userUpdate") ? html`<button class="button small" @click=${() => clearThrottle("users", user, user.display_name)}>${t("throttle.clear")}</button>` : nothing}
        </div>`
      : nothing}
    ${facts([
      [t("field.email"), emailState(user)],
      [t("field.password"), passwordState(user)],
      [t("user.last_login"), age(user.last_login_at)],
      [t("field.created_at"), moment(user.created_at)],
      [t("field.updated_at"), moment(user.updated_at)],
      [t("field.id"), idText(user.id)],
    ])}
    ${isVerifiable(user)
      ? html`<p><button class="button" @click=${() => verifyEmail(user)}>${icon("mail")}${t("email.verify")}</button></p>`
      : nothing}
    ${can("userUpdate") && !isSelf(user) && user.status !== "deleted"
      ? html`<p class="row"><button class="button" @click=${() => setPassword("users", user, user.display_name)}>${icon("key")}${t("password.set.action")}</button>
            ${isInvitable(user) ? inviteButtons(user, "") : nothing}</p>
          <p class="muted">${t("password.set.user")} ${t("user.invite.hint")}</p>`
      : nothing}
    ${isSelf(user) ? html`<p><a href=${href("profile")}>${t("user.own_security")}</a></p>` : nothing}`;
}

/** @param {NativeApi.User} user */
function passwordState(user) {
  if (!user.has_password) return t("user.no_password");
  return user.password_change_required ? state("idle", t("password.must_change")) : t("password.stays");
}

/** @param {NativeApi.User} user */
const auditTab = (user) => html`
  <h3>${t("person.did")}</h3>${eventsOf(detail, { user: user.id }, 15)}
  <h3>${t("person.was_done")}</h3>${eventsOf(detail, { subject: user.id }, 15)}`;
