// Forms in dialogs. Errors of the API appear at the field that its JSON pointer names.

import { button, call, code, curlLine, describe, html, icon, languageName, languages, mask, muted, nothing, optionsOf, Problem,
  refreshPage, repaint, supportButton, t, toQuery } from "../core.js";
import { describeField, describeOther } from "./values.js";
import { fieldView } from "./fields.js";
import { patch } from "./conflict.js";
import { cancelButton, copy, dialogForm, openDialog } from "./dialog.js";

export { differences } from "./conflict.js";

/** Opens a form and returns the response to its call, or what `submit` returned; undefined if the
 * form was canceled. Without `submit`, the page is read again afterwards.
 * @param {App.Form} form */
export async function formDialog(form) {
  const { title, text, content, points = [], action = t("save"), danger, wide, locked, cancel, edit, submit } = form;
  /** @type {App.Form["asCall"]} */
  const toCall = edit ? (given) => ["PATCH", edit.path, edit.change(given)] : form.asCall;
  const run = () => {
    if (submit) return submit(values);
    if (edit) return patch(edit.path, edit.etag, edit.base, edit.change(values));
    const [method, path, body, options] = /** @type {NonNullable<typeof toCall>} */ (toCall)(values);
    return call(method, path, { body, ...options });
  };
  const fields = form.fields.map((field) => completed(field, edit?.base));
  /** @type {App.Values} */
  const values = Object.fromEntries(fields.map(({ name, type = "", value }) => [name, value ?? INITIAL[type] ?? ""]));
  const shownFields = () =>
    fields.filter(({ when }) => !when || when(values)).map((field) => ({ ...field, ...field.dependent?.(values) }));
  let error = /** @type {unknown} */ (null);
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
      form.opened?.(close);
      const send = async (/** @type {SubmitEvent} */ event) => {
        if (busy) return;
        busy = true;
        error = null;
        repaint();
        try {
          requireValues(shownFields(), values);
          const response = await run();
          if (response || response === null || !edit) close(response === null && edit ? undefined : (response ?? true));
        } catch (caught) {
          error = caught;
          const element = /** @type {HTMLFormElement} */ (event.target);
          for (const input of element.querySelectorAll("[autofocus]")) {
            if (input instanceof HTMLInputElement) values[input.name] = input.value = "";
          }
          setTimeout(() => showFault(element), 50);
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
          ${text ? muted(text) : nothing} ${content}
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

/** A field with its label, and with the value in what the form changes. */
const completed = (/** @type {App.Field} */ field, /** @type {any} */ base) => ({
  ...field,
  label: field.label ?? t(`field.${field.name}`),
  value: field.value ?? base?.[field.name] ?? undefined,
});

/** Goes to the first invalid field, or to the one that is to be filled in again. */
function showFault(/** @type {HTMLFormElement} */ form) {
  const fault = form.querySelector(".field-error");
  const invalid = fault?.closest(".field")?.querySelector(":is(input, select, textarea):enabled");
  const field = /** @type {HTMLElement | null} */ (invalid ?? form.querySelector("[autofocus]"));
  field?.focus();
  fault?.scrollIntoView({ block: "nearest" });
}

/** The title, the text and the action of a form, by their keys. @param {string} key
 * @param {App.Placeholders} [values] */
export const wording = (key, values) => ({
  title: t(`${key}.title`, values),
  text: t(`${key}.text`, values),
  action: t(key),
});

/** Opens a form that changes something with a name. @param {string} name
 * @param {App.Field[]} fields @param {Pick<App.Form, "edit" | "wide">} options */
export const editDialog = (name, fields, options) => formDialog({ title: t("edit.title", { name }), fields, ...options });

/** Asks whether to do something wide or final. Returns what was entered, if the person is sure.
 * @param {App.Question} question @returns {Promise<App.Values | undefined>} */
export function confirmDialog({ name, fields = [], ...question }) {
  const typed = name ? [{ name: "confirm", label: t("confirm.type_name", { name }), required: true, expected: name }] : [];
  const submit = async (/** @type {App.Values} */ values) => values;
  return formDialog({ ...question, fields: [...fields, ...typed], danger: true, submit });
}

/** Shows a secret, which the API shows only once, until the person has stored it. @param
 * {{title: string, text: string, content: string, file?: string}} secret can be saved as `file` */
export function offerSecret({ title, text, content: secret, file }) {
  const address = URL.createObjectURL(new Blob([secret], { type: "text/plain" }));
  const content = html`
    <pre class="secret">${secret}</pre>
    <p class="row">
      ${button("copy", t("copy"), () => copy(secret))}
      ${file
        ? html`<a class="button" href=${address} download=${file}>${icon("download")}${t("download_as", { file })}</a>`
        : nothing}
    </p>`;
  return formDialog({
    title,
    text,
    content,
    fields: [{ name: "stored", label: t("secret.stored"), type: "check", required: true }],
    action: t("done"),
    locked: true,
    submit: async () => true,
  }).finally(() => URL.revokeObjectURL(address));
}

/** What the fields of the current password have in common. */
export const CURRENT_PASSWORD = /** @type {const} */ ({ type: "password", autocomplete: "current-password" });
/** What the fields of a new password have in common. */
export const newPassword = () => /** @type {const} */ ({
  type: "password",
  autocomplete: "new-password",
  hint: t("password.hint"),
});

/** The languages as options of a selection, also that of `tag`. */
export const languageOptions = (/** @type {string | null | undefined} */ tag) =>
  optionsOf([...new Set([...Object.keys(languages), ...(tag ? [tag] : [])])], languageName);

const callView = (/** @type {App.FormCall} */ [method, path, body, options]) =>
  code(curlLine(method, path + toQuery(options?.query), mask(body)));

/** Reports required fields without a value, as the API does, and those with another than the
 * expected one. @param {App.Field[]} fields @param {App.Values} values */
function requireValues(fields, values) {
  const errors = fields.flatMap(({ name, pointer = `/${name}`, required, options, expected }) => {
    const value = values[name];
    const canBeEmpty = !required || options?.some((option) => option.value === "");
    if (!canBeEmpty && (value === false || value.length === 0)) return { pointer, code: "required" };
    return expected === undefined || value.trim() === expected ? [] : { pointer, code: "mismatch" };
  });
  if (errors.length) throw new Problem(422, { code: "fields_invalid", errors });
}

/** The value of a field that has none, by its type; a text otherwise. @type {App.Values} */
const INITIAL = { checks: [], check: false };

function sortErrors(/** @type {unknown} */ error, /** @type {App.Field[]} */ fields) {
  const atField = /** @type {Map<string, string>} */ (new Map());
  const others = /** @type {App.FieldError[]} */ ([]);
  for (const each of error instanceof Problem ? error.errors : []) {
    const field = fields.find(({ name, pointer = `/${name}` }) => (each.pointer ?? "").startsWith(pointer));
    if (field) atField.set(field.name, describeField(each));
    else others.push(each);
  }
  return { atField, others };
}
