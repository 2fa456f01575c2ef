// All devices, also those that are retired.

import { column, listPage, ListState, wordFilter } from "../components/list-page.js";
import { age, can, chips, compareNames, dash, entry, html, lazyPanel, moment, nameOf, roleNames, seesSessions, t,
  word } from "../core.js";
import { environments, seenAt, stateView } from "./board.js";
import { deviceActions, deviceKeys, deviceMenu, noDevices, sessionActions } from "./menus.js";

const list = new ListState("devices");

const setStatus = (/** @type {any[]} */ devices, /** @type {"active" | "locked"} */ status) =>
  sessionActions.changeStatuses("devices", devices, status);

/** @returns {App.Column[]} */
function columns() {
  list.items.sort((a, b) => compareNames(a.name, b.name));
  return [
    column("field.name", (each) => html`<strong>${each.name}</strong>`),
    column("field.status", stateView),
    column("field.environment", (each) => word("environment", each.environment)),
    list.items.some((each) => each.store) && column("field.store", (each) => each.store?.name ?? dash),
    list.items.some((each) => "seat" in each) && column("tills.column.person", ({ seat }) => nameOf(seat?.user) || dash),
    column("field.description", (each) => each.description, "wide"),
    column("device.roles", (each) => chips(roleNames(each.roles)), "wide"),
    column("tills.column.seen", (each) => age(seenAt(each)), "num"),
    column("field.created_at", (each) => moment(each.created_at), "num wide"),
  ];
}

export const page = listPage({
  list,
  panel: lazyPanel(() => import("./device-panel.js")),
  kinds: ["device", "session"],
  also: ["store"],
  query: () => ({ with: seesSessions() ? "seat" : undefined }),
  columns,
  search: () => t("device.search"),
  filters: () => [
    wordFilter("status", t("filter.status"), "board", ["active", "pending", "locked", "retired"]),
    wordFilter("environment", t("field.environment"), "environment", environments),
  ],
  add: () => ({ label: t("device.new"), right: "deviceCreate", run: deviceActions.registerDevice }),
  nameOf: (device) => device.name,
  rowClass: (device) => (device.status === "retired" ? "over" : ""),
  actions: deviceMenu,
  bulk: () => [
    can("deviceUpdate") && entry("device.lock", "lock", (devices) => setStatus(devices, "locked")),
    can("deviceUpdate") && entry("device.unlock", "unlock", (devices) => setStatus(devices, "active")),
  ],
  empty: noDevices,
  keys: () => deviceKeys(list.items),
});
