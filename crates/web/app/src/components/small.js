// Small parts that every page uses: instants, states, problems, empty lists.

import { prefix } from "../base.js";
import { atPlaceOf, formatAge, formatExact, formatMoment, hasText, href, html, icon, live, nothing, Problem, repeat, svg, t,
  toast, word } from "../core.js";
import { connection } from "../live.js";
import { copy } from "./dialog.js";

/** Something less important. @param {any} text */
export const faint = (text) => html`<span class="faint">${text}</span>`;
/** A number or an address, in figures of one width. @param {any} text */
export const num = (text) => html`<span class="num">${text}</span>`;
/** Texts in one line, as far as there are any. @param {any[]} texts */
export const joined = (texts, separator = " · ") => texts.filter(Boolean).join(separator);
/** A paragraph that explains something. @param {any} text */
export const muted = (text) => html`<p class="muted">${text}</p>`;

/** A link to an item. @param {string} page @param {string | null} id @param {any} text
 * @param {App.Parameters} [query] */
export const link = (page, id, text, query) => html`<a href=${href(page, id, query)}>${text}</a>`;

/** An instant with the exact time on hover. @param {(at: string) => string} format */
const instant = (format) => (/** @type {string | null | undefined} */ at, never = t("never")) =>
  at ? html`<time datetime=${at} title=${formatExact(at)}>${format(at)}</time>` : faint(never);

/** An instant as an age. */
export const age = instant(formatAge);
/** An instant as day and time. */
export const moment = instant(formatMoment);

/** A state by shape, color and word. @param {string} tone one of `MARKS` @param {string} text */
export const state = (tone, text) => html`
  <span class="state ${tone}"><svg class="state-mark" aria-hidden="true" viewBox="0 0 12 12">${MARKS[tone]}</svg>${text}</span>`;

/** The shape of each tone. @type {App.Values} */
const MARKS = {
  good: svg`<circle cx="6" cy="6" r="5"></circle>`,
  idle: svg`<circle cx="6" cy="6" r="4.2" class="ring"></circle><path d="M6 1.8a4.2 4.2 0 0 1 0 8.4z"></path>`,
  free: svg`<circle cx="6" cy="6" r="4.2" class="ring"></circle>`,
  bad: svg`<rect x="1.2" y="1.2" width="9.6" height="9.6" rx="1.5"></rect>`,
  new: svg`<path d="M6 .8 11.2 6 6 11.2.8 6z"></path>`,
};

/** Stands for a value that is not there. */
export const dash = faint("–");

/** A small label. @param {any} text */
export const chip = (text) => html`<span class="chip">${text}</span>`;
/** Small labels, one per name. @param {string[]} names
 * @param {any} [none] what to show without a name */
export const chips = (names, none = dash) => (names.length ? names.map(chip) : none);

/** A button with a symbol. @param {string} symbol @param {string} label @param {() => void} run */
export const button = (symbol, label, run, look = "") =>
  html`<button type="button" class="button ${look}" @click=${() => run()}>${symbol ? icon(symbol) : nothing}${label}</button>`;

/** Something that can be done, by the key of its text, for a menu or a row of buttons.
 * @param {string} key @param {string} symbol @param {(...given: any[]) => void} run
 * @param {Partial<App.MenuEntry>} [more] */
export const entry = (key, symbol, run, more) => ({ label: t(key), icon: symbol, run, ...more });

/** Items of a menu as buttons. Each belongs to its label, so that the focus never stays on one that
 * does something else. @param {App.MenuItem[]} items */
export const actButtons = (items) =>
  repeat(items.filter(Boolean), ({ label }) => label, ({ icon: symbol, label, run, look }) => button(symbol, label, run, look));

/** A button with a symbol alone. @param {string} symbol @param {string} label
 * @param {() => void} run @param {{title?: string, look?: string}} [more] */
export const iconButton = (symbol, label, run, { title, look = "" } = {}) =>
  html`<button type="button" class="icon-button ${look}" aria-label=${label} title=${title ?? nothing}
    @click=${() => run()}>${icon(symbol)}</button>`;

