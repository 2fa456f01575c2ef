// @ts-check
// Who is on which till.

import { endSession } from "../actions/sessions.js";
import { call } from "../api.js";
import { icon } from "../components/icon.js";
import { lazyPanel } from "../components/lazy.js";
import { menuButton } from "../components/menu.js";
import { age, moment, problemBox, skeleton, state } from "../components/small.js";
import { nameOf } from "../directory.js";
import { compareNames, formatNumber, t, tn, word } from "../i18n.js";
import { connection } from "../live.js";
import { prefs, setPrefs } from "../prefs.js";
import { can, seesSessions } from "../rights.js";
import { currentRoute, href, withQuery } from "../router.js";
import { currentRowId } from "../shortcuts.js";
import { formatDuration, formatMoment, formatSeconds } from "../time.js";
import { html, nothing, repaint, repeat } from "../view.js";
import { boardState, groupByStore, groupByUser, isSilent, isTill, readBoard, seenAt, tones } from "./board.js";
import { deviceActions, deviceMenu, noDevices } from "./device-menu.js";

const { lockDevice, registerDevice, unlockDevice } = deviceActions;
const devicePanel = lazyPanel(() => import("./device-panel.js"));
const TINT_FOR = 1_600;

/** @type {{devices: any[] | null, devicesByUser: Map<string, any[]>, summary: any, error: any, readAt: number, showsOthers: boolean}} */
const board = { devices: null, devicesByUser: new Map(), summary: null, error: null, readAt: 0, showsOthers: false };
/** @type {Set<string>} */
const changed = new Set();

/** @param {import("../router.js").Route} route @param {boolean} refresh */
async function load(route, refresh) {
  const store = route.query.get("store");
  const panel = devicePanel.load(route.id);
  if (!refresh && board.devices && Date.now() - board.readAt < 2_000) return panel;
  try {
    const devices = await readBoard(store);
    if (refresh) noteChanges(devices);
    devices.sort((a, b) => compareNames(a.name, b.name));
    Object.assign(board, { devices, devicesByUser: groupByUser(devices), error: null, readAt: Date.now() });
  } catch (error) {
    board.error = error;
  }
  call("GET", "summary", { query: { store } })
    .then(({ data }) => Object.assign(board, { summary: data }), () => {})
    .finally(repaint);
  return panel;
}

/** @param {any[]} devices */
function noteChanges(devices) {
  const before = new Map(board.devices?.map((each) => [each.id, `${each.status} ${each.seat?.session_id}`]));
  for (const each of devices) {
    if (before.has(each.id) && before.get(each.id) !== `${each.status} ${each.seat?.session_id}`) changed.add(each.id);
  }
  if (changed.size) {
    setTimeout(() => {
      changed.clear();
      repaint();
    }, TINT_FOR);
  }
}

/** @param {import("../router.js").Route} route */
function view(route) {
  const { devices, error } = board;
  const content = !devices
    ? error
      ? problemBox(error, () => load(route, true).then(repaint))
      : skeleton()
    : devices.length === 0
      ? noDevices()
      : boardView(route, devices);
  return html`<div class="split"><div class="page">${content}</div>${route.id ? devicePanel.view(route.id) : nothing}</div>`;
}

