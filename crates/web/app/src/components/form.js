// @ts-check
// Forms in dialogs. Errors of the API appear at the field that its JSON pointer names.

import { call, html, languageName, languages, live, mask, nothing, optionsOf, Problem, repaint, t, toQuery, valueOf } from "../core.js";
import { refreshPage } from "../shop.js";
import { describeField, describeOther } from "./field-errors.js";
import { checkBox, curlLine, describe, optionViews, supportButton } from "./small.js";
import { patch } from "./conflict.js";
import { openDialog } from "./dialog.js";
import { cancelButton, dialogForm } from "./dialog-form.js";

export { differences } from "./conflict.js";

/** @typedef {{value: string, label: string, note?: string, group?: string, disabled?: boolean}} Option */
/**
 * A field. `dependent` is what of it depends on the values of all fields; `asksAgain` empties it after an error and
 * gives it the focus from the start; `expected` is its only valid value.
 * @typedef {{
 *   name: string,
 *   label: string,
 *   type?: "text" | "email" | "password" | "textarea" | "select" | "check" | "checks" | "number" | "date",
 *   value?: any,
 *   options?: Option[],
 *   presets?: {label: string, values: string[]}[],
 *   hint?: string,
 *   warning?: string,
 *   required?: boolean,
 *   pointer?: string,
 *   autocomplete?: string,
 *   max?: number,
 *   readonly?: boolean,
 *   asksAgain?: boolean,
 *   expected?: string,
 *   when?: (values: Record<string, any>) => boolean,
 *   dependent?: (values: Record<string, any>) => Partial<Field>,
 * }} Field
 */

/**
 * The call of a form: method, path, body, and what else belongs to it.
 * @typedef {[string, string, any?, {ifMatch?: string | null, query?: Record<string, any>}?]} FormCall
 */

/**
 * Opens a form and returns the answer to its call, or what `submit` returned; undefined if the form
 * was canceled.
 *
 * The form sends `asCall`, or changes what was read as `base` (`edit`), unless it has a `submit`. After
 * that, the page is read again. One that is `locked` can only be sent or left by `cancel`.
 * @param {{
 *   title: string,
 *   text?: string,
 *   content?: any,
 *   fields: Field[],
 *   action?: string,
 *   danger?: boolean,
 *   wide?: boolean,
 *   locked?: boolean,
 *   cancel?: {label: string, run: () => void},
 *   opened?: (close: (value?: any) => void) => void,
 *   asCall?: (values: Record<string, any>) => FormCall,
 *   edit?: {path: string, etag: string | null, base: any, change: (values: Record<string, any>) => Record<string, any>},
 *   submit?: (values: Record<string, any>) => Promise<any>,
 * }} options
 */
