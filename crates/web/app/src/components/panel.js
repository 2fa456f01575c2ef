// @ts-check
// The panel beside a list, which shows the item that is open.

import { t } from "../i18n.js";
import { currentRoute, withQuery } from "../router.js";
import { html, nothing } from "../view.js";
import { icon } from "./icon.js";
import { problemBox, skeleton } from "./small.js";

/**
 * @param {{
 *   title: any,
 *   subtitle?: any,
 *   state?: any,
 *   actions?: any,
 *   tabs?: {id: string, label: string}[],
 *   body: any,
 *   wide?: boolean,
 * }} options
 */
export function panel({ title, subtitle, state, actions, tabs, body, wide }) {
  const open = openTab(tabs);
  return html`
    <aside class="panel ${wide ? "wide" : ""}" tabindex="-1" aria-label=${t("panel")}>
      <header class="panel-head">
        <div class="panel-title">
          <h2>${title}</h2>
          ${state ?? nothing}
          <span class="fill"></span>
          <a class="icon-button" data-close href=${withQuery({ tab: null }, null)} aria-label=${t("close")}>${icon("close")}</a>
        </div>
        ${subtitle ? html`<p class="muted">${subtitle}</p>` : nothing}
        ${actions ? html`<div class="row">${actions}</div>` : nothing}
        ${tabs
          ? html`<nav class="tabs" aria-label=${t("panel.parts")}>${tabs.map(
              (tab) => html`<a href=${withQuery({ tab: tab.id === tabs[0].id ? null : tab.id })}
                aria-current=${tab.id === open ? "page" : nothing}>${tab.label}</a>`,
            )}</nav>`
          : nothing}
      </header>
      <div class="panel-body">${body}</div>
    </aside>`;
}

/**
 * The panel of an item that is not read yet.
 * @param {{id: string | null, error?: any, load: (id: any) => any}} detail
 * @param {boolean} [wide]
 */
export const loadingPanel = (detail, wide) =>
  panel({ title: "…", wide, body: detail.error ? problemBox(detail.error, () => detail.load(detail.id)) : skeleton() });

/** The id of the tab that is open. @param {{id: string}[] | undefined} tabs */
export function openTab(tabs) {
  const wanted = currentRoute().query.get("tab");
  return tabs?.find((tab) => tab.id === wanted)?.id ?? tabs?.[0].id ?? "";
}

/** Names and values. @param {([string, any] | null)[]} pairs */
export const facts = (pairs) => html`
  <dl class="facts">${pairs.map((pair) => (pair ? html`<div><dt>${pair[0]}</dt><dd>${pair[1] ?? "–"}</dd></div>` : nothing))}</dl>`;
