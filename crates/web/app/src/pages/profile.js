// The person's own account.

import { atPlaceOf, button, can, collectRights, directory, effectiveRoles, html, isOwn, lazyActions, loadCurrent, muted, nothing,
  readItems, session, signOut, t, toastProblem } from "../core.js";
import { Detail, facts, section } from "../components/detail.js";
import { sessionRow } from "./session-row.js";
import { eventsOf } from "./events.js";
import { emailState, isVerifiable, rightsList } from "./user-state.js";

const { endMany } = lazyActions(() => import("../actions/sessions.js"));
const { changeOwnPassword, verifyEmail } = lazyActions(() => import("../actions/passwords.js"));
const { editUser } = lazyActions(() => import("../actions/users.js"));

const detail = new Detail("users");

async function load() {
  // if the server does not answer, the next call says so
  await loadCurrent().catch(() => {});
  await detail.load(session.user.id);
}

function view() {
  const user = detail.data;
  if (!user) return detail.placeholder();
  const { value } = detail.extra("sessions", () => readItems("sessions", { user: user.id, live: true }));
  const sessions = /** @type {Session[]} */ (value ?? []);
  const others = sessions.filter((each) => !isOwn(each));
  return html`
    <div class="page narrow-page">
      ${section("profile.account",
        html`${can("userUpdate") ? button("edit", t("edit"), () => editUser(user, detail.etag)) : nothing}
          ${isVerifiable(user) ? button("mail", t("email.verify"), () => verifyEmail(user)) : nothing}`,
        facts([
          ["field.display_name", user.display_name],
          ["field.user_name", user.user_name],
          ["field.email", emailState(user)],
        ]))}
      ${section("profile.password", button("key", t("password.own"), changeOwnPassword), muted(t("password.own.text")))}
      ${section("profile.sessions",
        html`${others.length ? button("leave", t("profile.end_others"), () => endMany(others)) : nothing}
          ${button("", t("sign_out"), () => signOut().catch(toastProblem))}`,
        html`<ul class="rows boxed">${sessions.map((each) => atPlaceOf(each, () => sessionRow(each)))}</ul>`)}
      ${section("profile.rights", nothing, rightsView(user))}
      ${can("auditRead") ? section("profile.events", nothing, eventsOf(detail, { user: user.id }, 20)) : nothing}
    </div>`;
}

function rightsView(/** @type {User} */ user) {
  const rights = collectRights(effectiveRoles(user, null, directory("roles")));
  if (rights.has("admin")) return html`<p>${t("profile.all_rights")}</p>`;
  return rightsList(rights);
}

/** @type {App.Page} */
export const page = { kinds: ["user"], load, view };
