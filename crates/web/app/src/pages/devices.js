// @ts-check
// All devices, also those that are retired.

import { filterBar } from "../components/filters.js";
import { icon } from "../components/icon.js";
import { lazyPanel } from "../components/lazy.js";
import { ListState, tableView } from "../components/list.js";
import { age, chips, moment, state } from "../components/small.js";
import { compareNames, optionsOf, t, word } from "../i18n.js";
import { nameOf, roleNames } from "../directory.js";
import { can, seesSessions } from "../rights.js";
import { pickQuery, withQuery } from "../router.js";
import { html, nothing } from "../view.js";
import { boardState, seenAt, tones } from "./board.js";
import { deviceActions, deviceMenu, noDevices } from "./device-menu.js";

const { registerDevice } = deviceActions;
const devicePanel = lazyPanel(() => import("./device-panel.js"));
const list = new ListState("devices");

/** @param {import("../router.js").Route} route @param {boolean} refresh */
async function load(route, refresh) {
  const query = { ...pickQuery(route, ["status", "environment", "search", "store"]), with: seesSessions() ? "seat" : undefined };
  await Promise.all([list.show(query, refresh), devicePanel.load(route.id)]);
}

/** @param {NativeApi.Device} device */
const stateOf = (device) => (device.status === "retired" ? "retired" : boardState(device));

/** @returns {import("../components/list.js").Column[]} */
const columns = () => [
  { key: "name", label: t("field.name"), cell: (each) => html`<strong>${each.name}</strong>` },
  { key: "status", label: t("field.status"), cell: (each) => state(tones[stateOf(each)] ?? "good", t(`board.${stateOf(each)}`)) },
  { key: "environment", label: t("field.environment"), cell: (each) => word("environment", each.environment) },
  ...(list.items.some((each) => each.store) ? [{ key: "store", label: t("field.store"), cell: (/** @type {any} */ each) => each.store?.name ?? html`<span class="faint">–</span>` }] : []),
  ...(list.items.some((each) => "seat" in each) ? [{ key: "seat", label: t("tills.column.person"), cell: (/** @type {any} */ each) => nameOf(each.seat?.user) || html`<span class="faint">–</span>` }] : []),
  { key: "description", label: t("field.description"), class: "wide", cell: (each) => each.description },
  { key: "roles", label: t("device.roles"), class: "wide", cell: (each) => (each.roles.length ? chips(roleNames(each.roles)) : html`<span class="faint">–</span>`) },
  { key: "seen", label: t("tills.column.seen"), class: "num", cell: (each) => age(seenAt(each)) },
  { key: "created", label: t("field.created_at"), class: "num wide", cell: (each) => moment(each.created_at) },
];

const filters = () => [
  { name: "status", label: t("filter.status"), options: optionsOf(["active", "pending", "locked", "retired"], (name) => t(`board.${name}`)) },
  { name: "environment", label: t("field.environment"), options: optionsOf(["CashRegister", "PDA", "BackOffice", "Tool"], (name) => word("environment", name)) },
];

/** @param {import("../router.js").Route} route */
function view(route) {
  const end = can("deviceCreate")
    ? html`<button class="button primary" @click=${registerDevice}>${icon("plus")}${t("device.new")}</button>`
    : nothing;
  list.items.sort((a, b) => compareNames(a.name, b.name));
  return html`
    <div class="split">
      <div class="page">
        ${filterBar({ search: t("device.search"), filters: filters(), end })}
        ${tableView(list, {
          columns: columns(),
          label: t("nav.devices"),
          rowHref: (device) => withQuery({ tab: null }, device.id),
          openId: route.id,
          rowClass: (device) => (device.status === "retired" ? "over" : ""),
          actions: deviceMenu,
          empty: noDevices,
        })}
      </div>
      ${route.id ? devicePanel.view(route.id) : nothing}
    </div>`;
}

/** @type {import("../main.js").Page} */
export const page = {
  title: () => t("nav.devices"),
  kinds: ["device", "session"],
  load,
  view,
  keys: () => ({ n: { label: t("device.new"), run: () => can("deviceCreate") && registerDevice() } }),
};
