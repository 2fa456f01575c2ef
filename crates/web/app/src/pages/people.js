// @ts-check
// Everybody who can log in.

import { endAll, forEachItem } from "../actions/sessions.js";
import { call } from "../api.js";
import { filterBar } from "../components/filters.js";
import { icon } from "../components/icon.js";
import { lazyActions, lazyPanel } from "../components/lazy.js";
import { ListState, tableView } from "../components/list.js";
import { age, chips, emptyBox } from "../components/small.js";
import { roleNames, roleOptions } from "../directory.js";
import { optionsOf, t, tn, word } from "../i18n.js";
import { can } from "../rights.js";
import { href, pickQuery, withQuery } from "../router.js";
import { html, nothing } from "../view.js";
import { isSelf, userState } from "./user-state.js";

const { addUser, changeRole, setUserStatus } = lazyActions(() => import("../actions/users.js"));
const personPanel = lazyPanel(() => import("./person-panel.js"));
const list = new ListState("users");

/** @param {import("../router.js").Route} route @param {boolean} refresh */
async function load(route, refresh) {
  const query = { ...pickQuery(route, ["status", "role", "search"]), sort: "user_name" };
  await Promise.all([list.show(query, refresh), personPanel.load(route.id)]);
}

/** @returns {import("../components/list.js").Column[]} */
const columns = () => [
  { key: "name", label: t("field.display_name"), cell: (user) => html`<strong>${user.display_name}</strong> <span class="faint">${user.user_name}</span>` },
  { key: "status", label: t("field.status"), cell: userState },
  { key: "roles", label: t("user.office_roles"), cell: (user) => (user.roles.length ? chips(roleNames(user.roles)) : html`<span class="faint">–</span>`) },
  { key: "devices", label: t("user.tills"), cell: tillsOf },
  { key: "email", label: t("field.email"), class: "wide", cell: (user) => user.email ?? html`<span class="faint">–</span>` },
  { key: "last", label: t("user.last_login"), class: "num", cell: (user) => age(user.last_login_at) },
];

/** @param {NativeApi.User} user */
function tillsOf({ devices }) {
  if (devices.length > 4) return tn("user.till_count", devices.length);
  return devices.map((/** @type {any} */ each) => each.device).join(", ") || html`<span class="faint">–</span>`;
}

const filters = () => [
  { name: "status", label: t("filter.status"), options: optionsOf(["active", "pending", "suspended", "deleted"], (name) => word("user_status", name)) },
  { name: "role", label: t("filter.role"), options: roleOptions() },
];

/** @param {import("../router.js").Route} route */
function view(route) {
  const end = can("userCreate")
    ? html`<button class="button primary" @click=${addUser}>${icon("plus")}${t("user.new")}</button>`
    : nothing;
  const status = (/** @type {"active" | "suspended"} */ name) => (/** @type {any[]} */ users) =>
    forEachItem(users, (user) => call("PATCH", `users/${user.id}`, { body: { status: name }, ifMatch: "*" }));
  return html`
    <div class="split">
      <div class="page">
        ${filterBar({ search: t("user.search"), filters: filters(), end })}
        ${tableView(list, {
          columns: columns(),
          label: t("nav.people"),
          rowHref: (user) => withQuery({ tab: null }, user.id),
          openId: route.id,
          rowClass: (user) => (user.status === "active" || user.status === "pending" ? "" : "over"),
          actions: menu,
          bulk: can("userUpdate")
            ? [
                { label: t("user.suspend"), icon: "lock", run: status("suspended") },
                { label: t("user.activate"), icon: "unlock", run: status("active") },
                { label: t("role_change.label"), icon: "role", run: changeRole },
              ]
            : [],
          empty: () =>
            emptyBox({
              title: t("people.empty.title"),
              text: t("people.empty.text"),
              action: can("userCreate") ? { label: t("user.add"), run: addUser } : undefined,
              curl: ["POST", "users", { user_name: "jana", devices: [{ device: "P01", roles: ["cashier"] }] }],
              command: "tillgate user add jana --device P01=cashier",
            }),
        })}
      </div>
      ${route.id ? personPanel.view(route.id) : nothing}
    </div>`;
}

/** @param {NativeApi.User} user @returns {import("../components/menu.js").MenuItem[]} */
function menu(user) {
  const canChange = can("userUpdate") && !isSelf(user) && user.status !== "deleted";
  return [
    ...(canChange && user.status !== "suspended" && user.status !== "pending"
      ? [{ label: t("user.suspend"), icon: "lock", run: () => setUserStatus(user, "suspended") }]
      : []),
    ...(canChange && user.status !== "active" ? [{ label: t("user.activate"), icon: "unlock", run: () => setUserStatus(user, "active") }] : []),
    ...(can("sessionDelete") ? [{ label: t("session.end_all.menu"), icon: "leave", run: () => endAll({ user: user.id }, user.display_name, null) }] : []),
    null,
    ...(can("sessionRead") || can("sessionDelete") ? [{ label: t("nav.sessions"), icon: "session", href: href("sessions", null, { user: user.id, live: "all" }) }] : []),
    { label: t("nav.tickets"), icon: "ticket", href: href("tickets", null, { owner: user.id }) },
    ...(can("auditRead") ? [{ label: t("nav.audit"), icon: "audit", href: href("audit", null, { user: user.id }) }] : []),
  ];
}

/** @type {import("../main.js").Page} */
export const page = {
  title: () => t("nav.people"),
  rights: ["userRead"],
  kinds: ["user"],
  load,
  view,
  keys: () => ({ n: { label: t("user.new"), run: () => can("userCreate") && addUser() } }),
};
