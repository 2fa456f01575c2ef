// The panel of a device: who is on it, who may log in, its settings, its events.

import { giveAccess, removeAccess } from "../actions/access.js";
import { editDevice, editSetting, retireDevice } from "../actions/devices.js";
import { clearThrottle, setPassword } from "../actions/passwords.js";
import { endAll } from "../actions/sessions.js";
import { accessOn, can, formatMoney, href, html, nothing, readItems, repaint, roleNames, seesSessions, t, tn, usablePeople, word } from "../core.js";
import { Detail, detailPanel, facts, panel } from "../components/detail.js";
import { menuButton } from "../components/lazy.js";
import { actButtons, age, button, checkBox, chips, curlLine, iconButton, idText, moment, rowList, state } from "../components/small.js";
import { boardState, isTill, seenAt, tones } from "./board.js";
import { keyTab } from "./device-key.js";
import { deviceActs } from "./menus.js";
import { eventsOf } from "./events.js";
import { sessionRow } from "./session-row.js";
import { ticketTitle, ticketTones } from "./ticket-words.js";
import { throttleNotice } from "./user-state.js";

const detail = new Detail("devices");

export const { load, view } = detailPanel(detail, (device) => {
  const live = sessionsOf(device)?.value;
  const session = isTill(device) && live?.find((/** @type {any} */ each) => !each.ended_at && each.kind !== "permanent");
  const seat = session ? { ...session, session_id: session.id } : undefined;
  const is = boardState(live ? { ...device, seat } : device);
  return panel({
    title: device.name,
    subtitle: [word("environment", device.environment), device.store?.name, device.description].filter(Boolean).join(" · "),
    state: state(tones[is], t(`board.${is}`)),
    actions: actions(device, seat),
    tabs: [
      { id: "now", label: t("device.tab.now"), body: () => nowTab(device) },
      can("userRead") && { id: "people", label: t("device.tab.people"), body: () => peopleTab(device) },
      can("deviceEnroll") && device.status !== "retired" && { id: "key", label: t("device.tab.key"), body: () => keyTab(detail, device, countLive(device)) },
      { id: "settings", label: t("device.tab.settings"), body: () => settingsTab(device) },
      { id: "tickets", label: t("nav.tickets"), body: () => ticketsTab(device) },
      can("auditRead") && { id: "audit", label: t("nav.audit"), body: () => eventsOf(detail, { device: device.id }, 25) },
    ],
  });
});

/** @param {NativeApi.Device} device */
const sessionsOf = (device) => (seesSessions() ? detail.extra("sessions", () => readItems("sessions", { device: device.id, limit: 12 })) : null);

/** How many of them are live, as far as that may be seen. @param {NativeApi.Device} device */
const countLive = (device) => sessionsOf(device)?.value?.filter((/** @type {any} */ each) => !each.ended_at).length;

/** @param {NativeApi.Device} device @param {any} seat */
function actions(device, seat) {
  const { name } = device;
  if (device.status === "retired") return nothing;
  const canUpdate = can("deviceUpdate");
  const more = () => [
    can("sessionDelete") && { label: t("session.end_all.menu"), icon: "leave", run: () => endAll({ device: device.id }, name) },
    canUpdate && { label: t("device.password"), icon: "key", run: () => setPassword("devices", device, name) },
    canUpdate && { label: t("throttle.clear"), icon: "unlock", run: () => clearThrottle("devices", device, name) },
    null,
    can("deviceDelete") && { label: t("device.retire.action"), icon: "trash", danger: true, run: () => retireDevice(device, countLive(device) ?? 0) },
  ];
  const edit = canUpdate && { label: t("edit"), icon: "edit", run: () => editDevice(device, detail.etag) };
  return html`${actButtons([...deviceActs({ ...device, seat }), edit])}${menuButton(more, name)}`;
}

