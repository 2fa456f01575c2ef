// The panel of a person: access, sessions, security, events.

import { deleteUser, editUser, setUserStatus } from "../actions/users.js";
import { clearThrottle, inviteUser, mailInvitation, setPassword, verifyEmail } from "../actions/passwords.js";
import { endAll } from "../actions/sessions.js";
import { can, href, html, nothing, readItems, seesSessions, t } from "../core.js";
import { Detail, detailPanel, facts, panel } from "../components/detail.js";
import { menuButton } from "../components/lazy.js";
import { actButtons, age, button, idText, moment, rowList, state } from "../components/small.js";
import { accessTab } from "./access-matrix.js";
import { sessionRow } from "./session-row.js";
import { eventsOf } from "./events.js";
import { emailState, isInvitable, isSelf, isVerifiable, throttleNotice, userState } from "./user-state.js";

const detail = new Detail("users");

export const { load, view } = detailPanel(detail, (user) =>
  panel({
    title: user.display_name,
    wide: true,
    subtitle: [user.user_name, user.email].filter(Boolean).join(" · "),
    state: userState(user),
    actions: actions(user),
    tabs: [
      { id: "access", label: t("person.tab.access"), body: () => accessTab(user, detail.etag) },
      seesSessions() && { id: "sessions", label: t("nav.sessions"), body: () => sessionsTab(user) },
      { id: "security", label: t("person.tab.security"), body: () => securityTab(user) },
      can("auditRead") && { id: "audit", label: t("nav.audit"), body: () => auditTab(user) },
    ],
  }),
  true,
);

/** @param {NativeApi.User} user */
function actions(user) {
  const { display_name: name } = user;
  if (user.status === "deleted" || !can("userUpdate")) return undefined;
  const more = () => [
    can("sessionDelete") && { label: t("session.end_all.menu"), icon: "leave", run: () => endAll({ user: user.id }, name) },
    !isSelf(user) && { label: t("password.set.action"), icon: "key", run: () => setPassword("users", user, name) },
    { label: t("throttle.clear"), icon: "unlock", run: () => clearThrottle("users", user, name) },
    null,
    can("userDelete") && !isSelf(user) && { label: t("user.delete.action"), icon: "trash", danger: true, run: () => deleteUser(user) },
  ];
  const isActive = user.status === "active";
  return html`
    ${actButtons([
      { label: t("edit"), icon: "edit", run: () => editUser(user, detail.etag) },
      !isSelf(user) && isActive && { label: t("user.suspend"), icon: "lock", run: () => setUserStatus(user, "suspended") },
      !isSelf(user) && !isActive && { label: t("user.activate"), icon: "unlock", run: () => setUserStatus(user, "active"), look: "primary" },
      ...(user.has_password ? [] : inviteActs(user, "primary")),
    ])}
    ${isSelf(user) ? html`<span class="muted small">${t("user.self")}</span>` : nothing}${menuButton(more, name)}`;
}

/** @param {NativeApi.User} user @param {string} [look] @returns {App.MenuItem[]} */
const inviteActs = (user, look) => [
  isInvitable(user) && { label: t("user.invite"), icon: "people", run: () => inviteUser(user), look },
  isInvitable(user) && user.email && { label: t("user.invite_by_mail"), icon: "mail", run: () => mailInvitation(user) },
];

/** @param {NativeApi.User} user */
const sessionsTab = (user) =>
  detail.list("sessions", () => readItems("sessions", { user: user.id, limit: 25 }), (sessions) => html`
    ${rowList(sessions, sessionRow, t("sessions.none_of_person"))}
    <p><a href=${href("sessions", null, { user: user.id, live: "all" })}>${t("sessions.all")}</a></p>`);

/** @param {NativeApi.User} user */
function securityTab(user) {
  const { display_name: name } = user;
  const clear = can("userUpdate")
    ? html`<button class="button small" @click=${() => clearThrottle("users", user, name)}>${t("throttle.clear")}</button>`
    : nothing;
  return html`
    ${throttleNotice(user.login_throttle, clear)}
    ${facts([
      [t("field.email"), emailState(user)],
      [t("field.password"), passwordState(user)],
      [t("user.last_login"), age(user.last_login_at)],
      [t("field.created_at"), moment(user.created_at)],
      [t("field.updated_at"), moment(user.updated_at)],
      [t("field.id"), idText(user.id)],
    ])}
    ${isVerifiable(user) ? html`<p>${button("mail", t("email.verify"), () => verifyEmail(user))}</p>` : nothing}
    ${can("userUpdate") && !isSelf(user) && user.status !== "deleted"
      ? html`<p class="row">${button("key", t("password.set.action"), () => setPassword("users", user, name))}${actButtons(inviteActs(user))}</p>
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
