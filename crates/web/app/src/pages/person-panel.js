// The panel of a person: access, sessions, security, events.

import { deleteUser, editUser, setUserStatus } from "../actions/users.js";
import { clearThrottle, inviteUser, mailInvitation, setPassword, verifyEmail } from "../actions/passwords.js";
import { endAll } from "../actions/sessions.js";
import { actButtons, age, button, can, entry, html, idText, isSelf, joined, link, menuButton, moment, nothing, readItems, rowList,
  seesSessions, state, t } from "../core.js";
import { Detail, detailPanel, facts, panel } from "../components/detail.js";
import { accessTab } from "./access-matrix.js";
import { sessionRow } from "./session-row.js";
import { timeline } from "./events.js";
import { emailState, isInvitable, isVerifiable, throttleNotice, userState } from "./user-state.js";

const detail = new Detail("users");

export const { load, view } = detailPanel(detail, (user) =>
  panel({
    title: user.display_name,
    wide: true,
    subtitle: joined([user.user_name, user.email]),
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

function actions(/** @type {User} */ user) {
  const { display_name: name } = user;
  if (user.status === "deleted" || !can("userUpdate")) return undefined;
  const more = () => [
    can("sessionDelete") && entry("session.end_all.menu", "leave", () => endAll({ user: user.id }, name)),
    !isSelf(user) && entry("password.set", "key", () => setPassword("users", user, name)),
    entry("throttle.clear", "unlock", () => clearThrottle("users", user, name)),
    null,
    can("userDelete") && !isSelf(user) && entry("user.delete", "trash", () => deleteUser(user), { danger: true }),
  ];
  const isActive = user.status === "active";
  const activate = () => setUserStatus(user, "active");
  return html`
    ${actButtons([
      entry("edit", "edit", () => editUser(user, detail.etag)),
      !isSelf(user) && isActive && entry("user.suspend", "lock", () => setUserStatus(user, "suspended")),
      !isSelf(user) && !isActive && entry("user.activate", "unlock", activate, { look: "primary" }),
      ...(user.has_password ? [] : inviteActs(user, "primary")),
    ])}
    ${isSelf(user) ? html`<span class="muted small">${t("user.self")}</span>` : nothing}${menuButton(more, name)}`;
}

/** @param {User} user @param {string} [look] @returns {App.MenuItem[]} */
const inviteActs = (user, look) => [
  isInvitable(user) && entry("user.invite", "people", () => inviteUser(user), { look }),
  isInvitable(user) && user.email && entry("user.invite_by_mail", "mail", () => mailInvitation(user)),
];

const sessionsTab = (/** @type {User} */ user) =>
  detail.list("sessions", () => readItems("sessions", { user: user.id, limit: 25 }), (sessions) => html`
    ${rowList(sessions, sessionRow, t("sessions.none_of_person"))}
    <p>${link("sessions", null, t("sessions.all"), { user: user.id, live: "all" })}</p>`);

function securityTab(/** @type {User} */ user) {
  const { display_name: name } = user;
  const clear = button("", t("throttle.clear"), () => clearThrottle("users", user, name), "small");
  return html`
    ${throttleNotice(user.login_throttle, can("userUpdate") ? clear : nothing)}
    ${facts([
      ["field.email", emailState(user)],
      ["field.password", passwordState(user)],
      ["user.last_login", age(user.last_login_at)],
      ["field.created_at", moment(user.created_at)],
      ["field.updated_at", moment(user.updated_at)],
      ["field.id", idText(user.id)],
    ])}
    ${isVerifiable(user) ? html`<p>${button("mail", t("email.verify"), () => verifyEmail(user))}</p>` : nothing}
    ${can("userUpdate") && !isSelf(user) && user.status !== "deleted"
      ? html`<p class="row">${button("key", t("password.set"), () => setPassword("users", user, name))}
            ${actButtons(inviteActs(user))}</p>
          <p class="muted">${t("password.set.user")} ${t("user.invite.hint")}</p>`
      : nothing}
    ${isSelf(user) ? html`<p>${link("profile", null, t("user.own_security"))}</p>` : nothing}`;
}

function passwordState(/** @type {User} */ user) {
  if (!user.has_password) return t("user.no_password");
  return user.password_change_required ? state("idle", t("password.must_change")) : t("password.stays");
}

const auditTab = (/** @type {User} */ { id }) =>
  [timeline("person.did", detail, { user: id }, 15), timeline("person.was_done", detail, { subject: id }, 15)];
