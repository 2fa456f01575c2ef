// Items as a table whose rows open a panel.

import { atPlaceOf, html, menuButton, nothing, repaint, repeat, t } from "../core.js";

/** A column, by the key of its label. @param {string} key @param {(item: any) => any} cell
 * @param {string} [look] its classes */
export const column = (key, cell, look) => ({ label: t(key), cell, class: look });

/** Renders items as a table. @param {any[]} items @param {App.TableOptions} options */
export function table(items, options) {
  const columns = options.columns.filter((column) => column !== false);
  return html`
    <table class="table" aria-label=${options.label} aria-busy=${String(options.isBusy ?? false)}>
      <thead>
        <tr>
          ${options.selection ? html`<th class="check-cell">${selectAll(options.selection)}</th>` : nothing}
          ${columns.map((column) => html`<th scope="col" class=${column.class ?? ""}>${column.label}</th>`)}
          ${options.actions ? html`<th class="menu-cell"><span class="visually-hidden">${t("actions")}</span></th>` : nothing}
        </tr>
      </thead>
      <tbody>${repeat(items, (item) => item.id, (item) => atPlaceOf(item, () => row(item, columns, options)))}</tbody>
    </table>`;
}

/** @param {any} item @param {Exclude<App.Column, false>[]} columns
 * @param {App.TableOptions} options */
function row(item, columns, { rowHref, openId, actions, nameOf, rowClass, selection }) {
  const toggle = () => {
    if (!selection?.selected.delete(item.id)) selection?.selected.add(item.id);
    repaint();
  };
  const open = (/** @type {MouseEvent} */ event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("a, button, input, label") || getSelection()?.toString()) return;
    /** @type {HTMLElement} */ (event.currentTarget).querySelector("a")?.click();
  };
  return html`
    <tr data-row=${item.id} class=${rowClass?.(item) ?? ""} aria-selected=${String(openId === item.id)} @click=${open}>
      ${selection
        ? html`<td class="check-cell"><input type="checkbox" data-select aria-label=${t("list.select")}
            .checked=${selection.selected.has(item.id)} @change=${toggle}></td>`
        : nothing}
      ${columns.map(
        // without a space, so that a cell without a value is an empty element
        (column, index) => html`<td class=${column.class ?? ""} data-label=${column.label}>${
          index === 0 ? html`<a class="row-link" href=${rowHref(item)}>${column.cell(item)}</a>` : column.cell(item)}</td>`,
      )}
      ${actions
        ? html`<td class="menu-cell">${menuButton(() => actions(item), nameOf?.(item))}</td>`
        : nothing}
    </tr>`;
}

function selectAll(/** @type {{selected: Set<string>, items: any[]}} */ { selected, items }) {
  const toggle = (/** @type {Event} */ event) => {
    const { checked } = /** @type {HTMLInputElement} */ (event.target);
    for (const { id } of items) selected[checked ? "add" : "delete"](id);
    repaint();
  };
  const all = selected.size > 0 && selected.size === items.length;
  return html`<input type="checkbox" aria-label=${t("list.select_all")} .checked=${all} @change=${toggle}>`;
}
