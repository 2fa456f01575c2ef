// @ts-check
// Roles side by side, with the rights of each.

import { call, readAll } from "../api.js";
import { patch } from "../components/conflict.js";
import { lazyActions } from "../components/lazy.js";
import { icon } from "../components/icon.js";
import { openMenu } from "../components/menu.js";
import { problemBox, skeleton } from "../components/small.js";
import { toast, toastProblem } from "../components/toast.js";
import { directory, loadDirectory } from "../directory.js";
import { t, tn } from "../i18n.js";
import { can, roleName } from "../rights.js";
import { href } from "../router.js";
import { loadCurrent } from "../session.js";
import { refreshPage } from "../shop.js";
import { html, nothing, repaint } from "../view.js";
import { effectOf } from "./role-effect.js";
import { rightsMatrix, toggleDraft } from "./rights-matrix.js";

const { addRole, deleteRole, editRole } = lazyActions(() => import("../actions/roles.js"));

/** @type {{roles: any[] | null, rights: any[], error: any}} */
const data = { roles: null, rights: [], error: null };
/** The roles whose rights are changed but not saved: by id, with the version read. @type {Map<string, {rights: Set<string>, etag: string | null, base: any}>} */
const drafts = new Map();
/** @type {Set<string>} */
const hidden = new Set();
/** @type {"all" | "differ" | "held"} */
let shows = "all";
let busy = false;

/** @param {import("../router.js").Route} route @param {boolean} [refresh] */
async function load(route, refresh) {
  try {
    const [roles, rights] = await Promise.all([readAll("roles"), call("GET", "rights")]);
    Object.assign(data, { roles, rights: rights.data.items, error: null });
    directory("users");
    directory("devices");
    repaint();
    if (!refresh) requestAnimationFrame(() => document.querySelector(".matrix th.open")?.scrollIntoView({ inline: "center", block: "nearest" }));
  } catch (error) {
    data.error = error;
  }
}

/** @param {import("../router.js").Route} route */
function view(route) {
  if (!data.roles) return data.error ? problemBox(data.error, () => load(route).then(repaint)) : skeleton();
  const shown = data.roles.filter((role) => role.id === route.id || !hidden.has(role.id));
  const hiddenCount = data.roles.length - shown.length;
  return html`
    <div class="page">
      <div class="filters">
        <div class="segments" role="group" aria-label=${t("role.shows")}>
          ${/** @type {const} */ (["all", "differ", "held"]).map(
            (name) => html`<button aria-pressed=${String(shows === name)} @click=${() => ((shows = name), repaint())}>${t(`role.shows.${name}`)}</button>`,
          )}
        </div>
        ${hiddenCount
          ? html`<button class="button quiet" @click=${() => (hidden.clear(), repaint())}>${tn("role.show_hidden", hiddenCount)}</button>`
          : nothing}
        <span class="fill"></span>
        ${can("roleCreate") ? html`<button class="button primary" @click=${() => addRole()}>${icon("plus")}${t("role.new")}</button>` : nothing}
      </div>
      ${data.error ? problemBox(data.error, () => load(route).then(repaint)) : nothing}
      ${rightsMatrix({
        roles: shown,
        rights: data.rights,
        shows,
        openId: route.id,
        rightsOf: (role) => drafts.get(role.id)?.rights ?? new Set(role.rights),
        isEditable: (role) => can("roleUpdate") && !role.built_in && !role.rights.includes("admin"),
        toggle,
        head: (role) => columnHead(role, route.id === role.id),
      })}
      ${drafts.size ? saveBar() : nothing}
    </div>`;
}

/** @param {NativeApi.Role} role @param {boolean} isOpen */
function columnHead(role, isOpen) {
  const items = [
    ...(can("roleUpdate") && !role.built_in ? [{ label: t("edit"), icon: "edit", run: () => openEditor(role) }] : []),
    ...(can("roleCreate") ? [{ label: t("role.duplicate"), icon: "copy", run: () => addRole(role) }] : []),
    ...(can("userRead") ? [{ label: t("role.holders"), icon: "people", href: href("people", null, { role: role.name }) }] : []),
    ...(can("auditRead") ? [{ label: t("nav.audit"), icon: "audit", href: href("audit", null, { subject: role.id }) }] : []),
    { label: t("role.hide"), icon: "close", run: () => (hidden.add(role.id), repaint()) },
    ...(can("roleDelete") && !role.built_in ? [null, { label: t("role.delete.action"), icon: "trash", danger: true, run: () => deleteRole(role) }] : []),
  ];
  return html`
    <div class="role-head ${isOpen ? "open" : ""}" title=${role.description || nothing}>
      <button class="role-name" aria-haspopup="menu" aria-expanded="false" @click=${(/** @type {Event} */ event) => openMenu(event, items, roleName(role))}>
        ${role.built_in ? icon("lock") : nothing}<strong>${roleName(role)}</strong>${icon("down")}
      </button>
      <code>${role.name}</code>
      <span class="faint">${tn("role.held_by", role.holder_count)}</span>
    </div>`;
}

/** @param {NativeApi.Role} role */
async function openEditor(role) {
  const { data: fresh, etag } = await call("GET", `roles/${role.id}`);
  await editRole(fresh, etag);
}

/** @param {NativeApi.Role} role @param {string[]} rights @param {boolean} gives */
async function toggle(role, rights, gives) {
  let draft = drafts.get(role.id);
  if (!draft) {
    draft = { rights: new Set(role.rights), etag: null, base: role };
    drafts.set(role.id, draft);
  }
  toggleDraft(draft.rights, rights, gives);
  if (draft.rights.size === role.rights.length && role.rights.every((/** @type {string} */ right) => draft?.rights.has(right))) {
    drafts.delete(role.id);
  }
  repaint();
  if (draft.etag) return;
  // the version is that of the rights which the person saw
  const { data: fresh, etag } = await call("GET", `roles/${role.id}`);
  const isSame = JSON.stringify(fresh.rights) === JSON.stringify(role.rights);
  draft.etag = isSame ? etag : '"0"';
}

function saveBar() {
  const lines = [...drafts.values()].flatMap((draft) => effectOf(draft.base, draft.rights, data.roles ?? []));
  return html`
    <div class="save-bar" role="status">
      <ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>
      <span class="fill"></span>
      <button class="button" @click=${() => (drafts.clear(), repaint())}>${t("cancel")}</button>
      <button class="button primary" ?disabled=${busy} @click=${save}>${t("save")}</button>
    </div>`;
}

async function save() {
  busy = true;
  repaint();
  try {
    for (const [id, draft] of [...drafts]) {
      const answer = await patch(`roles/${id}`, draft.etag, draft.base, { rights: [...draft.rights] });
      if (!answer) break;
      drafts.delete(id);
      toast(t("role.saved", { name: roleName(answer.data) }), { detail: t("role.saved.hint") });
    }
    await Promise.all([loadDirectory("roles"), loadCurrent()]);
  } catch (error) {
    toastProblem(error);
  } finally {
    busy = false;
  }
  await refreshPage();
}

/** @type {import("../main.js").Page} */
export const page = {
  title: () => t("nav.roles"),
  kinds: ["role"],
  load,
  view,
  keys: () => ({ n: { label: t("role.new"), run: () => can("roleCreate") && addRole() } }),
};
