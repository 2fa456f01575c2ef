// Roles side by side, with the rights of each.

import { call, can, directory, href, html, icon, nothing, readAll, repaint, roleName, t, tn, toast, word } from "../core.js";
import { lazyActions, menuTrigger } from "../components/lazy.js";
import { PageData, saveBar, segments } from "../components/page-data.js";
import { button } from "../components/small.js";
import { loadCurrent } from "../session.js";
import { act } from "../shop.js";
import { environments } from "./board.js";
import { auditLink } from "./menus.js";
import { effectOf } from "./role-effect.js";
import { rightsMatrix } from "./rights-matrix.js";

const { addRole, deleteRole, editRole } = lazyActions(() => import("../actions/roles.js"));

const data = new PageData(async () => {
  const [roles, rights] = await Promise.all([readAll("roles"), call("GET", "rights")]);
  return { roles, rights: rights.data.items };
});
/** The changes that are not saved, by role: the rights given and taken, with the version read. @type {Map<string, {change: Map<string, boolean>, etag: string | null, base: NativeApi.Role}>} */
const drafts = new Map();
/** @type {Set<string>} */
const hidden = new Set();
/** @type {"all" | "differ" | "held"} */
let shows = "all";

/** @param {App.Route} route @param {App.Refresh} refresh */
async function load(route, refresh) {
  await data.load();
  directory("users");
  directory("devices");
  if (!refresh) requestAnimationFrame(() => document.querySelector(".matrix th.open")?.scrollIntoView({ inline: "center", block: "nearest" }));
}

/** @param {App.Route} route */
function view(route) {
  if (!data.value) return data.placeholder();
  const { roles, rights } = data.value;
  const shown = roles.filter((role) => role.id === route.id || !hidden.has(role.id));
  const hiddenCount = roles.length - shown.length;
  return html`
    <div class="page">
      <div class="filters">
        ${segments(t("role.shows"), /** @type {const} */ (["all", "differ", "held"]), shows, (name) => ((shows = name), repaint()), (name) => t(`role.shows.${name}`))}
        ${hiddenCount
          ? html`<button class="button quiet" @click=${() => (hidden.clear(), repaint())}>${tn("role.show_hidden", hiddenCount)}</button>`
          : nothing}
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
      ${drafts.size ? saveBar(html`<ul>${effects(roles).map((line) => html`<li>${line}</li>`)}</ul>`, () => (drafts.clear(), repaint()), save) : nothing}
    </div>`;
}

/** @param {NativeApi.Role} role @param {boolean} isOpen */
function columnHead(role, isOpen) {
  const isOwn = !role.built_in;
  const items = () => [
    isOwn && can("roleUpdate") && { label: t("edit"), icon: "edit", run: () => editRole(role) },
    can("roleCreate") && { label: t("role.duplicate"), icon: "copy", run: () => addRole(role) },
    can("userRead") && { label: t("role.holders"), icon: "people", href: href("people", null, { role: role.name }) },
    auditLink({ subject: role.id }),
    { label: t("role.hide"), icon: "close", run: () => (hidden.add(role.id), repaint()) },
    null,
    isOwn && can("roleDelete") && { label: t("role.delete.action"), icon: "trash", danger: true, run: () => deleteRole(role) },
  ];
  return html`
    <div class="role-head ${isOpen ? "open" : ""}" title=${role.description || nothing}>
      ${menuTrigger(items, { look: "role-name", name: roleName(role) }, html`${role.built_in ? icon("lock") : nothing}<strong>${roleName(role)}</strong>${icon("down")}`)}
      <code>${role.name}</code>
      <span class="faint">${tn("role.held_by", role.holder_count)}</span>
      ${role.environments.length < environments.length
        ? html`<span class="faint">${role.environments.map((name) => word("environment", name)).join(", ")}</span>`
        : nothing}
    </div>`;
}

/** The rights with the change that is not saved. What somebody else changed stays. @param {NativeApi.Role} role */
function rightsOf(role) {
  const rights = new Set(role.rights);
  for (const [right, gives] of drafts.get(role.id)?.change ?? []) rights[gives ? "add" : "delete"](right);
  return rights;
}

/** @param {NativeApi.Role} role @param {string[]} rights @param {boolean} gives */
async function toggle(role, rights, gives) {
  const draft = drafts.get(role.id) ?? { change: new Map(), etag: null, base: role };
  drafts.set(role.id, draft);
  for (const right of rights) role.rights.includes(right) === gives ? draft.change.delete(right) : draft.change.set(right, gives);
  if (draft.change.size === 0) drafts.delete(role.id);
  repaint();
  if (draft.etag) return;
  // the version is that of the rights which the person saw
  const { data: fresh, etag } = await call("GET", `roles/${role.id}`);
  draft.etag = JSON.stringify(fresh.rights) === JSON.stringify(role.rights) ? etag : '"0"';
}

/** What saving would change, in sentences. @param {NativeApi.Role[]} roles */
const effects = (roles) => roles.filter(({ id }) => drafts.has(id)).flatMap((role) => effectOf(role, rightsOf(role), roles));

const save = () =>
  act(async () => {
    const { patch } = await import("../components/conflict.js");
    for (const [id, draft] of [...drafts]) {
      const answer = await patch(`roles/${id}`, draft.etag, draft.base, { rights: [...rightsOf(draft.base)] });
      if (answer === undefined) break;
      drafts.delete(id);
      if (answer) toast(t("role.saved", { name: roleName(answer.data) }), { detail: t("role.saved.hint") });
    }
    await loadCurrent();
  });

/** @type {App.Page} */
export const page = {
  kinds: ["role"],
  load,
  view,
  keys: () => ({ n: { label: t("role.new"), run: () => can("roleCreate") && addRole() } }),
};