/** @param {string} label @param {boolean} checked @param {(checked: boolean) => void} change
 * @param {string} [name] */
export const checkBox = (label, checked, change, name) => html`<label class="check"><input type="checkbox" name=${name ?? nothing}
  ?checked=${checked} @change=${(/** @type {any} */ event) => change(event.target.checked)}>${label}</label>`;

/** Items in short rows. @param {any[]} items @param {(item: any) => any} row
 * @param {string} [none] what to say without one */
export const rowList = (items, row, none) => html`
  <ul class="rows">${repeat(items, (item) => item.id ?? item, (item) => atPlaceOf(item, () => row(item)))}</ul>
  ${none && items.length === 0 ? muted(none) : nothing}`;

/** The options of a selection. @param {App.Option[]} options @param {string} selected */
export const optionViews = (options, selected) =>
  options.map(({ value, label }) => html`<option value=${value} .selected=${live(value === selected)}>${label}</option>`);

/** An id that can be copied. @param {string} id @param {string} [shown] what is shown of it */
export const idText = (id, shown = id) => html`
  <button class="id-text" title=${t("copy")} @click=${() => copy(id)}><code>${shown}</code>${icon("copy")}</button>`;

/** Returns the sentence for an error, keyed by its stable code. @param {unknown} error */
export function describe(error) {
  if (!(error instanceof Problem)) return t("problem.unexpected");
  const key = `problem.${error.code}`;
  if (!hasText(key)) return t(error.status >= 500 ? "problem.internal" : "problem.unexpected");
  return t(key, { right: word("right", error.right), seconds: error.retryAfter ?? 0 });
}

/** Returns what to copy for support. */
function supportText(/** @type {unknown} */ error) {
  if (!(error instanceof Problem)) return String(error);
  const { status, code, message, traceId } = error;
  const parts = [new Date().toISOString(), location.pathname, `status ${status}`, `code ${code}`, message];
  return [...parts, traceId && `trace ${traceId}`].filter(Boolean).join("\n");
}

/** An error in place of what could not be shown. The frame reports a lost connection for all of the
 * page. @param {any} error @param {() => void} retry */
export const problemBox = (error, retry) =>
  error?.status === 0 && connection.state === "offline" ? nothing : problemView(error, retry);

/** Reports an error that belongs to no form. @param {unknown} error */
export const toastProblem = (error) =>
  toast(describe(error), { bad: true, action: { label: t("problem.copy"), run: () => copy(supportText(error)) } });

/** Copies what support needs to know about an error. @param {unknown} error */
export const supportButton = (error) => button("", t("problem.copy"), () => copy(supportText(error)), "small quiet");

export const problemView = (/** @type {any} */ error, /** @type {() => void} */ retry) => html`
  <div class="problem" role="alert">
    ${icon("alert")}
    <div>
      <p><strong>${describe(error)}</strong></p>
      ${error?.right ? muted(t("problem.ask_for", { right: word("right", error.right) })) : nothing}
      <p class="row">${button("", t("retry"), retry, "small")} ${supportButton(error)}</p>
    </div>
  </div>`;

/** What a list without items says. @param {App.Emptiness} options */
export const emptyBox = ({ key, action, clear, curl, command }) => html`
  <div class="empty">
    <h2>${t(`${key}.empty.title`)}</h2>
    <p>${t(`${key}.empty.text`)}</p>
    ${action ? html`<p>${button("plus", action.label, action.run, "primary")}</p>` : nothing}
    ${clear ? html`<p><a class="button" href=${clear}>${t("filter.clear")}</a></p>` : nothing}
    ${curl || command
      ? html`<details class="commands">
          <summary>${t("empty.same")}</summary>
          ${code([curl && curlLine(...curl), command].filter(Boolean).join("\n\n"))}
        </details>`
      : nothing}
  </div>`;

/** A text of a machine, such as JSON. It can have the focus, so that keys scroll it. */
export const code = (/** @type {string} */ text) => html`<pre class="code" tabindex="0">${text}</pre>`;

/** A call as a line for a shell. @param {string} method @param {string} path @param {any} [body] */
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
