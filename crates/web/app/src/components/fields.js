// The fields of a form.

import { html, live, nothing, t, valueOf } from "../core.js";
import { checkBox, optionViews } from "./small.js";

/** One field with its label, hint and error. @param {App.FieldState} state */
export function fieldView(state) {
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

/** The control of a field with one value. @param {App.FieldState} state */
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

/** @param {App.FieldState} state @param {any} notes */
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
