// Forms in dialogs. Errors of the API appear at the field that its JSON pointer names.

import { call, html, icon, languageName, languages, mask, nothing, optionsOf, Problem, repaint, t, toQuery } from "../core.js";
import { refreshPage } from "../shop.js";
import { describeField, describeOther } from "./field-errors.js";
import { fieldView } from "./fields.js";
import { button, curlLine, describe, supportButton } from "./small.js";
import { patch } from "./conflict.js";
import { cancelButton, copy, dialogForm, openDialog } from "./dialog.js";

export { differences } from "./conflict.js";

/** Opens a form and returns the answer to its call, or what `submit` returned; undefined if the form was canceled. Without `submit`, the page is read again afterwards. @param {App.Form} options */
export async function formDialog({ title, text, content, points = [], fields, action = t("save"), danger, wide, locked, cancel, opened, asCall, edit, submit }) {
  const toCall = edit ? (/** @type {App.Values} */ given) => /** @type {App.FormCall} */ (["PATCH", edit.path, edit.change(given)]) : asCall;
  const run = () => {
    if (submit) return submit(values);
    if (edit) return patch(edit.path, edit.etag, edit.base, edit.change(values));
    const [method, path, body, options] = /** @type {NonNullable<typeof asCall>} */ (asCall)(values);
    return call(method, path, { body, ...options });
  };
  /** @type {Record<string, any>} */
  const values = Object.fromEntries(fields.map((field) => [field.name, field.value ?? INITIAL[field.type ?? ""] ?? ""]));
  const shownFields = () =>
    fields.filter((field) => !field.when || field.when(values)).map((field) => ({ ...field, ...field.dependent?.(values) }));
  /** @type {unknown} */
  let error = null;
  let busy = false;
  let showsCall = false;
  let isDirty = false;
  let asksToLeave = false;
  const set = (/** @type {string} */ name, /** @type {any} */ value) => {
    values[name] = value;
    isDirty = true;
    // a selection whose options are others now is open again
    for (const { name: other, type, dependent, options } of shownFields()) {
      if (type === "select" && dependent && !options?.some((option) => option.value === values[other])) values[other] = "";
    }
    if (showsCall || fields.some((field) => field.when || field.dependent)) repaint();
  };
  let leave = () => {};
  const result = await openDialog(
    (close) => {
      opened?.(close);
      const send = async (/** @type {SubmitEvent} */ event) => {
        if (busy) return;
        busy = true;
        error = null;
        repaint();
        try {
          requireValues(shownFields(), values);
          const answer = await run();
          if (answer || answer === null || !edit) close(answer === null && edit ? undefined : (answer ?? true));
        } catch (caught) {
          error = caught;
          const form = /** @type {HTMLFormElement} */ (event.target);
          for (const input of form.querySelectorAll("[autofocus]")) {
            if (input instanceof HTMLInputElement) values[input.name] = input.value = "";
          }
          setTimeout(() => {
            const fault = form.querySelector(".field-error");
            const field = fault?.closest(".field")?.querySelector(":is(input, select, textarea):enabled") ?? form.querySelector("[autofocus]");
            if (field instanceof HTMLElement) field.focus();
            fault?.scrollIntoView({ block: "nearest" });
          }, 50);
        } finally {
          busy = false;
          repaint();
        }
      };
      leave = () => {
        if (!toCall || !isDirty || asksToLeave) return close();
        asksToLeave = true;
        return repaint();
      };
      const shown = shownFields();
      const { atField, others } = sortErrors(error, shown);
      return dialogForm({
        title,
        leave: locked ? null : leave,
        submit: send,
        body: html`
          ${asksToLeave
            ? html`<p class="notice notice-warn" role="alert">${t("form.discard.text")}
                <button type="button" class="button small" @click=${() => close()}>${t("form.discard")}</button></p>`
            : nothing}
          ${text ? html`<p class="muted">${text}</p>` : nothing} ${content}
          ${points.length ? html`<ul class="points">${points.map((point) => html`<li>${point}</li>`)}</ul>` : nothing}
          ${error && (others.length > 0 || atField.size === 0)
            ? html`<div class="notice notice-bad" role="alert">
                ${describe(error)}${others.map((each) => html`<br>${describeOther(each)}`)} ${supportButton(error)}
              </div>`
            : nothing}
          ${shown.map((field) => fieldView({ field, value: values[field.name], error: atField.get(field.name), set }))}
          ${showsCall && toCall ? callView(toCall(values)) : nothing}`,
        foot: html`
          ${toCall
            ? html`<button type="button" class="button quiet start" aria-pressed=${String(showsCall)}
                @click=${() => ((showsCall = !showsCall), repaint())}>${t("as_call")}</button>`
            : nothing}
          ${locked ? cancel && cancelButton(cancel.run, cancel.label) : cancelButton(close)}
          <button class="button ${danger ? "danger" : "primary"}" ?disabled=${busy}>${action}</button>`,
      });
    },
    { wide, locked, leave: locked ? undefined : () => leave() },
  );
  if (result !== undefined && !submit) await refreshPage();
  return result;
}

