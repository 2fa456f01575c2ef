// What a person may do where: devices by roles, and the rights that follow.

import { differences, patch } from "../components/conflict.js";
import { saveBar } from "../components/detail.js";
import { accessOn, act, button, can, collectRights, compareRights, directory, effectiveRoles, faint, formatList, html, icon,
  isSelf, link, muted, nothing, repaint, roleName, t, tn, toast, usableDevices, withAccess, word } from "../core.js";
import { groupByStore } from "./board.js";
import { rightsList } from "./user-state.js";

/** The changed access of each person, and that which is shown.
 * @type {Map<string, App.AccessDraft>} */
const drafts = new Map();
/** The access as it is shown. @type {App.AccessDraft | null} */
let draft = null;
/** The device whose rights are shown; an empty text is the office. @type {string | null} */
let unfolded = null;

/** The access of a user, regardless of the order. */
const keyOf = (/** @type {{roles: string[], devices: App.Access[]}} */ { roles, devices }) =>
  JSON.stringify([[...roles].sort(), devices.map((each) => [each.device, ...[...each.roles].sort()]).sort()]);
const isChanged = (/** @type {App.AccessDraft} */ each) => keyOf(each) !== keyOf(each.base);

/** Without changes, the draft follows the user. With changes, it keeps what it started from, so
 * that saving finds out whether somebody else changed the same. @param {User} user
 * @param {string | null} etag */
function draftOf(user, etag) {
  for (const [id, each] of drafts) if (!isChanged(each)) drafts.delete(id);
  if (draft?.base.id !== user.id) unfolded = null;
  draft = drafts.get(user.id) ?? { base: user, etag, roles: [...user.roles], devices: structuredClone(user.devices) };
  drafts.set(user.id, draft);
  return draft;
}

/** Forgets the changes of a person that are not saved. */
function discard(/** @type {App.AccessDraft} */ { base }) {
  drafts.delete(base.id);
  repaint();
}

export function accessTab(/** @type {User} */ user, /** @type {string | null} */ etag) {
  const current = draftOf(user, etag);
  const roles = directory("roles");
  const isFixed = !can("userUpdate") || user.status === "deleted";
  const group = (/** @type {string} */ name) =>
    html`<tr class="group"><th scope="rowgroup" colspan=${roles.length + 3}><span>${name}</span></th></tr>`;
  return html`
    ${[...drafts.values()].filter((each) => each !== current).map(unsaved)}
    <div class="scroll">
      <table class="matrix">
        <caption class="visually-hidden">${t("access.caption")}</caption>
        <thead>
          <tr>
            <th scope="col">${t("access.where")}</th>
            <th scope="col" class="mark-col">${t("access.login")}</th>
            ${roles.map((role) => html`<th scope="col" class="mark-col">${link("roles", role.id, roleName(role))}</th>`)}
            <th><span class="visually-hidden">${t("field.rights")}</span></th>
          </tr>
        </thead>
        <tbody>
          ${row(user, null, roles, isFixed)}
          ${groupByStore(usableDevices()).map(
            ({ name, devices }) => html`${name ? group(name) : nothing}
              ${devices.map((device) => row(user, device, roles, isFixed))}`,
          )}
        </tbody>
      </table>
    </div>
    <p class="muted small">${t("access.hint")}</p>
    ${isChanged(current)
      ? saveBar(html`<span>${effect(current.base, current, roles)}</span>`, () => discard(current), save)
      : nothing}`;
}

/** Changes of another person that are not saved. */
const unsaved = (/** @type {App.AccessDraft} */ other) => html`
  <p class="notice notice-warn" role="status">${icon("alert")}
    ${link("people", other.base.id, t("access.unsaved", { name: other.base.display_name }))}
    ${button("", t("form.discard"), () => discard(other), "small")}</p>`;

/** @param {User} user @param {any | null} device @param {any[]} roles @param {boolean} isFixed */
function row(user, device, roles, isFixed) {
  const name = device?.name ?? "";
  const on = device && rolesOn(name);
  const base = draft?.base ?? user;
  const before = device ? accessOn(base, name)?.roles : base.roles;
  const label = device ? name : t("access.office");
  const isOpen = unfolded === name;
  const fold = () => ((unfolded = isOpen ? null : name), repaint());
  const kind = device && device.environment !== "CashRegister" ? faint(word("environment", device.environment)) : nothing;
  return html`
    <tr class=${isOpen ? "open" : ""}>
      <th scope="row">${label} ${kind}</th>
      <td class="mark-col ${device && Boolean(on) !== Boolean(before) ? "changed" : ""}">${device
        ? html`<input type="checkbox" aria-label="${t("access.login")}: ${label}" ?disabled=${isFixed}
            .checked=${Boolean(on)} @change=${() => setRoles(name, on ? null : [])}>`
        : nothing}</td>
      ${roles.map((role) => roleCell(user, device, role, before ?? [], isFixed))}
      <td class="mark-col"><button class="icon-button" aria-expanded=${String(isOpen)} @click=${fold}
        aria-label=${t("access.rights_on", { device: label })}>${icon(isOpen ? "up" : "down")}</button></td>
    </tr>
    ${isOpen
      ? html`<tr class="unfolded"><td colspan=${roles.length + 3}>
          <div>${rightsOn(user, device, roles)}${on && !isFixed ? copyButton(device) : nothing}</div></td></tr>`
      : nothing}`;
}

