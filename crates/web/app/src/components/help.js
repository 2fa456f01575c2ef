// @ts-check
// What the page did as calls of the API, and the keys of the keyboard.

import { recentCalls } from "../api.js";
import { t } from "../i18n.js";
import { prefs, setPrefs } from "../prefs.js";
import { shortcutGroups } from "../shortcuts.js";
import { formatSeconds } from "../time.js";
import { html, repaint } from "../view.js";
import { copy, dialogHead, openDialog } from "./dialog.js";
import { icon } from "./icon.js";
import { curlLine } from "./small.js";

/** Shows the most recent calls of the page. */
export const openCalls = () =>
  openDialog(
    (close) => html`
      ${dialogHead(t("as_call.title"), () => close())}
      <div class="dialog-body">
        <p class="muted">${t("as_call.text")}</p>
        <ol class="calls">${recentCalls.slice(0, 12).map(callView)}</ol>
      </div>`,
    { wide: true },
  );

/** @param {import("../api.js").RecordedCall} each */
const callView = (each) => html`
  <li>
    <details>
      <summary>
        <span class="method ${each.method.toLowerCase()}">${each.method}</span>
        <code>${each.path.replace(/^.*?\/api\/v1/, "/api/v1")}</code>
        <span class="fill"></span>
        <span class="faint">${each.status} · ${Math.round(each.took)} ms · ${formatSeconds(new Date(each.at).toISOString())}</span>
      </summary>
      <pre class="code" tabindex="0">${curlLine(each.method, each.path.replace(/^.*?\/api\/v1\//, ""), each.body)}</pre>
      <button class="button small" @click=${() => copy(curlLine(each.method, each.path.replace(/^.*?\/api\/v1\//, ""), each.body))}>
        ${icon("copy")}${t("copy")}</button>
    </details>
  </li>`;

/** Shows the keys of the keyboard. */
export const openKeys = () =>
  openDialog((close) => {
    const toggle = () => {
      setPrefs({ keys: !prefs.keys });
      repaint();
    };
    return html`
      ${dialogHead(t("keys.title"), () => close())}
      <div class="dialog-body">
        <label class="check"><input type="checkbox" ?checked=${prefs.keys} @change=${toggle}>${t("keys.single")}</label>
        <div class="keys ${prefs.keys ? "" : "off"}">
          ${shortcutGroups().map(
            ([title, keys]) => html`<section><h3>${title}</h3>
              <dl>${keys.map(([key, label]) => html`<div><dt>${key.split(" ").map((part) => html`<kbd>${part}</kbd>`)}</dt><dd>${label}</dd></div>`)}</dl>
            </section>`,
          )}
        </div>
      </div>`;
  });
