// @ts-check
// The panel of a device: who is on it, who may log in, its settings, its events.

import { giveAccess, removeAccess } from "../actions/access.js";
import { editDevice, editSetting, lockDevice, retireDevice, unlockDevice } from "../actions/devices.js";
import { clearThrottle, setPassword } from "../actions/passwords.js";
import { endAll, endSession } from "../actions/sessions.js";
import { accessOn, can, formatMoney, href, html, icon, nothing, readItems, repaint, repeat, seesSessions, t, tn, word } from "../core.js";
import { Detail } from "../components/detail.js";
import { menuButton } from "../components/menu.js";
import { facts, loadingPanel, panel } from "../components/panel.js";
import { age, button, chips, curlLine, idText, moment, problemBox, skeleton, state } from "../components/small.js";
import { roleNames, usablePeople } from "../directory.js";
import { boardState, seenAt, tones } from "./board.js";
import { eventsOf } from "./event-list.js";
import { sessionRow } from "./session-row.js";
import { ticketTitle, ticketTones } from "./ticket-words.js";
import { throttleNotice } from "./user-state.js";

const detail = new Detail("devices");

/** @param {string | null} id */
export const load = (id) => detail.load(id);

/** Shows the device that was read. */
export function view() {
  const device = detail.data;
  if (!device) return loadingPanel(detail);
  const { value: live } = sessionsOf(device);
  const seat = live?.find((/** @type {any} */ each) => !each.ended_at);
  const is = boardState(live ? { ...device, seat } : device);
  return panel({
    title: device.name,
    subtitle: [word("environment", device.environment), device.store?.name, device.description].filter(Boolean).join(" · "),
    state: state(tones[is], t(`board.${is}`)),
    actions: actions(device, seat),
    tabs: [
      { id: "now", label: t("device.tab.now"), body: () => nowTab(device) },
      can("userRead") && { id: "people", label: t("device.tab.people"), body: () => peopleTab(device) },
      { id: "settings", label: t("device.tab.settings"), body: () => settingsTab(device) },
      { id: "tickets", label: t("nav.tickets"), body: () => ticketsTab(device) },
      can("auditRead") && { id: "audit", label: t("nav.audit"), body: () => eventsOf(detail, { device: device.id }, 25) },
    ],
  });
}

/** @param {NativeApi.Device} device */
const sessionsOf = (device) =>
  seesSessions() ? detail.extra("sessions", () => readItems("sessions", { device: device.id, limit: 12 })) : { value: null, error: null };

/** @param {NativeApi.Device} device @param {any} seat */
function actions(device, seat) {
  const { name, status } = device;
  if (status === "retired") return nothing;
  const canUpdate = can("deviceUpdate");
  const more = () => [
    can("sessionDelete") && { label: t("session.end_all.menu"), icon: "leave", run: () => endAll({ device: device.id }, name) },
    canUpdate && { label: t("device.password"), icon: "key", run: () => setPassword("devices", device, name) },
    canUpdate && { label: t("throttle.clear"), icon: "unlock", run: () => clearThrottle("devices", device, name) },
    null,
    can("deviceDelete") && { label: t("device.retire.action"), icon: "trash", danger: true, run: () => retireDevice(device, seat ? 1 : 0) },
  ];
  return html`
    ${seat && can("sessionDelete") ? button("leave", t("session.end"), () => endSession({ ...seat, device })) : nothing}
    ${canUpdate
      ? html`${status === "active"
          ? button("lock", t("device.lock"), () => lockDevice({ ...device, seat }))
          : html`${button("unlock", t(status === "pending" ? "device.activate" : "device.unlock"), () => unlockDevice(device), "primary")}`}
        ${button("edit", t("edit"), () => editDevice(device, detail.etag))}`
      : nothing}
    ${more().some(Boolean) ? menuButton(more, t("actions_for", { name })) : nothing}`;
}