export async function formDialog({ title, text, content, fields, action = t("save"), danger, wide, locked, cancel, opened, asCall, edit, submit }) {
  const toCall = edit ? (/** @type {Record<string, any>} */ given) => /** @type {FormCall} */ (["PATCH", edit.path, edit.change(given)]) : asCall;
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

/** The languages as options of a selection, with `tag` if it is another one. @param {string | null | undefined} tag */
export const languageOptions = (tag) => optionsOf([...new Set([...Object.keys(languages), ...(tag ? [tag] : [])])], languageName);

/** @param {FormCall} call */
const callView = ([method, path, body, options]) =>
  html`<pre class="code" tabindex="0">${curlLine(method, path + toQuery(options?.query), mask(body))}</pre>`;

/** Reports required fields without a value, as the API does, and those with another than the expected one. @param {Field[]} fields @param {Record<string, any>} values */
function requireValues(fields, values) {
  const isMissing = (/** @type {Field} */ { name, required, options }) =>
    required && (values[name] === false || values[name].length === 0) && !options?.some((option) => option.value === "");
  const isOther = (/** @type {Field} */ { name, expected }) => expected !== undefined && values[name].trim() !== expected;
  const errors = fields
    .filter((field) => isMissing(field) || isOther(field))
    .map((field) => ({ pointer: field.pointer ?? `/${field.name}`, code: isMissing(field) ? "required" : "mismatch" }));
  if (errors.length) throw new Problem(422, { code: "fields_invalid", errors });
}

/** The value of a field that has none, by its type; a text otherwise. @type {Record<string, any>} */
const INITIAL = { checks: [], check: false };

/** @param {unknown} error @param {Field[]} fields */
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

/** A field as it is shown. @typedef {{field: Field, value: any, error: string | undefined, set: (name: string, value: any) => void}} FieldState */

/** One field with its label, hint and error. @param {FieldState} state */
function fieldView(state) {
  const { field, value, error } = state;
  const notes = html`
    ${error ? html`<span class="field-error" id="${field.name}-error">${error}</span>` : nothing}
    ${field.warning ? html`<span class="field-warning" role="status">${field.warning}</span>` : nothing}
    ${field.hint ? html`<span class="hint" id="${field.name}-hint">${field.hint}</span>` : nothing}`;
  if (field.type === "checks") return checksView(state, notes);
  if (field.type === "check") {
    return html`<div class="field">${checkBox(field.label, value, (checked) => state.set(field.name, checked), field.name)} ${notes}</div>`;
  }
  return html`
    <label class="field">
      <span>${field.label}${field.required ? "" : html` <span class="faint">${t("optional")}</span>`}</span>
      ${control(state)}
      ${notes}
    </label>`;
}

/** The control of a field with one value. @param {FieldState} state */
function control({ field, value, error, set }) {
  const input = (/** @type {Event} */ event) => set(field.name, valueOf(event));
  const invalid = error ? "true" : nothing;
  const by = [error ? `${field.name}-error` : "", field.hint ? `${field.name}-hint` : ""].filter(Boolean).join(" ") || nothing;
  if (field.type === "select") {
    return html`<select name=${field.name} aria-invalid=${invalid} aria-describedby=${by} @change=${input}>
      ${field.value === undefined || !field.options?.some((option) => option.value === value) ? html`<option value="" disabled .selected=${live(value === "")}>${t("choose")}</option>` : nothing}
      ${optionViews(field.options ?? [], value)}</select>`;
  }
  if (field.type === "textarea") {
    return html`<textarea name=${field.name} rows="3" aria-invalid=${invalid} aria-describedby=${by}
      @input=${input}>${field.value ?? ""}</textarea>`;
  }
  const shown = html`<input name=${field.name} type=${field.type ?? "text"} value=${field.value ?? ""}
    autocomplete=${field.autocomplete ?? "off"} maxlength=${field.max ?? nothing} ?required=${field.required}
    ?readonly=${field.readonly} ?autofocus=${field.asksAgain}
    aria-invalid=${invalid} aria-describedby=${by} spellcheck="false" @input=${input}>`;
  if (field.type !== "password") return shown;
  return html`<span class="reveal">${shown}<button type="button" class="button small" aria-pressed="false" @click=${reveal}>${t("password.show")}</button></span>`;
}

/** Shows the password beside a button, or hides it. @param {Event} event */
function reveal({ currentTarget }) {
  const button = /** @type {HTMLElement} */ (currentTarget);
  const input = /** @type {HTMLInputElement} */ (button.previousElementSibling);
  input.type = input.type === "password" ? "text" : "password";
  button.setAttribute("aria-pressed", String(input.type === "text"));
}

/** @param {FieldState} state @param {any} notes */
function checksView({ field, value, set }, notes) {
  const change = (/** @type {Event} */ event) => {
    const { value: name, checked } = /** @type {HTMLInputElement} */ (event.target);
    const rest = value.filter((/** @type {string} */ each) => each !== name);
    value = checked ? [...rest, name] : rest;
    set(field.name, value);
  };
  const groups = Map.groupBy(field.options ?? [], ({ group }) => group ?? "");
  return html`
    <fieldset class="field">
      <legend>${field.label}</legend>
      ${notes}
      ${field.presets?.map(({ label, values }) => html`<p><button type="button" class="button small" @click=${() => set(field.name, values)}>${label}</button></p>`)}
      <div class="checks">
        ${[...groups].map(
          ([group, options]) => html`${group ? html`<strong>${group}</strong>` : nothing}
            ${options.map(
              (option) => html`<label class="check"><input type="checkbox" value=${option.value}
                .checked=${live(value.includes(option.value))} ?disabled=${option.disabled} @change=${change}><span>${option.label}${
                  option.note ? html` <span class="faint">${option.note}</span>` : nothing}</span></label>`,
            )}`,
        )}
      </div>
    </fieldset>`;
}