/** @param {import("../router.js").Route} route @param {any[]} all */
function boardView(route, all) {
  const others = all.filter((device) => !isTill(device));
  const devices = board.showsOthers ? all : all.filter(isTill);
  const filter = route.query.get("state");
  const shown = filter ? devices.filter((device) => matches(device, filter)) : devices;
  const isStale = board.error || connection.state === "offline";
  return html`
    ${board.error ? problemBox(board.error, () => load(route, true).then(repaint)) : nothing}
    <nav class="tiles" aria-label=${t("tills.summary")}>
      ${seesSessions() ? [tile("logged_in", "used", devices, filter), tile("free", "free", devices, filter)] : nothing}
      ${tile("closed", "closed", devices, filter)}${throttleTile()}
    </nav>
    <div class="filters">
      ${isStale ? html`<span class="stale-note">${icon("clock")}${t("as_of", { time: formatSeconds(new Date(board.readAt).toISOString()) })}</span>` : nothing}
      <span class="fill"></span>
      ${others.length
        ? html`<label class="check"><input type="checkbox" ?checked=${board.showsOthers}
            @change=${() => ((board.showsOthers = !board.showsOthers), repaint())}>${tn("tills.others", others.length)}</label>`
        : nothing}
      <div class="segments" role="group" aria-label=${t("tills.layout")}>
        ${["tiles", "table"].map(
          (name) => html`<button aria-pressed=${String(prefs.board === name)} @click=${() => (setPrefs({ board: name }), repaint())}>
            ${icon(name)}${t(`tills.${name}`)}</button>`,
        )}
      </div>
      ${can("deviceCreate") ? html`<button class="button" @click=${registerDevice}>${icon("plus")}${t("device.new")}</button>` : nothing}
    </div>
    <div class="board ${isStale ? "stale" : ""}">
      ${groupByStore(shown).map(
        (group) => html`<section>
          ${group.name || group.id === "none"
            ? html`<h2 class="group-title">${group.name || t("store.none")}<span class="faint">${tn("tills.count", group.devices.length)}</span></h2>`
            : nothing}
          ${prefs.board === "table" ? tableOf(group.devices, route) : tilesOf(group.devices, route)}
        </section>`,
      )}
      ${shown.length === 0 ? html`<p class="muted pad">${t("tills.none_match")}</p>` : nothing}
    </div>`;
}

/** @param {NativeApi.Device} device @param {string} filter */
function matches(device, filter) {
  const is = boardState(device);
  if (filter === "closed") return is === "locked" || is === "pending";
  return filter === "used" ? is === "used" || is === "idle" : is === filter;
}

/** @param {string} name @param {string} filter @param {any[]} devices @param {string | null} active */
function tile(name, filter, devices, active) {
  const count = devices.filter((device) => matches(device, filter)).length;
  const idle = devices.filter((device) => boardState(device) === "idle").length;
  const hint = name === "logged_in" && idle ? tn("tills.idle", idle) : name === "closed" ? closedHint(devices) : "";
  return html`<a class="tile ${name} ${count ? "" : "zero"}" href=${withQuery({ state: active === filter ? null : filter }, null)}
    aria-current=${active === filter ? "true" : nothing}>
    <strong>${formatNumber(count)}</strong><span>${t(`tills.tile.${name}`)}</span><span class="faint">${hint}</span></a>`;
}

/** @param {any[]} devices */
function closedHint(devices) {
  const pending = devices.filter((device) => device.status === "pending").length;
  return pending ? tn("tills.pending", pending) : "";
}

function throttleTile() {
  const summary = board.summary;
  if (!summary || summary.login_throttled === null || summary.login_throttled === undefined) return nothing;
  const to = can("auditRead") ? href("audit", null, { outcome: "refused", period: "day" }) : null;
  const refused = summary.denied_24h;
  return html`<a class="tile throttled ${summary.login_throttled ? "" : "zero"}" href=${to ?? nothing}>
    <strong>${formatNumber(summary.login_throttled)}</strong><span>${t("tills.tile.throttled")}</span>
    <span class="faint">${refused === null || refused === undefined ? "" : tn("tills.denied", refused)}</span></a>`;
}

/** @param {any[]} devices @param {import("../router.js").Route} route */
const tilesOf = (devices, route) => html`
  <ul class="cards">${repeat(devices, (device) => device.id, (device) => card(device, route.id === device.id))}</ul>`;

/** @param {NativeApi.Device} device @param {boolean} isOpen */
function card(device, isOpen) {
  const is = boardState(device);
  return html`
    <li class="card ${is} ${changed.has(device.id) ? "changed" : ""}" data-row=${device.id} aria-current=${isOpen ? "true" : nothing}>
      <div class="card-head">
        <a class="card-name" href=${href("tills", device.id, keepQuery())}>${device.name}</a>
        ${state(tones[is], t(`board.${is}`))}
        ${menuButton(() => deviceMenu(device), t("actions_for", { name: device.name }))}
      </div>
      ${device.seat ? seatLines(device) : freeLines(device)}
    </li>`;
}

