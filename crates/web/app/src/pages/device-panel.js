// The panel of a device: who is on it, who may log in, its settings, its events.

import { giveAccess, removeAccess } from "../actions/users.js";
import { editDevice, editSetting, retireDevice } from "../actions/devices.js";
import { clearThrottle, setPassword } from "../actions/passwords.js";
import { endAll } from "../actions/sessions.js";
import { accessOn, actButtons, age, button, can, checkBox, chips, code, curlLine, entry, faint, formatMoney, html, iconButton,
  idText, joined, link, menuButton, moment, muted, nothing, num, readItems, repaint, roleNames, rowList, seesSessions, t, tn,
  usablePeople, word } from "../core.js";
import { Detail, detailPanel, facts, panel } from "../components/detail.js";
import { isTill, seenAt, stateView } from "./board.js";
import { keyTab } from "./device-key.js";
import { deviceActs } from "./menus.js";
import { eventsOf } from "./events.js";
import { sessionRow } from "./session-row.js";
import { ticketState, ticketTitle } from "./ticket-words.js";
import { throttleNotice } from "./user-state.js";

const detail = new Detail("devices");

export const { load, view } = detailPanel(detail, (device) => {
  const live = sessionsOf(device)?.value;
  const session = isTill(device) && live?.find((/** @type {any} */ each) => !each.ended_at && each.kind !== "permanent");
  const seat = session ? { ...session, session_id: session.id } : undefined;
  const keys = () => keyTab(detail, device, countLive(device));
  return panel({
    title: device.name,
    subtitle: joined([word("environment", device.environment), device.store?.name, device.description]),
    state: stateView(live ? { ...device, seat } : device),
    actions: actions(device, seat),
    tabs: [
      { id: "now", label: t("device.tab.now"), body: () => nowTab(device) },
      can("userRead") && { id: "people", label: t("device.tab.people"), body: () => peopleTab(device) },
      can("deviceEnroll") && device.status !== "retired" && { id: "key", label: t("device.tab.key"), body: keys },
      { id: "settings", label: t("device.tab.settings"), body: () => settingsTab(device) },
      { id: "tickets", label: t("nav.tickets"), body: () => ticketsTab(device) },
      can("auditRead") && { id: "audit", label: t("nav.audit"), body: () => eventsOf(detail, { device: device.id }, 25) },
    ],
  });
});

const sessionsOf = (/** @type {Device} */ { id }) =>
  seesSessions() ? detail.extra("sessions", () => readItems("sessions", { device: id, limit: 12 })) : null;
/** How many of them are live, as far as that may be seen. @param {Device} device */
const countLive = (device) => sessionsOf(device)?.value?.filter((/** @type {any} */ each) => !each.ended_at).length;

function actions(/** @type {Device} */ device, /** @type {any} */ seat) {
  const { name } = device;
  if (device.status === "retired") return nothing;
  const canUpdate = can("deviceUpdate");
  const end = () => endAll({ device: device.id }, name);
  const retire = () => retireDevice(device, countLive(device) ?? 0);
  const more = () => [
    can("sessionDelete") && entry("session.end_all.menu", "leave", end),
    canUpdate && entry("device.password", "key", () => setPassword("devices", device, name)),
    canUpdate && entry("throttle.clear", "unlock", () => clearThrottle("devices", device, name)),
    null,
    can("deviceDelete") && entry("device.retire", "trash", retire, { danger: true }),
  ];
  const edit = canUpdate && { label: t("edit"), icon: "edit", run: () => editDevice(device, detail.etag) };
  return html`${actButtons([...deviceActs({ ...device, seat }), edit])}${menuButton(more, name)}`;
}

function nowTab(/** @type {Device} */ device) {
  const extra = sessionsOf(device);
  const sessions = extra?.value;
  return html`
    ${throttleNotice(device.login_throttle)}
    ${facts([
      ["field.last_seen_at", age(seenAt({ ...device, seat: sessions?.[0] }))],
      ["device.roles", chips(roleNames(device.roles), faint(t("none")))],
      ["field.created_at", moment(device.created_at)],
      ["field.id", idText(device.id)],
    ])}
    ${sessions || extra?.error ? html`<h3>${t("device.last_sessions")}</h3>` : nothing}
    ${extra?.problem()}
    ${rowList(sessions ?? [], sessionRow)}
    ${sessions?.length === 0
      ? html`${muted(t("device.first_login"))}
          ${code(curlLine("POST", "sessions", { login: "…", password: "…", device: device.name }, false))}`
      : nothing}`;
}

function peopleTab(/** @type {Device} */ device) {
  const allowed = usablePeople().filter((user) => accessOn(user, device.name));
  const canChange = can("userUpdate") && device.status !== "retired";
  const edit = (/** @type {User} */ user) => {
    const values = { name: user.display_name };
    return html`${iconButton("edit", t("access.change", values), () => giveAccess(device, user))}
      ${iconButton("close", t("access.remove", values), () => removeAccess(device, user))}`;
  };
  return html`
    <div class="row">${muted(tn("device.people", allowed.length))}<span class="fill"></span>
      ${canChange ? button("plus", t("access.give"), () => giveAccess(device), "small") : nothing}</div>
    ${rowList(allowed, (user) => html`<li>
      ${link("people", user.id, user.display_name)}<span class="fill"></span>
      ${chips(roleNames(accessOn(user, device.name)?.roles ?? []), faint(t("access.no_roles")))}
      ${canChange ? edit(user) : nothing}
    </li>`)}`;
}

const ticketRow = (/** @type {Ticket} */ each) => html`
  <li>${link("tickets", each.id, ticketTitle(each))} ${ticketState(each)}<span class="fill"></span>
    <span class="muted">${moment(each.opened_at)}</span>
    ${num(formatMoney(each.payable, each.currency))}</li>`;

function ticketsTab(/** @type {Device} */ { id: device }) {
  const read = () => readItems("tickets", { device, sort: "-opened_at", limit: 15 });
  return detail.list("tickets", read, (tickets) => html`
    ${rowList(tickets, ticketRow, t("tickets.empty.title"))}
    <p>${link("tickets", null, t("tickets.all"), { device })}</p>`);
}

let showsJson = false;

function settingsTab(/** @type {Device} */ device) {
  const canUpdate = can("deviceUpdate") && device.status !== "retired";
  const edit = (/** @type {string} */ key) =>
    iconButton("edit", t("setting.edit", { key }), () => editSetting(device, detail.etag, key));
  const setting = (/** @type {string} */ key) => html`
    <li><code>${key}</code><span class="fill"></span>${num(device.settings[key])} ${canUpdate ? edit(key) : nothing}</li>`;
  return html`
    <div class="row"><h3>${t("field.settings")}</h3><span class="fill"></span>
      ${checkBox("JSON", showsJson, (shows) => ((showsJson = shows), repaint()))}
      ${canUpdate ? button("plus", t("setting.new"), () => editSetting(device, detail.etag), "small") : nothing}
    </div>
    ${showsJson
      ? code(JSON.stringify(device.settings, null, 2))
      : rowList(Object.keys(device.settings), setting, t("setting.none"))}
    <h3>${t("field.preferences")}</h3>
    ${muted(t("device.preferences.hint"))}
    ${code(JSON.stringify(device.preferences, null, 2))}`;
}
