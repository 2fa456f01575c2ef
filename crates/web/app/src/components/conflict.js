// @ts-check
// Changes with the version that was read. If somebody else changed the same thing meanwhile, the
// person decides field by field.

import { call, Problem } from "../api.js";
import { t, word } from "../i18n.js";
import { html, repaint } from "../view.js";
import { dialogHead, openDialog } from "./dialog.js";

/**
 * Sends a merge patch for what was read as `base` with `etag`.
 * @param {string} path
 * @param {string | null} etag
 * @param {any} base
 * @param {Record<string, any>} change
 * @returns {Promise<import("../api.js").Answer | null>} null if the person gave up their change
 */
export async function patch(path, etag, base, change) {
  if (Object.keys(change).length === 0) return { status: 200, data: base, etag, headers: new Headers() };
  try {
    return await call("PATCH", path, { body: change, ifMatch: etag ?? "*" });
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "version_moved") throw error;
  }
  const fresh = await call("GET", path);
  const mine = await askConflict(base, fresh.data, change);
  if (!mine) return null;
  return patch(path, fresh.etag, fresh.data, mine);
}

/** Returns the members of `values` that differ from `base`. @param {any} base @param {Record<string, any>} values */
export function differences(base, values) {
  return Object.fromEntries(
    Object.entries(values).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(base[name] ?? null)),
  );
}

/** @param {any} base @param {any} theirs @param {Record<string, any>} mine */
function askConflict(base, theirs, mine) {
  /** @type {Record<string, "mine" | "theirs">} */
  const choice = Object.fromEntries(Object.keys(mine).map((name) => [name, "mine"]));
  return openDialog(
    (close) => {
      const submit = (/** @type {Event} */ event) => {
        event.preventDefault();
        close(Object.fromEntries(Object.entries(mine).filter(([name]) => choice[name] === "mine")));
      };
      const pick = (/** @type {string} */ name, /** @type {"mine" | "theirs"} */ value) => {
        choice[name] = value;
        repaint();
      };
      const cell = (/** @type {string} */ name, /** @type {"mine" | "theirs"} */ whose, /** @type {any} */ value) => html`
        <td><label class="check">
          <input type="radio" name=${name} ?checked=${choice[name] === whose} @change=${() => pick(name, whose)}>
          <span>${show(value)}</span></label></td>`;
      return html`
        <form @submit=${submit}>
          ${dialogHead(t("conflict.title"), () => close())}
          <div class="dialog-body">
            <p>${t("conflict.text")}</p>
            <div class="scroll"><table class="plain">
              <thead><tr><th>${t("conflict.field")}</th><th>${t("conflict.base")}</th>
                <th>${t("conflict.theirs")}</th><th>${t("conflict.mine")}</th></tr></thead>
              <tbody>${Object.keys(mine).map(
                (name) => html`<tr><th scope="row">${word("field", name)}</th><td class="muted">${show(base[name])}</td>
                  ${cell(name, "theirs", theirs[name])}${cell(name, "mine", mine[name])}</tr>`,
              )}</tbody>
            </table></div>
          </div>
          <footer class="dialog-foot">
            <button type="button" class="button" @click=${() => close()}>${t("conflict.give_up")}</button>
            <button class="button primary">${t("conflict.apply")}</button>
          </footer>
        </form>`;
    },
    { wide: true },
  );
}

/** @param {any} value */
function show(value) {
  if (value === null || value === undefined || value === "") return "–";
  if (Array.isArray(value)) {
    return value.map((each) => (typeof each === "object" ? `${each.device}: ${each.roles.join(", ")}` : each)).join("; ");
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