/** @param {any} device */
function seatLines(device) {
  const { seat } = device;
  const others = (board.devicesByUser.get(seat.user?.id) ?? []).filter((each) => each.id !== device.id);
  return html`
    <p class="card-person">${nameOf(seat.user) || t("board.itself")}</p>
    <p class="card-line">${t("board.since", { time: formatMoment(seat.created_at), duration: formatDuration(seat.created_at) })}</p>
    <p class="card-line faint">${word("mount", seat.mount)}${seat.address ? html` · <span class="num">${seat.address}</span>` : nothing}
      <span class="fill"></span>${age(seenAt(device))}</p>
    ${others.length ? html`<p class="card-note">${icon("people")}${t("board.also_on", { devices: others.map((each) => each.name).join(", ") })}</p>` : nothing}`;
}

/** @param {any} device */
function freeLines(device) {
  const last = device.last_seat;
  if (boardState(device) === "active") return html`<p class="card-line faint">${device.description}</p>`;
  return html`
    <p class="card-person none">${device.status === "pending" ? t("board.not_set_up") : t("board.nobody")}</p>
    ${last
      ? html`<p class="card-line">${t("board.last", { name: nameOf(last.user), time: formatMoment(last.ended_at) })}</p>
          <p class="card-line faint">${word("ended_why", last.ended_why)}</p>`
      : html`<p class="card-line faint">${device.description}</p>`}
    ${isSilent(device) ? html`<p class="card-note warn">${icon("clock")}${t("board.silent", { time: formatMoment(device.last_seen_at) })}</p>` : nothing}`;
}

/** @param {any[]} devices @param {import("../router.js").Route} route */
const tableOf = (devices, route) => html`
  <div class="table-wrap"><table class="table">
    <thead><tr>${["till", "state", "person", "since", "seen", "mount", "address"].map((name) => html`<th scope="col">${t(`tills.column.${name}`)}</th>`)}
      <th class="menu-cell"><span class="visually-hidden">${t("actions")}</span></th></tr></thead>
    <tbody>${repeat(devices, (device) => device.id, (device) => {
      const is = boardState(device);
      const { seat } = device;
      return html`<tr data-row=${device.id} class=${changed.has(device.id) ? "changed" : ""} aria-selected=${String(route.id === device.id)}>
        <td data-label=${t("tills.column.till")}><a class="row-link" href=${href("tills", device.id, keepQuery())}><strong>${device.name}</strong></a>
          <span class="faint">${device.environment === "CashRegister" ? "" : word("environment", device.environment)}</span></td>
        <td data-label=${t("tills.column.state")}>${state(tones[is], t(`board.${is}`))}</td>
        <td data-label=${t("tills.column.person")}>${seat ? nameOf(seat.user) || t("board.itself") : html`<span class="faint">–</span>`}</td>
        <td class="num" data-label=${t("tills.column.since")}>${seat ? html`${moment(seat.created_at)} <span class="faint">${formatDuration(seat.created_at)}</span>` : ""}</td>
        <td data-label=${t("tills.column.seen")}>${age(seenAt(device))}</td>
        <td data-label=${t("tills.column.mount")}>${word("mount", seat?.mount)}</td>
        <td class="num" data-label=${t("tills.column.address")}>${seat?.address ?? ""}</td>
        <td class="menu-cell">${menuButton(() => deviceMenu(device), t("actions_for", { name: device.name }))}</td>
      </tr>`;
    })}</tbody>
  </table></div>`;

const keepQuery = () => ({ state: currentRoute().query.get("state") });

const selected = () => board.devices?.find((device) => device.id === currentRowId());

/** @type {import("../main.js").Page} */
export const page = {
  title: () => t("nav.tills"),
  kinds: ["device", "session", "store", "user"],
  load,
  view,
  keys: () => ({
    e: { label: t("session.end"), run: () => withDevice((device) => device.seat && endSession({ id: device.seat.session_id, user: device.seat.user, device })) },
    l: { label: t("device.lock_toggle"), run: () => withDevice((device) => (device.status === "locked" ? unlockDevice(device) : lockDevice(device))) },
    n: { label: t("device.new"), run: () => can("deviceCreate") && registerDevice() },
  }),
};

/** @param {(device: any) => void} act */
function withDevice(act) {
  const device = selected();
  if (device) act(device);
}
