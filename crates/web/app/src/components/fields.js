// The fields of a form.

import { button, checkBox, faint, html, live, nothing, optionViews, t, valueOf } from "../core.js";

/** One field with its label, hint and error. @param {App.FieldState} state */
export function fieldView(state) {
  const { field, value, error } = state;
  const notes = html`
    ${error ? html`<span class="field-error" id="${field.name}-error">${error}</span>` : nothing}
    ${field.warning ? html`<span class="field-warning" role="status">${field.warning}</span>` : nothing}
    ${field.hint ? html`<span class="hint" id="${field.name}-hint">${field.hint}</span>` : nothing}`;
  if (field.type === "checks") return checksView(state, notes);
  if (field.type === "check") {
    const set = (/** @type {boolean} */ checked) => state.set(field.name, checked);
    return html`<div class="field">${checkBox(field.label, value, set, field.name)} ${notes}</div>`;
  }
  return html`
    <label class="field">
      <span>${field.label} ${field.required ? nothing : faint(t("optional"))}</span>
      ${control(state)}
      ${notes}
    </label>`;
}

function control(/** @type {App.FieldState} */ { field, value, error, set }) {
  const input = (/** @type {Event} */ event) => set(field.name, valueOf(event));
  const invalid = error ? "true" : nothing;
  const notes = [error && `${field.name}-error`, field.hint && `${field.name}-hint`];
  const by = notes.filter(Boolean).join(" ") || nothing;
  if (field.type === "select") {
    const isOpen = field.value === undefined || !field.options?.some((option) => option.value === value);
    return html`<select name=${field.name} aria-invalid=${invalid} aria-describedby=${by} @change=${input}>
      ${isOpen ? html`<option value="" disabled .selected=${live(value === "")}>${t("choose")}</option>` : nothing}
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
  return html`<span class="reveal">${shown}<button type="button" class="button small" aria-pressed="false"
    @click=${reveal}>${t("password.show")}</button></span>`;
}

/** Shows the password beside a button, or hides it. */
function reveal(/** @type {Event} */ { currentTarget }) {
  const button = /** @type {HTMLElement} */ (currentTarget);
  const input = /** @type {HTMLInputElement} */ (button.previousElementSibling);
  input.type = input.type === "password" ? "text" : "password";
  button.setAttribute("aria-pressed", String(input.type === "text"));
}

function checksView(/** @type {App.FieldState} */ { field, value, set }, /** @type {any} */ notes) {
  const change = (/** @type {Event} */ event) => {
    const { value: name, checked } = /** @type {HTMLInputElement} */ (event.target);
    const rest = value.filter((/** @type {string} */ each) => each !== name);
    set(field.name, checked ? [...rest, name] : rest);
  };
  const option = (/** @type {App.Option} */ each) => html`
    <label class="check"><input type="checkbox" value=${each.value} .checked=${live(value.includes(each.value))}
      ?disabled=${each.disabled} @change=${change}><span>${each.label} ${each.note ? faint(each.note) : nothing}</span></label>`;
  const groups = Map.groupBy(field.options ?? [], ({ group }) => group ?? "");
  return html`
    <fieldset class="field">
      <legend>${field.label}</legend>
      ${notes}
      ${field.presets?.map(({ label, values }) => html`<p>${button("", label, () => set(field.name, values), "small")}</p>`)}
      <div class="checks">
        ${[...groups].map(([name, options]) => [name ? html`<strong>${name}</strong>` : nothing, options.map(option)])}
      </div>
    </fieldset>`;
}
