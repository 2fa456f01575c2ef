// @ts-check
// The panel of a device: who is on it, who may log in, its settings, its events.

import { editDevice, editSetting, lockDevice, retireDevice, unlockDevice } from "../actions/devices.js";
import { clearThrottle, setPassword } from "../actions/passwords.js";
import { endAll, endSession } from "../actions/sessions.js";
import { readItems } from "../api.js";
import { Detail } from "../components/detail.js";
import { icon } from "../components/icon.js";
import { menuButton } from "../components/menu.js";
import { facts, loadingPanel, openTab, panel } from "../components/panel.js";
import { age, chips, idText, moment, problemBox, state } from "../components/small.js";
import { directory, roleNames } from "../directory.js";
import { t, tn, word } from "../i18n.js";
import { can, seesSessions } from "../rights.js";
import { href } from "../router.js";
import { formatTime } from "../time.js";
import { html, nothing, repaint } from "../view.js";
import { boardState, seenAt, tones } from "./board.js";
import { eventsOf } from "./event-list.js";
import { sessionRow } from "./session-row.js";

const detail = new Detail("devices");

/** @param {string | null} id */
export const load = (id) => detail.load(id);

/** @param {string} id */
export function view(id) {
  const device = detail.data;
  if (!device) return loadingPanel(detail);
  const tabs = [
    { id: "now", label: t("device.tab.now") },
    ...(can("userRead") ? [{ id: "people", label: t("device.tab.people") }] : []),
    { id: "settings", label: t("device.tab.settings") },
    ...(can("auditRead") ? [{ id: "audit", label: t("nav.audit") }] : []),
  ];
  /** @type {Record<string, (device: any) => any>} */
  const bodies = { now: nowTab, people: peopleTab, settings: settingsTab, audit: auditTab };
  const { value: live } = sessionsOf(device);
  const seat = live?.find((/** @type {any} */ each) => !each.ended_at);
  const shown = live ? { ...device, seat } : device;
  const is = device.status === "retired" ? "retired" : boardState(shown);
  const subtitle = [word("environment", device.environment), device.store?.name, device.description].filter(Boolean).join(" · ");
  return panel({
    title: device.name,
    subtitle,
    state: state(tones[is], t(`board.${is}`)),
    actions: actions(device, seat),
    tabs,
    body: bodies[openTab(tabs)](device),
  });
}

/** @param {NativeApi.Device} device */
const sessionsOf = (device) => (seesSessions() ? readSessions(device) : { value: null, error: null });

/** @param {NativeApi.Device} device */
const readSessions = (device) =>
  detail.extra("sessions", () => readItems("sessions", { device: device.id, limit: 12 }));

/** @param {NativeApi.Device} device @param {any} seat */
function actions(device, seat) {
  if (device.status === "retired") return nothing;
  const canUpdate = can("deviceUpdate");
  const more = () => [
    ...(can("sessionDelete") ? [{ label: t("session.end_all.menu"), icon: "leave", run: () => endAll({ device: device.id }, device.name, null) }] : []),
    ...(canUpdate ? [{ label: t("device.password"), icon: "key", run: () => setPassword("devices", device, device.name) }] : []),
    ...(canUpdate ? [{ label: t("throttle.clear"), icon: "unlock", run: () => clearThrottle("devices", device, device.name) }] : []),
    null,
    ...(can("deviceDelete") ? [{ label: t("device.retire.action"), icon: "trash", danger: true, run: () => retireDevice(device, seat ? 1 : 0) }] : []),
  ];
  return html`
    ${seat && can("sessionDelete")
      ? html`<button class="button" @click=${() => endSession({ ...seat, device })}>${icon("leave")}${t("session.end")}</button>`
      : nothing}
    ${canUpdate && device.status === "active"
      ? html`<button class="button" @click=${() => lockDevice({ ...device, seat })}>${icon("lock")}${t("device.lock")}</button>`
      : nothing}
    ${canUpdate && device.status !== "active"
      ? html`<button class="button primary" @click=${() => unlockDevice(device)}>${icon("unlock")}${t(device.status === "pending" ? "device.activate" : "device.unlock")}</button>`
      : nothing}
    ${canUpdate ? html`<button class="button" @click=${() => editDevice(device, detail.etag)}>${icon("edit")}${t("edit")}</button>` : nothing}
    ${more().some(Boolean) ? menuButton(more) : nothing}`;
}

/** @param {NativeApi.Device} device */
function nowTab(device) {
  const { value: sessions, error } = sessionsOf(device);
  const throttle = device.login_throttle;
  return html`
    ${throttle
      ? html`<p class="notice notice-warn">${icon("clock")}${t("throttle.until", { time: formatTime(throttle.until), count: throttle.failures })}</p>`
      : nothing}
    ${facts([
      [t("field.last_seen_at"), age(seenAt({ ...device, seat: sessions?.[0] }))],
      [t("device.roles"), device.roles.length ? chips(roleNames(device.roles)) : html`<span class="faint">${t("none")}</span>`],
      [t("field.created_at"), moment(device.created_at)],
      [t("field.id"), idText(device.id)],
    ])}
    ${sessions || error ? html`<h3>${t("device.last_sessions")}</h3>` : nothing}
    ${error ? problemBox(error, () => detail.load(device.id)) : nothing}
    <ul class="rows">${sessions?.map(sessionRow) ?? nothing}</ul>
    ${sessions?.length === 0 ? html`<p class="muted">${t("sessions.none_here")}</p>` : nothing}`;
}

/** @param {NativeApi.Device} device */
function peopleTab(device) {
  const people = directory("users").filter((user) => user.status !== "deleted");
  const allowed = people.flatMap((user) => {
    const on = user.devices.find((/** @type {any} */ each) => each.device === device.name);
    return on ? [{ user, roles: on.roles }] : [];
  });
  return html`
    <p class="muted">${tn("device.people", allowed.length)}</p>
    <ul class="rows">${allowed.map(
      ({ user, roles }) => html`<li>
        <a href=${href("people", user.id)}>${user.display_name}</a><span class="fill"></span>
        ${roles.length ? chips(roleNames(roles)) : html`<span class="faint">${t("access.no_roles")}</span>`}
      </li>`,
    )}</ul>
    <p><a href=${href("people")}>${t("device.give_access")}</a></p>`;
}

let showsJson = false;

/** @param {NativeApi.Device} device */
function settingsTab(device) {
  const entries = Object.entries(device.settings);
  const canUpdate = can("deviceUpdate") && device.status !== "retired";
  return html`
    <div class="row"><h3>${t("field.settings")}</h3><span class="fill"></span>
      <label class="check"><input type="checkbox" ?checked=${showsJson} @change=${() => ((showsJson = !showsJson), repaint())}>JSON</label>
      ${canUpdate ? html`<button class="button small" @click=${() => editSetting(device, detail.etag)}>${icon("plus")}${t("setting.new")}</button>` : nothing}
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

/** @param {NativeApi.Device} device */
const auditTab = (device) => eventsOf(detail, { device: device.id }, 25);