/** @param {NativeApi.Device} device */
function nowTab(device) {
  const { value: sessions, error } = sessionsOf(device);
  return html`
    ${throttleNotice(device.login_throttle)}
    ${facts([
      [t("field.last_seen_at"), age(seenAt({ ...device, seat: sessions?.[0] }))],
      [t("device.roles"), chips(roleNames(device.roles), html`<span class="faint">${t("none")}</span>`)],
      [t("field.created_at"), moment(device.created_at)],
      [t("field.id"), idText(device.id)],
    ])}
    ${sessions || error ? html`<h3>${t("device.last_sessions")}</h3>` : nothing}
    ${error ? problemBox(error, () => detail.load(device.id)) : nothing}
    <ul class="rows">${sessions?.map(sessionRow) ?? nothing}</ul>
    ${sessions?.length === 0
      ? html`<p class="muted">${t("device.first_login")}</p>
          <pre class="code" tabindex="0">${curlLine("POST", "sessions", { login: "…", password: "…", device: device.name }, false)}</pre>`
      : nothing}`;
}

/** Who may log in on the device. @param {NativeApi.Device} device */
function peopleTab(device) {
  const allowed = usablePeople().flatMap((user) => {
    const on = accessOn(user, device.name);
    return on ? [{ user, roles: on.roles }] : [];
  });
  const canChange = can("userUpdate") && device.status !== "retired";
  const edit = (/** @type {NativeApi.User} */ user) => html`
    <button class="icon-button" aria-label=${t("access.change", { name: user.display_name })} @click=${() => giveAccess(device, user)}>${icon("edit")}</button>
    <button class="icon-button" aria-label=${t("access.remove", { name: user.display_name })} @click=${() => removeAccess(device, user)}>${icon("close")}</button>`;
  return html`
    <div class="row"><p class="muted">${tn("device.people", allowed.length)}</p><span class="fill"></span>
      ${canChange ? button("plus", t("access.give"), () => giveAccess(device), "small") : nothing}</div>
    <ul class="rows">${repeat(
      allowed,
      ({ user }) => user.id,
      ({ user, roles }) => html`<li>
        <a href=${href("people", user.id)}>${user.display_name}</a><span class="fill"></span>
        ${chips(roleNames(roles), html`<span class="faint">${t("access.no_roles")}</span>`)}
        ${canChange ? edit(user) : nothing}
      </li>`,
    )}</ul>`;
}

/** The newest tickets of the device. @param {NativeApi.Device} device */
function ticketsTab(device) {
  const { value, error } = detail.extra("tickets", () => readItems("tickets", { device: device.id, sort: "-opened_at", limit: 15 }));
  if (!value) return error ? problemBox(error, () => detail.load(device.id)) : skeleton();
  return html`
    <ul class="rows">${value.map(
      (/** @type {NativeApi.Ticket} */ each) => html`<li>
        <a href=${href("tickets", each.id)}>${ticketTitle(each)}</a> ${state(ticketTones[each.state], t(`ticket_state.${each.state}`))}
        <span class="fill"></span><span class="muted">${moment(each.opened_at)}</span> <span class="num">${formatMoney(each.payable, each.currency)}</span>
      </li>`,
    )}</ul>
    ${value.length === 0 ? html`<p class="muted">${t("tickets.empty.title")}</p>` : nothing}
    <p><a href=${href("tickets", null, { device: device.id })}>${t("tickets.all")}</a></p>`;
}

let showsJson = false;

/** @param {NativeApi.Device} device */
function settingsTab(device) {
  const entries = Object.entries(device.settings);
  const canUpdate = can("deviceUpdate") && device.status !== "retired";
  return html`
    <div class="row"><h3>${t("field.settings")}</h3><span class="fill"></span>
      <label class="check"><input type="checkbox" ?checked=${showsJson} @change=${() => ((showsJson = !showsJson), repaint())}>JSON</label>
      ${canUpdate ? button("plus", t("setting.new"), () => editSetting(device, detail.etag), "small") : nothing}
    </div>
    ${showsJson
      ? html`<pre class="code" tabindex="0">${JSON.stringify(device.settings, null, 2)}</pre>`
      : html`<ul class="rows">${entries.map(
          ([key, value]) => html`<li><code>${key}</code><span class="fill"></span><span class="num">${String(value)}</span>
            ${canUpdate
              ? html`<button class="icon-button" aria-label=${t("setting.edit", { key })} @click=${() => editSetting(device, detail.etag, key)}>${icon("edit")}</button>`
              : nothing}</li>`,
        )}</ul>`}
    ${entries.length === 0 ? html`<p class="muted">${t("setting.none")}</p>` : nothing}
    <h3>${t("field.preferences")}</h3>
    <p class="muted">${t("device.preferences.hint")}</p>
    <pre class="code" tabindex="0">${JSON.stringify(device.preferences, null, 2)}</pre>`;
}
