// What the page did as calls of the API, and the keys of the keyboard.

import { button, checkBox, code, curlLine, faint, formatSeconds, html, muted, recentCalls, t } from "../core.js";
import { prefs, setPrefs } from "../prefs.js";
import { context } from "../shortcuts.js";
import { copy, showDialog } from "./dialog.js";

export function openCalls() {
  const body = () => html`${muted(t("as_call.text"))}<ol class="calls">${recentCalls.slice(0, 12).map(callView)}</ol>`;
  return showDialog(t("as_call.title"), body, { wide: true });
}

function callView(/** @type {App.RecordedCall} */ { method, path, body, status, took, at }) {
  const line = curlLine(method, path, body);
  return html`
    <li>
      <details>
        <summary>
          <span class="method ${method.toLowerCase()}">${method}</span>
          <code>${path.replace(/^.*?\/api\/v1/, "/api/v1")}</code>
          <span class="fill"></span>
          ${faint(`${status} · ${Math.round(took)} ms · ${formatSeconds(new Date(at))}`)}
        </summary>
        ${code(line)} ${button("copy", t("copy"), () => copy(line), "small")}
      </details>
    </li>`;
}

/** The keys of every list. */
const LIST_KEYS = { j: "next", k: "previous", Enter: "open", Esc: "close", x: "select", "/": "search", m: "menu" };

/** The keys that go to a page. @returns {[string, string][]} */
const pageKeys = () => context.pages.flatMap(({ id, key }) => (key ? [[`g ${key}`, t(`nav.${id}`)]] : []));

/** All keys with what they do, in groups. @returns {[string, [string, string][]][]} */
const shortcutGroups = () => [
  [t("keys.page"), Object.entries(context.page()).map(([key, { label }]) => [key, label])],
  [t("keys.lists"), Object.entries(LIST_KEYS).map(([key, name]) => [key, t(`keys.${name}`)])],
  [t("keys.pages"), [["Ctrl K", t("search.title")], ...pageKeys()]],
];

/** @param {[string, string]} key with what it does */
const keyView = ([key, label]) => html`
  <div><dt>${key.split(" ").map((part) => html`<kbd>${part}</kbd>`)}</dt><dd>${label}</dd></div>`;

export const openKeys = () =>
  showDialog(t("keys.title"), () => html`
    ${checkBox(t("keys.single"), prefs.keys, (keys) => setPrefs({ keys }))}
    <div class="keys ${prefs.keys ? "" : "off"}">
      ${shortcutGroups().filter(([, keys]) => keys.length).map(
        ([title, keys]) => html`<section><h3>${title}</h3><dl>${keys.map(keyView)}</dl></section>`,
      )}
    </div>`);