/** @param {NativeApi.Device} device */
function nowTab(device) {
  const extra = sessionsOf(device);
  const sessions = extra?.value;
  return html`
    ${throttleNotice(device.login_throttle)}
    ${facts([
      [t("field.last_seen_at"), age(seenAt({ ...device, seat: sessions?.[0] }))],
      [t("device.roles"), chips(roleNames(device.roles), html`<span class="faint">${t("none")}</span>`)],
      [t("field.created_at"), moment(device.created_at)],
      [t("field.id"), idText(device.id)],
    ])}
    ${sessions || extra?.error ? html`<h3>${t("device.last_sessions")}</h3>` : nothing}
    ${extra?.problem()}
    ${rowList(sessions ?? [], sessionRow)}
    ${sessions?.length === 0
      ? html`<p class="muted">${t("device.first_login")}</p>
          <pre class="code" tabindex="0">${curlLine("POST", "sessions", { login: "…", password: "…", device: device.name }, false)}</pre>`
      : nothing}`;
}

/** Who may log in on the device. @param {NativeApi.Device} device */
function peopleTab(device) {
  const allowed = usablePeople().filter((user) => accessOn(user, device.name));
  const canChange = can("userUpdate") && device.status !== "retired";
  const edit = (/** @type {NativeApi.User} */ user) => html`
    ${iconButton("edit", t("access.change", { name: user.display_name }), () => giveAccess(device, user))}
    ${iconButton("close", t("access.remove", { name: user.display_name }), () => removeAccess(device, user))}`;
  return html`
    <div class="row"><p class="muted">${tn("device.people", allowed.length)}</p><span class="fill"></span>
      ${canChange ? button("plus", t("access.give"), () => giveAccess(device), "small") : nothing}</div>
    ${rowList(allowed, (user) => html`<li>
      <a href=${href("people", user.id)}>${user.display_name}</a><span class="fill"></span>
      ${chips(roleNames(accessOn(user, device.name)?.roles ?? []), html`<span class="faint">${t("access.no_roles")}</span>`)}
      ${canChange ? edit(user) : nothing}
    </li>`)}`;
}

/** The newest tickets of the device. @param {NativeApi.Device} device */
function ticketsTab(device) {
  const row = (/** @type {NativeApi.Ticket} */ each) => html`<li>
    <a href=${href("tickets", each.id)}>${ticketTitle(each)}</a> ${state(ticketTones[each.state], t(`ticket_state.${each.state}`))}
    <span class="fill"></span><span class="muted">${moment(each.opened_at)}</span> <span class="num">${formatMoney(each.payable, each.currency)}</span>
  </li>`;
  return detail.list("tickets", () => readItems("tickets", { device: device.id, sort: "-opened_at", limit: 15 }), (tickets) => html`
    ${rowList(tickets, row, t("tickets.empty.title"))}
    <p><a href=${href("tickets", null, { device: device.id })}>${t("tickets.all")}</a></p>`);
}

let showsJson = false;

/** @param {NativeApi.Device} device */
function settingsTab(device) {
  const canUpdate = can("deviceUpdate") && device.status !== "retired";
  const setting = (/** @type {string} */ key) => html`
    <li><code>${key}</code><span class="fill"></span><span class="num">${String(device.settings[key])}</span>
      ${canUpdate ? iconButton("edit", t("setting.edit", { key }), () => editSetting(device, detail.etag, key)) : nothing}</li>`;
  return html`
    <div class="row"><h3>${t("field.settings")}</h3><span class="fill"></span>
      ${checkBox("JSON", showsJson, (shows) => ((showsJson = shows), repaint()))}
      ${canUpdate ? button("plus", t("setting.new"), () => editSetting(device, detail.etag), "small") : nothing}
    </div>
    ${showsJson
      ? html`<pre class="code" tabindex="0">${JSON.stringify(device.settings, null, 2)}</pre>`
      : rowList(Object.keys(device.settings), setting, t("setting.none"))}
    <h3>${t("field.preferences")}</h3>
    <p class="muted">${t("device.preferences.hint")}</p>
    <pre class="code" tabindex="0">${JSON.stringify(device.preferences, null, 2)}</pre>`;
}
