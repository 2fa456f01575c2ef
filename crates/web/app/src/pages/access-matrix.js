// What a person may do where: devices by roles, and the rights that follow.

import { differences, patch } from "../components/conflict.js";
import { saveBar } from "../components/page-data.js";
import { button } from "../components/small.js";
import { accessOn, can, collectRights, compareRights, directory, effectiveRoles, formatList, href, html, icon, nothing, repaint, roleName, t, tn, toast, usableDevices, withAccess, word } from "../core.js";
import { act } from "../shop.js";
import { groupByStore } from "./board.js";
import { isSelf, rightsList } from "./user-state.js";

/** The changed access of each person, and that of the one who is shown. @type {Map<string, App.AccessDraft>} */
const drafts = new Map();
/** The access as it is shown. @type {App.AccessDraft | null} */
let draft = null;
/** The device whose rights are shown; an empty text is the office. @type {string | null} */
let unfolded = null;

/** The access of a user, regardless of the order. @param {{roles: string[], devices: {device: string, roles: string[]}[]}} access */
const keyOf = ({ roles, devices }) =>
  JSON.stringify([[...roles].sort(), devices.map((each) => [each.device, ...[...each.roles].sort()]).sort()]);

/** @param {App.AccessDraft} each */
const isChanged = (each) => keyOf(each) !== keyOf(each.base);

/**
 * Without changes, the draft follows the user. With changes, it keeps what it started from, so that
 * saving finds out whether somebody else changed the same.
 * @param {NativeApi.User} user
 * @param {string | null} etag
 */
function draftOf(user, etag) {
  for (const [id, each] of drafts) if (!isChanged(each)) drafts.delete(id);
  if (draft?.base.id !== user.id) unfolded = null;
  draft = drafts.get(user.id) ?? { base: user, etag, roles: [...user.roles], devices: structuredClone(user.devices) };
  drafts.set(user.id, draft);
  return draft;
}

/** Forgets the changes of a person that are not saved. @param {App.AccessDraft} each */
function discard({ base }) {
  drafts.delete(base.id);
  repaint();
}

/** @param {NativeApi.User} user @param {string | null} etag */
export function accessTab(user, etag) {
  const current = draftOf(user, etag);
  const roles = directory("roles");
  const devices = usableDevices();
  const isFixed = !can("userUpdate") || user.status === "deleted";
  const titleOf = (/** @type {{id: string, name: string}} */ { id, name }) => (id === "none" ? t("store.none") : name);
  return html`
    ${[...drafts.values()].filter((each) => each !== current).map(unsaved)}
    <div class="scroll">
      <table class="matrix">
        <caption class="visually-hidden">${t("access.caption")}</caption>
        <thead>
          <tr>
            <th scope="col">${t("access.where")}</th>
            <th scope="col" class="mark-col">${t("access.login")}</th>
            ${roles.map((role) => html`<th scope="col" class="mark-col"><a href=${href("roles", role.id)}>${roleName(role)}</a></th>`)}
            <th><span class="visually-hidden">${t("field.rights")}</span></th>
          </tr>
        </thead>
        <tbody>
          ${row(user, null, roles, isFixed)}
          ${groupByStore(devices).map(
            (group) => html`${group.id ? html`<tr class="group"><th scope="rowgroup" colspan=${roles.length + 3}><span>${titleOf(group)}</span></th></tr>` : nothing}
              ${group.devices.map((device) => row(user, device, roles, isFixed))}`,
          )}
        </tbody>
      </table>
    </div>
    <p class="muted small">${t("access.hint")}</p>
    ${isChanged(current)
      ? saveBar(html`<span>${effect(current.base, current, roles)}</span>`, () => discard(current), save)
      : nothing}`;
}

/** Changes of another person that are not saved. @param {App.AccessDraft} other */
const unsaved = (other) => html`<p class="notice notice-warn" role="status">${icon("alert")}
  <a href=${href("people", other.base.id)}>${t("access.unsaved", { name: other.base.display_name })}</a>
  <button class="button small" @click=${() => discard(other)}>${t("form.discard")}</button></p>`;

