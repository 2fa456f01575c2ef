// Changes with the version that was read. If somebody else changed the same thing meanwhile, the
// person decides field by field.

import { call, can, formatMoment, html, muted, nameOf, nothing, Problem, readItems, repaint, t } from "../core.js";
import { cancelButton, dialogForm, openDialog } from "./dialog.js";
import { labelOf, valueText } from "./values.js";

/** Sends a merge patch for what was read as `base` with `etag`. Returns null if the person
 * discarded the change, undefined if they left the question open. @param {string} path
 * @param {string | null} etag @param {any} base @param {App.Values} change
 * @returns {Promise<App.Response | null | undefined>} */
export async function patch(path, etag, base, change) {
  if (Object.keys(change).length === 0) return { status: 200, data: base, etag, headers: new Headers() };
  try {
    return await call("PATCH", path, { body: change, ifMatch: etag ?? "*" });
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "version_moved") throw error;
  }
  const [fresh, author] = await Promise.all([call("GET", path), readAuthor(path.split("/")[1])]);
  const mine = await askConflict(base, fresh.data, rebased(base, fresh.data, change), author);
  return mine && patch(path, fresh.etag, fresh.data, mine);
}

/** The change with each list of names made from `theirs`, so that it keeps what somebody else
 * added. @param {any} base @param {any} theirs @param {App.Values} change */
const rebased = (base, theirs, change) => Object.fromEntries(Object.entries(change).map(([name, mine]) => {
  if (!Array.isArray(mine) || mine.some((each) => typeof each !== "string")) return [name, mine];
  const [before, now] = [base[name] ?? [], theirs[name] ?? []];
  const isKept = (/** @type {string} */ each) => mine.includes(each) || !before.includes(each);
  return [name, [...new Set([...now.filter(isKept), ...mine.filter((each) => !before.includes(each))])]];
}));

/** The members of `values` that differ from `base`. @param {any} base @param {App.Values} values */
export function differences(base, values) {
  const isOther = (/** @type {[string, any]} */ [name, value]) => JSON.stringify(value) !== JSON.stringify(base[name] ?? null);
  return Object.fromEntries(Object.entries(values).filter(isOther));
}

/** Asks which values stay. The author is who changed it and when, as far as the person may see
 * that. @param {any} base @param {any} theirs @param {App.Values} mine @param {string} author */
function askConflict(base, theirs, mine, author) {
  // what cannot be read, such as a password, is no question
  const names = Object.keys(mine).filter((name) => name in theirs);
  /** The members of which the person keeps their own value. */
  const kept = new Set(Object.keys(mine));
  const cell = (/** @type {string} */ name, /** @type {boolean} */ isMine, /** @type {string} */ text) => {
    const pick = () => (isMine ? kept.add(name) : kept.delete(name), repaint());
    return html`<td><label class="check">
      <input type="radio" name=${name} ?checked=${kept.has(name) === isMine} @change=${pick}><span>${text}</span></label></td>`;
  };
  const row = (/** @type {string} */ name) => {
    const [before, now, own] = differing([base[name], theirs[name], mine[name]]).map((each) => valueText(name, each));
    return html`<tr><th scope="row">${labelOf(name)}</th><td class="muted">${before}</td>
      ${cell(name, false, now)}${cell(name, true, own)}</tr>`;
  };
  return openDialog(
    (close) =>
      dialogForm({
        title: t("conflict.title"),
        leave: () => close(),
        submit: () => close(Object.fromEntries(Object.entries(mine).filter(([name]) => kept.has(name)))),
        body: html`
          <p>${t("conflict.text")}</p>
          ${author ? muted(author) : nothing}
          <div class="scroll"><table class="plain">
            <thead><tr><th>${t("conflict.field")}</th><th>${t("conflict.base")}</th>
              <th>${t("conflict.theirs")}</th><th>${t("conflict.mine")}</th></tr></thead>
            <tbody>${names.map(row)}</tbody>
          </table></div>`,
        foot: html`${cancelButton(() => close(null), t("conflict.give_up"))}
          <button class="button primary">${t("conflict.apply")}</button>`,
      }),
    { wide: true },
  );
}

/** Who changed it last, and when, by the audit log. */
async function readAuthor(/** @type {string} */ id) {
  if (!can("auditRead")) return "";
  const [event] = await readItems("audit-events", { subject: id, outcome: "done", limit: 1 }).catch(() => []);
  if (!event) return "";
  return t("conflict.author", { name: nameOf(event.user) || t("audit.server"), time: formatMoment(event.at) });
}

/** Of lists, what not all of them have; other values as they are. */
function differing(/** @type {any[]} */ values) {
  if (!values.every(Array.isArray)) return values;
  const keys = values.map((list) => new Set(list.map((each) => JSON.stringify(each))));
  return values.map((list) => list.filter((each) => !keys.every((key) => key.has(JSON.stringify(each)))));
}
