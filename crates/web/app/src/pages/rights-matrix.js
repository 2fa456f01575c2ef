// Rights as rows in groups, roles as columns.

import { faint, groupNames, groupOf, html, icon, live, nothing, repaint, roleName, t, word } from "../core.js";

const folded = /** @type {Set<string>} */ (new Set());

export function rightsMatrix(/** @type {App.RightsMatrix} */ options) {
  const { roles, rights, shows, openId, rightsOf, head } = options;
  const column = (/** @type {Role} */ role) =>
    html`<th scope="col" class="mark-col ${role.id === openId ? "open" : ""}">${head(role)}</th>`;
  const isAdmin = (/** @type {Role} */ role) => rightsOf(role).has("admin");
  const shown = rights.filter(({ name, held }) => {
    if (name === "admin") return false;
    if (shows === "held") return held;
    if (shows === "all") return true;
    const given = roles.filter((role) => isAdmin(role) || rightsOf(role).has(name)).length;
    return given > 0 && given < roles.length;
  });
  return html`
    <div class="scroll sticky-scroll">
      <table class="matrix rights-matrix">
        <caption class="visually-hidden">${t("role.caption")}</caption>
        <thead>
          <tr><th scope="col">${t("role.right")}</th>${roles.map(column)}</tr>
          ${roles.some(isAdmin)
            ? html`<tr class="banner"><th scope="row">${t("role.everything")}</th>
                ${roles.map((role) => html`<td class="mark-col">${isAdmin(role) ? icon("check") : nothing}</td>`)}</tr>`
            : nothing}
        </thead>
        ${groupNames.map((group) => {
          const members = shown.filter(({ name }) => groupOf(name) === group);
          return members.length ? groupView(group, members, options) : nothing;
        })}
      </table>
    </div>`;
}

/** @param {string} group @param {App.RightsMatrix["rights"]} members
 * @param {App.RightsMatrix} options */
function groupView(group, members, options) {
  const { roles, rightsOf, isEditable, toggle } = options;
  const isFolded = folded.has(group);
  const flip = () => {
    if (!folded.delete(group)) folded.add(group);
    repaint();
  };
  const names = members.filter(({ held }) => held).map(({ name }) => name);
  const title = t(`right_group.${group}`);
  return html`
    <tbody>
      <tr class="group">
        <th scope="rowgroup"><button class="fold-button" aria-expanded=${String(!isFolded)} @click=${flip}>
          ${icon(isFolded ? "right" : "down")}${title} ${faint(members.length)}</button></th>
        ${roles.map((role) => {
          const given = members.filter(({ name }) => rightsOf(role).has(name)).length;
          const all = given === members.length;
          const shown = rightsOf(role).has("admin") ? members.length : given || "";
          if (!isEditable(role)) return html`<td class="mark-col faint num">${shown}</td>`;
          return html`<td class="mark-col"><input type="checkbox" aria-label="${title}: ${roleName(role)}"
            .checked=${live(all)} .indeterminate=${live(given > 0 && !all)} ?disabled=${names.length === 0}
            @change=${() => toggle(role, names, !all)}></td>`;
        })}
      </tr>
      ${isFolded ? nothing : members.map((right) => rightRow(right, options))}
    </tbody>`;
}

/** @param {App.RightsMatrix["rights"][number]} right @param {App.RightsMatrix} options */
function rightRow({ name, held }, { roles, rightsOf, isEditable, toggle }) {
  const label = word("right", name);
  return html`
    <tr>
      <th scope="row">${label} <code class="faint">${name}</code></th>
      ${roles.map((role) => {
        const has = rightsOf(role).has(name);
        if (!isEditable(role)) {
          return html`<td class="mark-col">${has || rightsOf(role).has("admin")
            ? html`<span class="given" role="img" aria-label=${t("role.has")}>${icon("check")}</span>`
            : html`<span class="visually-hidden">${t("role.has_not")}</span>`}</td>`;
        }
        const isChanged = has !== role.rights.includes(name);
        return html`<td class="mark-col ${isChanged ? "changed" : ""}">
          <input type="checkbox" aria-label="${label}: ${roleName(role)}" .checked=${live(has)} ?disabled=${!held}
            title=${held ? nothing : t("role.not_held")} @change=${() => toggle(role, [name], !has)}></td>`;
      })}
    </tr>`;
}
