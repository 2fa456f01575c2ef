// Who is on which till.

import { atPlaceOf, button, call, can, checkBox, compareNames, currentRoute, emptyBox, faint, formatNumber, formatSeconds, href,
  html, icon, lazyPanel, nothing, readAll, repaint, repeat, seesSessions, t, tn, withQuery } from "../core.js";
import { PageData, segments } from "../components/detail.js";
import { table } from "../components/table.js";
import { connection } from "../live.js";
import { prefs, setPrefs } from "../prefs.js";
import { boardState, groupByStore, isTill } from "./board.js";
import { card, columns } from "./device-card.js";
import { deviceActions, deviceKeys, deviceMenu, noDevices } from "./menus.js";

const { registerDevice } = deviceActions;
/** From this number of devices on, the board is a table, unless the person has chosen. */
const MAX_TILES = 40;
const devicePanel = lazyPanel(() => import("./device-panel.js"));
const TINT_FOR = 1_600;

const board = { summary: /** @type {any} */ (null), readAt: 0, showsOthers: false };
/** @type {PageData<any[]>} */
const data = new PageData(async () => {
  const devices = await readBoard(currentRoute().query.get("store"));
  devices.sort((a, b) => compareNames(a.name, b.name));
  noteChanges(devices);
  board.readAt = Date.now();
  return devices;
});
const changed = /** @type {Set<string>} */ (new Set());
let shownStore = /** @type {string | null | undefined} */ (undefined);

/** Reads the devices that are not retired, each with `seat`, `last_seat`, and in `also` the names
 * of the other devices on which its person works. */
async function readBoard(/** @type {string | null} */ store) {
  const all = await readAll("devices", { with: seesSessions() ? "seat" : undefined, store });
  const devices = all.filter((device) => device.status !== "retired");
  const ofPerson = Map.groupBy(devices, (device) => device.seat?.user?.id);
  const beside = (/** @type {any} */ { id, seat }) =>
    (seat?.user ? ofPerson.get(seat.user.id) ?? [] : []).filter((each) => each.id !== id);
  return devices.map((device) => ({ ...device, also: beside(device).map(({ name }) => name) }));
}

async function load(/** @type {App.Route} */ route, /** @type {App.Refresh} */ refresh) {
  const store = route.query.get("store");
  const panel = devicePanel.load(route.id);
  if (!refresh && store === shownStore && Date.now() - board.readAt < 2_000) return panel;
  if (store !== shownStore) data.value = null;
  shownStore = store;
  await data.load();
  call("GET", "summary", { query: { store } })
    .then((response) => Object.assign(board, { summary: response.data }), () => {})
    .finally(repaint);
  return panel;
}

/** Notes whose row has changed, and shows that for a moment. */
function noteChanges(/** @type {any[]} */ devices) {
  const key = (/** @type {any} */ each) => `${each.status} ${each.seat?.session_id}`;
  const before = new Map(data.value?.map((each) => [each.id, key(each)]));
  for (const each of devices) if (before.has(each.id) && before.get(each.id) !== key(each)) changed.add(each.id);
  if (changed.size) setTimeout(() => (changed.clear(), repaint()), TINT_FOR);
}

function view(/** @type {App.Route} */ route) {
  const all = data.value;
  const add = can("deviceCreate") ? { label: t("device.register"), run: registerDevice } : undefined;
  const none = () => emptyBox({ ...noDevices(), action: add });
  const content = !all ? data.placeholder() : all.length === 0 ? none() : boardView(route, all);
  return html`<div class="split"><div class="page">${content}</div>${route.id ? devicePanel.view(route.id) : nothing}</div>`;
}

