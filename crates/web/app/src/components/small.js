// @ts-check
// Small parts that every page uses: instants, states, problems, empty lists.

import { prefix } from "../base.js";
import { formatAge, formatExact, formatMoment, html, icon, live, nothing, svg, t } from "../core.js";
import { connection } from "../live.js";
import { describe, supportText } from "../problems.js";
import { copy } from "./dialog.js";
import { toast } from "./toast.js";

/** An instant as an age, with the exact time on hover. @param {string | null | undefined} at @param {string} [never] */
export const age = (at, never = t("never")) =>
  at ? html`<time datetime=${at} title=${formatExact(at)}>${formatAge(at)}</time>` : html`<span class="faint">${never}</span>`;

/** An instant as day and time. @param {string | null | undefined} at @param {string} [never] */
export const moment = (at, never = t("never")) =>
  at ? html`<time datetime=${at} title=${formatExact(at)}>${formatMoment(at)}</time>` : html`<span class="faint">${never}</span>`;

/**
 * A state by shape, color and word.
 * @param {string} tone `good`, `idle`, `free`, `bad` or `new`
 * @param {string} text
 */
export const state = (tone, text) =>
  html`<span class="state ${tone}"><svg class="state-mark" aria-hidden="true" viewBox="0 0 12 12">${MARKS[tone] ?? MARKS.free}</svg>${text}</span>`;

/** @type {Record<string, any>} */
const MARKS = {
  good: svg`<circle cx="6" cy="6" r="5"></circle>`,
  idle: svg`<circle cx="6" cy="6" r="4.2" class="ring"></circle><path d="M6 1.8a4.2 4.2 0 0 1 0 8.4z"></path>`,
  free: svg`<circle cx="6" cy="6" r="4.2" class="ring"></circle>`,
  bad: svg`<rect x="1.2" y="1.2" width="9.6" height="9.6" rx="1.5"></rect>`,
  new: svg`<path d="M6 .8 11.2 6 6 11.2.8 6z"></path>`,
};

/** Stands for a value that is not there. */
export const dash = html`<span class="faint">–</span>`;

/** Small labels, one per name. @param {string[]} names @param {any} [none] what to show without a name */
export const chips = (names, none = dash) => (names.length ? names.map((name) => html`<span class="chip">${name}</span>`) : none);

/** A button with a symbol. @param {string} symbol @param {string} label @param {() => void} run @param {string} [look] more classes */
export const button = (symbol, label, run, look = "") =>
  html`<button class="button ${look}" @click=${() => run()}>${icon(symbol)}${label}</button>`;

/** The options of a selection. @param {{value: string, label: string, disabled?: boolean}[]} options @param {string} selected */
export const optionViews = (options, selected) =>
  options.map(
    ({ value, label, disabled }) => html`<option value=${value} .selected=${live(value === selected)} ?disabled=${disabled}>${label}</option>`,
  );

/** An id that can be copied. @param {string} id */
export const idText = (id) => html`
  <button class="id-text" title=${t("copy")} @click=${() => copy(id)}><code>${id}</code>${icon("copy")}</button>`;

/**
 * An error in place of what could not be shown. The frame reports a lost connection for all of the page.
 * @param {any} error
 * @param {() => void} retry
 */
export const problemBox = (error, retry) =>
  error?.status === 0 && connection.state === "offline" ? nothing : problemView(error, retry);

/** Reports an error that belongs to no form. @param {unknown} error */
export const toastProblem = (error) =>
  toast(describe(error), { bad: true, action: { label: t("problem.copy"), run: () => copy(supportText(error)) } });

/** Copies what support needs to know about an error. @param {unknown} error */
export const supportButton = (error) =>
  html`<button type="button" class="button small quiet" @click=${() => copy(supportText(error))}>${t("problem.copy")}</button>`;

/** @param {any} error @param {() => void} retry */
export const problemView = (error, retry) => html`
  <div class="problem" role="alert">
    ${icon("alert")}
    <div>
      <p><strong>${describe(error)}</strong></p>
      ${error?.right ? html`<p class="muted">${t("problem.ask_for", { right: error.right })}</p>` : nothing}
      <p class="row">
        <button class="button small" @click=${retry}>${t("retry")}</button>
        ${supportButton(error)}
      </p>
    </div>
  </div>`;

/**
 * What a list without items says: what the thing is, the first action, and the same as commands.
 * @param {{title: string, text: string, action?: {label: string, run: () => void}, curl?: [string, string, any?], command?: string}} options
 */
export const emptyBox = ({ title, text, action, curl, command }) => html`
  <div class="empty">
    <h2>${title}</h2>
    <p>${text}</p>
    ${action ? html`<p>${button("plus", action.label, action.run, "primary")}</p>` : nothing}
    ${curl || command
      ? html`<details class="commands">
          <summary>${t("empty.same")}</summary>
          <pre class="code" tabindex="0">${[curl ? curlLine(...curl) : "", command ?? ""].filter(Boolean).join("\n\n")}</pre>
        </details>`
      : nothing}
  </div>`;

/** A call as a line for a shell. @param {string} method @param {string} path @param {any} [body] @param {boolean} [hasToken] */
export function curlLine(method, path, body, hasToken = true) {
  const address = `${location.origin}/api/v1/${path.replace(`${prefix}/api/v1/`, "")}`;
  const data = body === undefined ? "" : ` \\\n  -H 'content-type: application/json' -d '${JSON.stringify(body)}'`;
  return `curl -X ${method} '${address}'${hasToken ? ' -H "authorization: Bearer $TOKEN"' : ""}${data}`;
}

/** A list that is being read for the first time. */
export const skeleton = () => html`
  <div class="skeleton" role="status"><span class="visually-hidden">${t("loading")}</span>
    ${Array.from({ length: 6 }, () => html`<div></div>`)}
  </div>`;