/** Opens a form that changes something with a name. @param {string} name @param {App.Field[]} fields @param {Pick<App.Form, "edit" | "wide">} options */
export const editDialog = (name, fields, options) => formDialog({ title: t("edit.title", { name }), fields, ...options });

/** Asks whether to do something wide or final. Returns what was entered, if the person is sure. @param {App.Question} question @returns {Promise<App.Values | undefined>} */
export function confirmDialog({ title, text, points, action, name, fields = [] }) {
  const typed = name ? [{ name: "confirm", label: t("confirm.type_name", { name }), required: true, expected: name }] : [];
  return formDialog({ title, text, points, fields: [...fields, ...typed], action, danger: true, submit: async (values) => values });
}

/**
 * Shows a secret, which the API shows only once, until the person has stored it.
 * @param {{title: string, text: string, content: string, file?: string}} secret with `file`, it can be saved under that name
 */
export function offerSecret({ title, text, content: secret, file }) {
  const address = URL.createObjectURL(new Blob([secret], { type: "text/plain" }));
  const content = html`
    <pre class="secret">${secret}</pre>
    <p class="row">
      ${button("copy", t("copy"), () => copy(secret))}
      ${file ? html`<a class="button" href=${address} download=${file}>${icon("download")}${t("download_as", { file })}</a>` : nothing}
    </p>`;
  /** @type {App.Field[]} */
  const fields = [{ name: "stored", label: t("secret.stored"), type: "check", required: true }];
  return formDialog({ title, text, content, fields, action: t("done"), locked: true, submit: async () => true }).finally(() => URL.revokeObjectURL(address));
}

/** The languages as options of a selection, with `tag` if it is another one. @param {string | null | undefined} tag */
export const languageOptions = (tag) => optionsOf([...new Set([...Object.keys(languages), ...(tag ? [tag] : [])])], languageName);

/** @param {App.FormCall} call */
const callView = ([method, path, body, options]) =>
  html`<pre class="code" tabindex="0">${curlLine(method, path + toQuery(options?.query), mask(body))}</pre>`;

/** Reports required fields without a value, as the API does, and those with another than the expected one. @param {App.Field[]} fields @param {Record<string, any>} values */
function requireValues(fields, values) {
  const isMissing = (/** @type {App.Field} */ { name, required, options }) =>
    required && (values[name] === false || values[name].length === 0) && !options?.some((option) => option.value === "");
  const isOther = (/** @type {App.Field} */ { name, expected }) => expected !== undefined && values[name].trim() !== expected;
  const errors = fields
    .filter((field) => isMissing(field) || isOther(field))
    .map((field) => ({ pointer: field.pointer ?? `/${field.name}`, code: isMissing(field) ? "required" : "mismatch" }));
  if (errors.length) throw new Problem(422, { code: "fields_invalid", errors });
}

/** The value of a field that has none, by its type; a text otherwise. @type {Record<string, any>} */
const INITIAL = { checks: [], check: false };

/** @param {unknown} error @param {App.Field[]} fields */
function sortErrors(error, fields) {
  /** @type {Map<string, string>} */
  const atField = new Map();
  /** @type {Problem["errors"]} */
  const others = [];
  for (const each of error instanceof Problem ? error.errors : []) {
    const field = fields.find(({ name, pointer = `/${name}` }) => (each.pointer ?? "").startsWith(pointer));
    if (field) atField.set(field.name, describeField(each));
    else others.push(each);
  }
  return { atField, others };
}