function boardView(/** @type {App.Route} */ route, /** @type {any[]} */ all) {
  const others = all.filter((device) => !isTill(device));
  const devices = board.showsOthers ? all : all.filter(isTill);
  const filter = route.query.get("state");
  const shown = filter ? devices.filter((device) => matches(device, filter)) : devices;
  const isStale = data.error || connection.state === "offline";
  const layout = prefs.board || (devices.length < MAX_TILES ? "tiles" : "table");
  const pick = (/** @type {string} */ name) => setPrefs({ board: name });
  const title = (/** @type {{name: string, devices: any[]}} */ group) => html`<h2 class="group-title">${group.name}
    ${faint(tn(board.showsOthers ? "tills.count" : "user.till_count", group.devices.length))}</h2>`;
  return html`
    ${data.problem()}
    <nav class="tiles" aria-label=${t("tills.summary")}>
      ${seesSessions() ? [stateTile("logged_in", "used", devices, filter), stateTile("free", "free", devices, filter)] : nothing}
      ${stateTile("closed", "closed", devices, filter)}${throttleTile()}
    </nav>
    <div class="filters">
      ${isStale
        ? html`<span class="stale-note">${icon("clock")}${t("as_of", { time: formatSeconds(new Date(board.readAt)) })}</span>`
        : nothing}
      <span class="fill"></span>
      ${others.length
        ? checkBox(tn("tills.others", others.length), board.showsOthers, (shows) => ((board.showsOthers = shows), repaint()))
        : nothing}
      ${segments(t("tills.layout"), ["tiles", "table"], layout, pick, (name) => html`${icon(name)}${t(`tills.${name}`)}`)}
      ${can("deviceCreate") ? button("plus", t("device.new"), registerDevice) : nothing}
    </div>
    <div class="board ${isStale ? "stale" : ""}">
      ${groupByStore(shown).map(
        (group) => html`<section>
          ${group.name ? title(group) : nothing}
          ${layout === "table" ? tableOf(group.devices, route) : tilesOf(group.devices, route)}
        </section>`,
      )}
      ${shown.length === 0 ? html`<p class="muted pad">${t("tills.none_match")}</p>` : nothing}
    </div>`;
}

function matches(/** @type {Device} */ device, /** @type {string} */ filter) {
  const is = boardState(device);
  if (filter === "closed") return is === "locked" || is === "pending";
  return filter === "used" ? is === "used" || is === "idle" : is === filter;
}

/** A number with its name, which leads to what it counts. @param {string} name
 * @param {number} count @param {string} hint @param {string | null} address */
const tile = (name, count, hint, address, isCurrent = false) => html`
  <a class="tile ${name} ${count ? "" : "zero"}" href=${address ?? nothing} aria-current=${isCurrent ? "true" : nothing}>
    <strong>${formatNumber(count)}</strong><span>${t(`tills.tile.${name}`)}</span>${faint(hint)}</a>`;

/** The part of a state that its tile names besides. @type {Record<string, string>} */
const PARTS = { used: "idle", closed: "pending" };

/** @param {string} name @param {string} filter @param {any[]} devices
 * @param {string | null} active */
function stateTile(name, filter, devices, active) {
  const count = (/** @type {string} */ state) => devices.filter((device) => matches(device, state)).length;
  const part = count(PARTS[filter]);
  const hint = part ? tn(`tills.${PARTS[filter]}`, part) : "";
  const isCurrent = active === filter;
  return tile(name, count(filter), hint, withQuery({ state: isCurrent ? null : filter }, null), isCurrent);
}

function throttleTile() {
  const { login_throttled: count, denied_24h: refused } = board.summary ?? {};
  if (typeof count !== "number") return nothing;
  const address = can("auditRead") ? href("audit", null, { outcome: "refused", period: "day" }) : null;
  return tile("throttled", count, typeof refused === "number" ? tn("tills.denied", refused) : "", address);
}

const addressOf = (/** @type {Device} */ { id }) => href("tills", id, { state: currentRoute().query.get("state") });

const tilesOf = (/** @type {any[]} */ devices, /** @type {App.Route} */ route) => html`
  <ul class="cards">${repeat(devices, (device) => device.id, (device) => {
    const { id } = device;
    const options = { address: addressOf(device), isOpen: route.id === id, isChanged: changed.has(id) };
    return atPlaceOf(device, () => card(device, options));
  })}</ul>`;

const tableOf = (/** @type {any[]} */ devices, /** @type {App.Route} */ route) => html`
  <div class="table-wrap">${table(devices, {
    columns: columns(),
    label: t("nav.tills"),
    rowHref: addressOf,
    openId: route.id,
    rowClass: (device) => (changed.has(device.id) ? "changed" : ""),
    actions: deviceMenu,
    nameOf: (device) => device.name,
  })}</div>`;

/** @type {App.Page} */
export const page = {
  kinds: ["device", "session", "store", "user"],
  load,
  view,
  keys: () => ({
    ...deviceKeys(data.value ?? []),
    n: { label: t("device.new"), run: () => can("deviceCreate") && registerDevice() },
  }),
};
