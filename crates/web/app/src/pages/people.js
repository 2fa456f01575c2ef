// Everybody who can log in.

import { exportButton, lazyActions, lazyPanel, listPage, ListState } from "../components/list-page.js";
import { age, chips, dash } from "../components/small.js";
import { can, html, optionsOf, roleNames, roleOptions, t, tn, word } from "../core.js";
import { linksTo } from "./menus.js";
import { isSelf, userState } from "./user-state.js";

const { addUser, changeRole, setUserStatus } = lazyActions(() => import("../actions/users.js"));
const { changeStatuses, endAll, endAllOf } = lazyActions(() => import("../actions/sessions.js"));

/** @param {NativeApi.User} user */
function tillsOf({ devices }) {
  if (devices.length > 4) return tn("user.till_count", devices.length);
  return devices.map((/** @type {any} */ each) => each.device).join(", ") || dash;
}

/** @param {NativeApi.User} user @returns {App.MenuItem[]} */
function menu(user) {
  const canChange = can("userUpdate") && !isSelf(user) && user.status !== "deleted";
  return [
    canChange && user.status === "active" && { label: t("user.suspend"), icon: "lock", run: () => setUserStatus(user, "suspended") },
    canChange && user.status !== "active" && { label: t("user.activate"), icon: "unlock", run: () => setUserStatus(user, "active") },
    can("sessionDelete") && { label: t("session.end_all.menu"), icon: "leave", run: () => endAll({ user: user.id }, user.display_name) },
    null,
    ...linksTo({ user: user.id }),
  ];
}

/** @returns {App.BulkAction[]} */
function bulk() {
  const ends = { label: t("session.end_all.menu"), icon: "leave", run: endAllOf };
  return [
    ...(can("userUpdate")
      ? [
          { label: t("user.suspend"), icon: "lock", run: (/** @type {any[]} */ users) => changeStatuses("users", users, "suspended") },
          { label: t("user.activate"), icon: "unlock", run: (/** @type {any[]} */ users) => changeStatuses("users", users, "active") },
          { label: t("role_change.label"), icon: "role", run: changeRole },
        ]
      : []),
    ...(can("sessionDelete") ? [ends] : []),
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
    { label: t("field.display_name"), cell: (user) => html`<strong>${user.display_name}</strong> <span class="faint">${user.user_name}</span>` },
    { label: t("field.status"), cell: userState },
    { label: t("user.office_roles"), cell: (user) => chips(roleNames(user.roles)) },
    { label: t("user.tills"), cell: tillsOf },
    { label: t("field.email"), class: "wide email", cell: (user) => user.email ?? dash },
    { label: t("user.last_login"), class: "num", cell: (user) => age(user.last_login_at) },
  ],
  search: () => t("user.search"),
  filters: () => [
    { name: "status", label: t("filter.status"), options: optionsOf(["active", "pending", "suspended", "deleted"], (name) => word("user_status", name)) },
    { name: "role", label: t("filter.role"), options: roleOptions() },
    { name: "sort", label: t("sort.name"), options: optionsOf(["-created_at", "created_at"], (name) => t(`sort.${name}`)) },
  ],
  end: () => exportButton(list),
  add: () => ({ label: t("user.new"), right: "userCreate", run: addUser }),
  nameOf: (user) => user.display_name,
  rowClass: (user) => (user.status === "active" || user.status === "pending" ? "" : "over"),
  actions: menu,
  bulk,
});
