// All devices, also those that are retired.

import { lazyPanel, listPage, ListState } from "../components/list-page.js";
import { age, chips, dash, moment, state } from "../components/small.js";
import { can, compareNames, html, nameOf, optionsOf, roleNames, seesSessions, t, word } from "../core.js";
import { boardState, environments, seenAt, tones } from "./board.js";
import { deviceActions, deviceKeys, deviceMenu, noDevices, sessionActions } from "./menus.js";

const list = new ListState("devices");

/** @returns {App.Column[]} */
function columns() {
  list.items.sort((a, b) => compareNames(a.name, b.name));
  return [
    { label: t("field.name"), cell: (each) => html`<strong>${each.name}</strong>` },
    { label: t("field.status"), cell: (each) => state(tones[boardState(each)], t(`board.${boardState(each)}`)) },
    { label: t("field.environment"), cell: (each) => word("environment", each.environment) },
    list.items.some((each) => each.store) && { label: t("field.store"), cell: (each) => each.store?.name ?? dash },
    list.items.some((each) => "seat" in each) && { label: t("tills.column.person"), cell: (each) => nameOf(each.seat?.user) || dash },
    { label: t("field.description"), class: "wide", cell: (each) => each.description },
    { label: t("device.roles"), class: "wide", cell: (each) => chips(roleNames(each.roles)) },
    { label: t("tills.column.seen"), class: "num", cell: (each) => age(seenAt(each)) },
    { label: t("field.created_at"), class: "num wide", cell: (each) => moment(each.created_at) },
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
    { name: "status", label: t("filter.status"), options: optionsOf(["active", "pending", "locked", "retired"], (name) => t(`board.${name}`)) },
    { name: "environment", label: t("field.environment"), options: optionsOf(environments, (name) => word("environment", name)) },
  ],
  add: () => ({ label: t("device.new"), right: "deviceCreate", run: deviceActions.registerDevice }),
  nameOf: (device) => device.name,
  rowClass: (device) => (device.status === "retired" ? "over" : ""),
  actions: deviceMenu,
  bulk: () =>
    can("deviceUpdate")
      ? [
          { label: t("device.lock"), icon: "lock", run: (devices) => sessionActions.changeStatuses("devices", devices, "locked") },
          { label: t("device.unlock"), icon: "unlock", run: (devices) => sessionActions.changeStatuses("devices", devices, "active") },
        ]
      : [],
  empty: noDevices,
  keys: () => deviceKeys(list.items),
});
