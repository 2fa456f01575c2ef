// Roles side by side, with the rights of each.

import { accessOn, act, button, call, can, compareRights, directory, effectiveRoles, entry, faint, href, html, icon, lazyActions,
  loadCurrent, menuTrigger, nothing, readAll, repaint, roleName, t, tn, toast, usablePeople, word } from "../core.js";
import { PageData, saveBar, segments } from "../components/detail.js";
import { environments } from "./board.js";
import { auditLink } from "./menus.js";
import { rightsMatrix } from "./rights-matrix.js";

/** How many rights that somebody loses are named. */
const MAX_LOSSES = 3;
const { addRole, deleteRole, editRole } = lazyActions(() => import("../actions/roles.js"));

const data = new PageData(async () => {
  const [roles, rights] = await Promise.all([readAll("roles"), call("GET", "rights")]);
  return { roles, rights: rights.data.items };
});
/** The changes that are not saved, by role. @type {Map<string, App.RoleDraft>} */
const drafts = new Map();
const hidden = /** @type {Set<string>} */ (new Set());
/** @type {"all" | "differ" | "held"} */
let shows = "all";

async function load(/** @type {App.Route} */ route, /** @type {App.Refresh} */ refresh) {
  await data.load();
  directory("users");
  directory("devices");
  if (refresh) return;
  const place = /** @type {const} */ ({ inline: "center", block: "nearest" });
  requestAnimationFrame(() => document.querySelector(".matrix th.open")?.scrollIntoView(place));
}

function view(/** @type {App.Route} */ route) {
  if (!data.value) return data.placeholder();
  const { roles, rights } = data.value;
  const shown = roles.filter((role) => role.id === route.id || !hidden.has(role.id));
  const hiddenCount = roles.length - shown.length;
  const names = /** @type {const} */ (["all", "differ", "held"]);
  const show = (/** @type {typeof shows} */ name) => ((shows = name), repaint());
  const discard = () => (drafts.clear(), repaint());
  const unhide = () => (hidden.clear(), repaint());
  const lines = effects(roles).map((line) => html`<li>${line}</li>`);
  return html`
    <div class="page">
      <div class="filters">
        ${segments(t("role.shows"), names, shows, show, (name) => t(`role.shows.${name}`))}
        ${hiddenCount ? button("", tn("role.show_hidden", hiddenCount), unhide, "quiet") : nothing}
        <span class="fill"></span>
        ${can("roleCreate") ? button("plus", t("role.new"), () => addRole(), "primary") : nothing}
      </div>
      ${data.problem()}
      ${rightsMatrix({
        roles: shown,
        rights,
        shows,
        openId: route.id,
        rightsOf,
        isEditable: (role) => can("roleUpdate") && !role.built_in && !role.rights.includes("admin"),
        toggle,
        head: (role) => columnHead(role, route.id === role.id),
      })}
      ${drafts.size ? saveBar(html`<ul>${lines}</ul>`, discard, save) : nothing}
    </div>`;
}

function columnHead(/** @type {Role} */ role, /** @type {boolean} */ isOpen) {
  const isOwn = !role.built_in;
  const items = () => [
    isOwn && can("roleUpdate") && entry("edit", "edit", () => editRole(role)),
    can("roleCreate") && entry("role.duplicate", "copy", () => addRole(role)),
    can("userRead") && { label: t("role.holders"), icon: "people", href: href("people", null, { role: role.name }) },
    auditLink({ subject: role.id }),
    entry("role.hide", "close", () => (hidden.add(role.id), repaint())),
    null,
    isOwn && can("roleDelete") && entry("role.delete", "trash", () => deleteRole(role), { danger: true }),
  ];
  const name = roleName(role);
  const content = html`${isOwn ? nothing : icon("lock")}<strong>${name}</strong>${icon("down")}`;
  return html`
    <div class="role-head ${isOpen ? "open" : ""}" title=${role.description || nothing}>
      ${menuTrigger(items, { look: "role-name", name }, content)}
      <code>${role.name}</code>
      <span class="faint">${tn("role.held_by", role.holder_count)}</span>
      ${role.environments.length < environments.length
        ? faint(role.environments.map((each) => word("environment", each)).join(", "))
        : nothing}
    </div>`;
}

/** The rights with the change that is not saved. What somebody else changed stays. */
function rightsOf(/** @type {Role} */ role) {
  const rights = new Set(role.rights);
  for (const [right, gives] of drafts.get(role.id)?.change ?? []) rights[gives ? "add" : "delete"](right);
  return rights;
}

/** @param {Role} role @param {string[]} rights @param {boolean} gives */
async function toggle(role, rights, gives) {
  const draft = drafts.get(role.id) ?? { change: new Map(), etag: null, base: role };
  drafts.set(role.id, draft);
  for (const right of rights) {
    if (role.rights.includes(right) === gives) draft.change.delete(right);
    else draft.change.set(right, gives);
  }
  if (draft.change.size === 0) drafts.delete(role.id);
  repaint();
  if (draft.etag) return;
  // the version is that of the rights which the person saw
  const { data: fresh, etag } = await call("GET", `roles/${role.id}`);
  draft.etag = JSON.stringify(fresh.rights) === JSON.stringify(role.rights) ? etag : '"0"';
}

/** What saving would change, in sentences. @param {Role[]} roles */
const effects = (roles) => roles.filter(({ id }) => drafts.has(id)).flatMap((role) => effectOf(role, rightsOf(role), roles));

const save = () =>
  act(async () => {
    const { patch } = await import("../components/conflict.js");
    for (const [id, draft] of [...drafts]) {
      const response = await patch(`roles/${id}`, draft.etag, draft.base, { rights: [...rightsOf(draft.base)] });
      if (response === undefined) break;
      drafts.delete(id);
      if (response) toast(t("role.saved", { name: roleName(response.data) }), { detail: t("role.saved.hint") });
    }
    await loadCurrent();
  });

/** Returns the effect of other rights of a role in sentences. @param {Role} role
 * @param {Set<string>} rights @param {any[]} roles */
function effectOf(role, rights, roles) {
  const added = [...rights].filter((right) => !role.rights.includes(right));
  const removed = role.rights.filter((right) => !rights.has(right));
  const changed = roles.map((each) => (each.id === role.id ? { ...each, rights: [...rights] } : each));
  const people = new Set();
  const devices = new Set();
  const losses = /** @type {string[]} */ ([]);
  for (const user of usablePeople()) {
    for (const device of [null, ...directory("devices")]) {
      if (device && !accessOn(user, device.name)) continue;
      const [before, after] = [roles, changed].map((given) => effectiveRoles(user, device, given));
      const { gained, lost, isAdmin } = compareRights(before, after);
      if ((isAdmin || !lost.length) && !gained.length) continue;
      people.add(user.id);
      if (device) devices.add(device.id);
      const values = { name: user.display_name, where: device?.name ?? t("access.office") };
      for (const right of isAdmin ? [] : lost) losses.push(t("role.effect.loses", { ...values, right: word("right", right) }));
    }
  }
  const summary = t("role.effect", {
    role: roleName(role),
    change: `+${added.length} −${removed.length}`,
    people: tn("count.people", people.size),
    devices: tn("count.devices", devices.size),
  });
  const rest = losses.length - MAX_LOSSES;
  return [summary, ...losses.slice(0, MAX_LOSSES), ...(rest > 0 ? [tn("role.effect.more", rest)] : [])];
}

/** @type {App.Page} */
export const page = {
  kinds: ["role"],
  load,
  view,
  keys: () => ({ n: { label: t("role.new"), run: () => can("roleCreate") && addRole() } }),
};
