// The panel beside a list, which shows the item that is open.

import { currentRoute, html, icon, muted, nothing, t, withQuery } from "../core.js";

/** A panel with a body, or with tabs, of which one is open. @param {App.Panel} options */
export function panel({ title, subtitle, state, actions, tabs, body, wide }) {
  const shown = tabs?.filter((tab) => tab !== false) ?? [];
  const closed = withQuery({ tab: null }, null);
  const wanted = currentRoute().query.get("tab");
  const open = shown.find((tab) => tab.id === wanted) ?? shown[0];
  return html`
    <aside class="panel ${wide ? "wide" : ""}" tabindex="-1" aria-label=${t("panel")}>
      <header class="panel-head">
        <div class="panel-title">
          <h2>${title}</h2>
          ${state ?? nothing}
          <span class="fill"></span>
          <a class="icon-button" data-close href=${closed} aria-label=${t("close")}>${icon("close")}</a>
        </div>
        ${subtitle ? muted(subtitle) : nothing}
        ${actions ? html`<div class="row">${actions}</div>` : nothing}
        ${tabs
          ? html`<nav class="tabs" aria-label=${t("panel.parts")}>${shown.map(
              (tab) => html`<a href=${withQuery({ tab: tab === shown[0] ? null : tab.id })}
                aria-current=${tab === open ? "page" : nothing}>${tab.label}</a>`,
            )}</nav>`
          : nothing}
      </header>
      <div class="panel-body">${open ? open.body() : body}</div>
    </aside>`;
}

/** The panel of an item that is not read yet. @param {{placeholder: () => any}} detail */
export const loadingPanel = (detail, wide = false) => panel({ title: "…", wide, body: detail.placeholder() });

/** Names, or the keys of their texts, and values, of what is there. @param {App.Fact[]} pairs */
export const facts = (pairs) => html`
  <dl class="facts">${pairs.map((pair) =>
    pair ? html`<div><dt>${t(pair[0])}</dt><dd>${pair[1] ?? "–"}</dd></div>` : nothing)}</dl>`;
