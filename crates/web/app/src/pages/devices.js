// @ts-check
// All devices, also those that are retired.

import { filterBar } from "../components/filters.js";
import { icon } from "../components/icon.js";
import { lazyPanel } from "../components/lazy.js";
import { ListState, tableView } from "../components/list.js";
import { age, chips, emptyBox, moment, state } from "../components/small.js";
import { compareNames, t, word } from "../i18n.js";
import { nameOf, roleNames } from "../directory.js";
import { can, seesSessions } from "../rights.js";
import { withQuery } from "../router.js";
import { html, nothing } from "../view.js";
import { boardState, seenAt, tones } from "./board.js";
import { deviceActions, deviceMenu } from "./device-menu.js";

const { registerDevice } = deviceActions;
const devicePanel = lazyPanel(() => import("./device-panel.js"));
const list = new ListState("devices");

/** @param {import("../router.js").Route} route @param {boolean} refresh */
async function load(route, refresh) {
  const names = ["status", "environment", "search", "store"];
  const query = { ...Object.fromEntries(names.map((name) => [name, route.query.get(name) ?? undefined])), with: seesSessions() ? "seat" : undefined };
  await Promise.all([list.show(query, refresh), devicePanel.load(route.id)]);
}

/** @param {any} device */
const stateOf = (device) => (device.status === "retired" ? "retired" : boardState(device));

const columns = () => [
  { key: "name", label: t("field.name"), cell: (/** @type {any} */ each) => html`<strong>${each.name}</strong>` },
  { key: "status", label: t("field.status"), cell: (/** @type {any} */ each) => state(tones[stateOf(each)] ?? "good", t(`board.${stateOf(each)}`)) },
  { key: "environment", label: t("field.environment"), cell: (/** @type {any} */ each) => word("environment", each.environment) },
  ...(list.items.some((each) => each.store) ? [{ key: "store", label: t("field.store"), cell: (/** @type {any} */ each) => each.store?.name ?? html`<span class="faint">–</span>` }] : []),
  ...(list.items.some((each) => "seat" in each) ? [{ key: "seat", label: t("tills.column.person"), cell: (/** @type {any} */ each) => nameOf(each.seat?.user) || html`<span class="faint">–</span>` }] : []),
  { key: "description", label: t("field.description"), class: "wide", cell: (/** @type {any} */ each) => each.description },
  { key: "roles", label: t("device.roles"), class: "wide", cell: (/** @type {any} */ each) => (each.roles.length ? chips(roleNames(each.roles)) : html`<span class="faint">–</span>`) },
  { key: "seen", label: t("tills.column.seen"), class: "num", cell: (/** @type {any} */ each) => age(seenAt(each)) },
  { key: "created", label: t("field.created_at"), class: "num wide", cell: (/** @type {any} */ each) => moment(each.created_at) },
];

const filters = () => [
  {
    name: "status",
    label: t("filter.status"),
    options: ["active", "pending", "locked", "retired"].map((value) => ({ value, label: t(`board.${value}`) })),
  },
  { name: "environment", label: t("field.environment"), options: ["CashRegister", "PDA", "BackOffice", "Tool"].map((value) => ({ value, label: word("environment", value) })) },
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
          empty: () =>
            emptyBox({
              title: t("tills.empty.title"),
              text: t("tills.empty.text"),
              action: can("deviceCreate") ? { label: t("device.register"), run: registerDevice } : undefined,
              curl: ["POST", "devices", { name: "P01", environment: "CashRegister" }],
              command: "tillgate device add P01 --environment CashRegister",
            }),
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
