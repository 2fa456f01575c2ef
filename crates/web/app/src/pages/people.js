// Everybody who can log in.

import { column, exportButton, listPage, ListState, wordFilter } from "../components/list-page.js";
import { age, can, chips, dash, entry, faint, html, isSelf, lazyActions, lazyPanel, roleNames, roleOptions, t,
  tn } from "../core.js";
import { linksTo } from "./menus.js";
import { userState } from "./user-state.js";

const { addUser, changeRole, setUserStatus } = lazyActions(() => import("../actions/users.js"));
const { changeStatuses, endAll, endAllOf } = lazyActions(() => import("../actions/sessions.js"));

function tillsOf(/** @type {User} */ { devices }) {
  if (devices.length > 4) return tn("user.till_count", devices.length);
  return devices.map(({ device }) => device).join(", ") || dash;
}

/** @param {User} user @returns {App.MenuItem[]} */
function menu(user) {
  const canChange = can("userUpdate") && !isSelf(user) && user.status !== "deleted";
  const isActive = user.status === "active";
  const end = () => endAll({ user: user.id }, user.display_name);
  return [
    canChange && isActive && entry("user.suspend", "lock", () => setUserStatus(user, "suspended")),
    canChange && !isActive && entry("user.activate", "unlock", () => setUserStatus(user, "active")),
    can("sessionDelete") && entry("session.end_all.menu", "leave", end),
    null,
    ...linksTo({ user: user.id }),
  ];
}

/** @returns {(App.BulkAction | false)[]} */
function bulk() {
  const canUpdate = can("userUpdate");
  return [
    canUpdate && entry("user.suspend", "lock", (users) => changeStatuses("users", users, "suspended")),
    canUpdate && entry("user.activate", "unlock", (users) => changeStatuses("users", users, "active")),
    canUpdate && entry("role_change.label", "role", changeRole),
    can("sessionDelete") && entry("session.end_all.menu", "leave", endAllOf),
  ];
}

const list = new ListState("users");

export const page = listPage({
  list,
  panel: lazyPanel(() => import("./person-panel.js")),
  kinds: ["user"],
  also: ["store"],
  sort: "user_name",
  columns: () => [
    column("field.display_name", (user) => html`<strong>${user.display_name}</strong> ${faint(user.user_name)}`),
    column("field.status", userState),
    column("user.office_roles", (user) => chips(roleNames(user.roles))),
    column("user.tills", tillsOf),
    column("field.email", (user) => user.email ?? dash, "wide email"),
    column("user.last_login", (user) => age(user.last_login_at), "num"),
  ],
  search: () => t("user.search"),
  filters: () => [
    wordFilter("status", t("filter.status"), "user_status", ["active", "pending", "suspended", "deleted"]),
    { name: "role", label: t("filter.role"), options: roleOptions() },
    wordFilter("sort", t("sort.name"), "sort", ["-created_at", "created_at"]),
  ],
  end: () => exportButton(list),
  add: () => ({ label: t("user.new"), right: "userCreate", run: addUser }),
  nameOf: (user) => user.display_name,
  rowClass: (user) => (user.status === "active" || user.status === "pending" ? "" : "over"),
  actions: menu,
  bulk,
});
