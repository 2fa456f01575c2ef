// What the page did as calls of the API, and the keys of the keyboard.

import { formatSeconds, html, icon, recentCalls, t } from "../core.js";
import { prefs, setPrefs } from "../prefs.js";
import { context } from "../shortcuts.js";
import { copy, showDialog } from "./dialog.js";
import { checkBox, curlLine } from "./small.js";

/** Shows the most recent calls of the page. */
export const openCalls = () =>
  showDialog(
    t("as_call.title"),
    () => html`<p class="muted">${t("as_call.text")}</p><ol class="calls">${recentCalls.slice(0, 12).map(callView)}</ol>`,
    { wide: true },
  );

/** @param {App.RecordedCall} each */
const callView = (each) => html`
  <li>
    <details>
      <summary>
        <span class="method ${each.method.toLowerCase()}">${each.method}</span>
        <code>${each.path.replace(/^.*?\/api\/v1/, "/api/v1")}</code>
        <span class="fill"></span>
        <span class="faint">${each.status} · ${Math.round(each.took)} ms · ${formatSeconds(new Date(each.at).toISOString())}</span>
      </summary>
      <pre class="code" tabindex="0">${curlLine(each.method, each.path, each.body)}</pre>
      <button class="button small" @click=${() => copy(curlLine(each.method, each.path, each.body))}>
        ${icon("copy")}${t("copy")}</button>
    </details>
  </li>`;

/** The keys of every list. */
const LIST_KEYS = { j: "next", k: "previous", Enter: "open", Esc: "close", x: "select", "/": "search", m: "menu" };

/** All keys with what they do, in groups. @returns {[string, [string, string][]][]} */
const shortcutGroups = () => [
  [t("keys.page"), Object.entries(context.page()).map(([key, { label }]) => [key, label])],
  [t("keys.lists"), Object.entries(LIST_KEYS).map(([key, name]) => [key, t(`keys.${name}`)])],
  [t("keys.pages"), [["Ctrl K", t("search.title")], ...context.pages.filter((page) => page.key).map((page) => /** @type {[string, string]} */ ([`g ${page.key}`, t(`nav.${page.id}`)]))]],
];

/** Shows the keys of the keyboard. */
export const openKeys = () =>
  showDialog(t("keys.title"), () => html`
    ${checkBox(t("keys.single"), prefs.keys, (keys) => setPrefs({ keys }))}
    <div class="keys ${prefs.keys ? "" : "off"}">
      ${shortcutGroups().filter(([, keys]) => keys.length).map(
        ([title, keys]) => html`<section><h3>${title}</h3>
          <dl>${keys.map(([key, label]) => html`<div><dt>${key.split(" ").map((part) => html`<kbd>${part}</kbd>`)}</dt><dd>${label}</dd></div>`)}</dl>
        </section>`,
      )}
    </div>`);