/** Whether the person has a role on a device, and had it `before`. @param {User} user
 * @param {any | null} device @param {any} role @param {string[]} before
 * @param {boolean} isFixed */
function roleCell(user, device, role, before, isFixed) {
  const name = device?.name ?? "";
  const applies = !device || role.environments.includes(device.environment);
  const has = Boolean(rolesOn(name)?.includes(role.name));
  const look = has !== before.includes(role.name) ? "changed" : applies ? "" : "void";
  const isLastOwn = !device && isSelf(user) && role.name === "admin" && user.roles.includes("admin");
  const note = isLastOwn ? t("access.own_admin") : applies ? nothing : t("access.not_here");
  return html`<td class="mark-col ${look}">${applies || has || look === "changed"
    ? html`<input type="checkbox" aria-label="${roleName(role)}: ${name || t("access.office")}" .checked=${has} title=${note}
        ?disabled=${isFixed || isLastOwn} @change=${() => toggleRole(name, role.name)}>`
    : html`<span class="faint" title=${note}>–<span class="visually-hidden">${note}</span></span>`}</td>`;
}

/** The effective rights, each with the role that gives it. @param {User} user
 * @param {any | null} device @param {any[]} roles */
function rightsOn(user, device, roles) {
  const rights = collectRights(effectiveRoles({ ...user, ...draft }, device, roles));
  const admins = rights.get("admin");
  if (admins) return html`<p>${t("access.admin", { roles: formatList(admins) })}</p>`;
  return rights.size ? rightsList(rights) : muted(t("access.no_rights"));
}

/** Gives the access to a device on all of its kind in its store, too. */
function copyButton(/** @type {Device} */ { id, name, environment, store }) {
  const others = usableDevices().filter((each) =>
    each.id !== id && each.environment === environment && each.store?.id === store?.id);
  const copyAccess = () => others.forEach((each) => setRoles(each.name, [...(rolesOn(name) ?? [])]));
  return others.length ? html`<p>${button("copy", tn("access.copy", others.length), copyAccess, "small")}</p>` : nothing;
}

/** What saving would change, in words. @param {User} user @param {App.AccessDraft} changed
 * @param {any[]} roles */
function effect(user, changed, roles) {
  const places = [null, ...usableDevices()].map((device) =>
    compareRights(effectiveRoles(user, device, roles), effectiveRoles(changed, device, roles)),
  );
  const count = (/** @type {string[]} */ rights) => tn("rights.count", new Set(rights).size);
  return t("access.effect", {
    added: count(places.flatMap(({ gained }) => gained)),
    removed: count(places.flatMap(({ lost }) => lost)),
    places: tn("count.places", places.filter(({ gained, lost }) => gained.length + lost.length > 0).length),
  });
}

/** The roles of the draft on a device, or in the office without a name, if there is access. */
const rolesOn = (/** @type {string} */ name) => (name ? draft && accessOn(draft, name)?.roles : draft?.roles);

function setRoles(/** @type {string} */ name, /** @type {string[] | null} */ roles) {
  if (draft && name) draft.devices = withAccess(draft, name, roles);
  else if (draft) draft.roles = roles ?? [];
  repaint();
}

function toggleRole(/** @type {string} */ name, /** @type {string} */ role) {
  const roles = rolesOn(name) ?? [];
  setRoles(name, roles.includes(role) ? roles.filter((each) => each !== role) : [...roles, role]);
}

async function save() {
  if (!draft) return;
  const saved = draft;
  const { base, etag, roles, devices } = saved;
  let isSaved = false;
  await act(async () => {
    const response = await patch(`users/${base.id}`, etag, base, differences(base, { roles, devices }));
    isSaved = response !== undefined;
    if (!response) return;
    const growing = response.data.growing_api_keys?.length ?? 0;
    const detail = growing ? tn("access.growing_keys", growing) : t("access.saved.hint");
    toast(t("access.saved", { name: base.display_name }), { detail });
  });
  // the page shows the saved user now
  if (isSaved) discard(saved);
  else repaint();
}