/** @param {NativeApi.User} user @param {any | null} device @param {any[]} roles @param {boolean} isFixed */
function row(user, device, roles, isFixed) {
  const name = device?.name ?? "";
  const on = device && rolesOn(name);
  const given = rolesOn(name) ?? [];
  const base = draft?.base ?? user;
  const before = device ? accessOn(base, name)?.roles : base.roles;
  const label = device ? device.name : t("access.office");
  const isLastOwn = (/** @type {NativeApi.Role} */ role) => !device && isSelf(user) && role.name === "admin" && user.roles.includes("admin");
  const isOpen = unfolded === name;
  return html`
    <tr class=${isOpen ? "open" : ""}>
      <th scope="row">${label} ${device && device.environment !== "CashRegister" ? html`<span class="faint">${word("environment", device.environment)}</span>` : nothing}</th>
      <td class="mark-col ${device && Boolean(on) !== Boolean(before) ? "changed" : ""}">${device
        ? html`<input type="checkbox" aria-label="${t("access.login")}: ${label}" ?disabled=${isFixed}
            .checked=${Boolean(on)} @change=${() => setRoles(name, on ? null : [])}>`
        : nothing}</td>
      ${roles.map((role) => {
        const applies = !device || role.environments.includes(device.environment);
        const has = given.includes(role.name);
        const look = has !== Boolean(before?.includes(role.name)) ? "changed" : applies ? "" : "void";
        return html`<td class="mark-col ${look}">${applies || has || look === "changed"
          ? html`<input type="checkbox" aria-label="${roleName(role)}: ${label}" .checked=${has}
              title=${isLastOwn(role) ? t("access.own_admin") : applies ? nothing : t("access.not_here")}
              ?disabled=${isFixed || isLastOwn(role)} @change=${() => toggleRole(name, role.name)}>`
          : html`<span class="faint" title=${t("access.not_here")}>–<span class="visually-hidden">${t("access.not_here")}</span></span>`}</td>`;
      })}
      <td class="mark-col"><button class="icon-button" aria-expanded=${String(isOpen)} aria-label=${t("access.rights_on", { device: label })}
        @click=${() => ((unfolded = isOpen ? null : name), repaint())}>${icon(isOpen ? "up" : "down")}</button></td>
    </tr>
    ${isOpen
      ? html`<tr class="unfolded"><td colspan=${roles.length + 3}><div>${rightsOn(user, device, roles)}${on && !isFixed ? copyButton(device) : nothing}</div></td></tr>`
      : nothing}`;
}

/** The effective rights, each with the role that gives it. @param {NativeApi.User} user @param {any | null} device @param {any[]} roles */
function rightsOn(user, device, roles) {
  const rights = collectRights(effectiveRoles({ ...user, ...draft }, device, roles));
  if (rights.has("admin")) return html`<p>${t("access.admin", { roles: formatList(rights.get("admin") ?? []) })}</p>`;
  if (rights.size === 0) return html`<p class="muted">${t("access.no_rights")}</p>`;
  return rightsList(rights);
}

/** Gives the access to a device on all of its kind in its store, too. @param {NativeApi.Device} device */
function copyButton(device) {
  const isAlike = (/** @type {NativeApi.Device} */ each) => each.environment === device.environment && each.store?.id === device.store?.id;
  const others = usableDevices().filter((each) => each.id !== device.id && isAlike(each)).map(({ name }) => name);
  const copyAccess = () => {
    for (const name of others) setRoles(name, [...(rolesOn(device.name) ?? [])]);
  };
  return others.length ? html`<p>${button("copy", tn("access.copy", others.length), copyAccess, "small")}</p>` : nothing;
}

/** What saving would change, in words. @param {NativeApi.User} user @param {any} changed @param {any[]} roles */
function effect(user, changed, roles) {
  const added = new Set();
  const removed = new Set();
  let places = 0;
  for (const device of [null, ...usableDevices()]) {
    const { gained, lost } = compareRights(effectiveRoles(user, device, roles), effectiveRoles({ ...user, ...changed }, device, roles));
    if (gained.length + lost.length) places += 1;
    for (const right of gained) added.add(right);
    for (const right of lost) removed.add(right);
  }
  return t("access.effect", { added: tn("rights.count", added.size), removed: tn("rights.count", removed.size), places: tn("count.places", places) });
}

/** The roles of the draft on a device, or in the office without a name; undefined if the person cannot log in there. @param {string} name */
const rolesOn = (name) => (name ? draft && accessOn(draft, name)?.roles : draft?.roles);

/** Changes the draft. @param {string} name @param {string[] | null} roles */
function setRoles(name, roles) {
  if (draft && name) draft.devices = withAccess(draft, name, roles);
  else if (draft) draft.roles = roles ?? [];
  repaint();
}

/** @param {string} name @param {string} role */
function toggleRole(name, role) {
  const roles = rolesOn(name) ?? [];
  setRoles(name, roles.includes(role) ? roles.filter((each) => each !== role) : [...roles, role]);
}

async function save() {
  if (!draft) return;
  const saved = draft;
  const { base, etag, roles, devices } = saved;
  let isSaved = false;
  await act(async () => {
    const answer = await patch(`users/${base.id}`, etag, base, differences(base, { roles, devices }));
    if (!answer) return void (isSaved = answer === null);
    isSaved = true;
    const growing = answer.data.growing_api_keys?.length ?? 0;
    toast(t("access.saved", { name: base.display_name }), { detail: growing ? tn("access.growing_keys", growing) : t("access.saved.hint") });
  });
  // the page shows the saved user now
  if (isSaved) discard(saved);
  else repaint();
}
