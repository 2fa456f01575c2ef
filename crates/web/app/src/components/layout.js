// The frame around every page: the rail, the top bar, the notices.

import { canAny, formatSeconds, href, html, icon, languages, locale, navigate, nothing, storeOptions, t, valueOf, withQuery } from "../core.js";
import { connection } from "../live.js";
import { prefs, setPrefs } from "../prefs.js";
import { renew, session, signOut } from "../session.js";
import { lazyActions, menuTrigger } from "./lazy.js";
import { optionViews, toastProblem } from "./small.js";

export const { openCalls, openKeys } = lazyActions(() => import("./help.js"));
export const { openSearch } = lazyActions(() => import("./search-all.js"));

/** The pages of the rail, each with the rights of which one is needed to see it. @type {{id: string, icon: string, key?: string, rights: string[], second?: boolean}[]} */
export const pages = [
  { id: "tills", icon: "till", key: "t", rights: [] },
  { id: "sessions", icon: "session", key: "s", rights: ["sessionRead", "sessionDelete"] },
  { id: "people", icon: "people", key: "p", rights: ["userRead"] },
  { id: "roles", icon: "role", key: "r", rights: [] },
  { id: "devices", icon: "device", key: "d", rights: [] },
  { id: "tickets", icon: "ticket", key: "k", rights: [] },
  { id: "audit", icon: "audit", key: "a", rights: ["auditRead"] },
  { id: "api-keys", icon: "key", rights: ["apiKeyCreate", "apiKeyUpdate", "apiKeyDelete"], second: true },
  { id: "stores", icon: "store", rights: [], second: true },
  { id: "settings", icon: "settings", rights: ["tenantUpdate"], second: true },
];

/** @param {App.Route} route @param {string} title @param {any} content */
export const layout = (route, title, content) => html`
  <a class="skip" href="#main" @click=${(/** @type {Event} */ event) => (event.preventDefault(), document.getElementById("main")?.focus())}>${t("skip")}</a>
  <nav class="rail ${prefs.folded ? "folded" : ""}" aria-label=${t("nav.label")}>
    <a class="brand" href=${href("tills")}>${icon("brand")}<span>tillgate</span></a>
    <ul>${pages.filter((page) => canAny(page.rights)).map((page) => railItem(page, route.page === page.id))}</ul>
    <button class="fold" aria-expanded=${String(!prefs.folded)} @click=${() => setPrefs({ folded: !prefs.folded })}>
      ${icon(prefs.folded ? "unfold" : "fold")}<span>${t("nav.fold")}</span>
    </button>
  </nav>
  <header class="top">
    <h1>${title}</h1>
    ${storePicker(route)}
    <span class="fill"></span>
    <button class="icon-button" aria-label=${t("search.title")} title="${t("search.title")} (Ctrl K)" @click=${openSearch}>${icon("search")}</button>
    ${lamp()}
    <button class="icon-button" aria-label=${t("as_call.title")} title=${t("as_call.title")} @click=${openCalls}>${icon("code")}</button>
    <button class="icon-button wide-only" aria-label=${t("keys.title")} title="${t("keys.title")} (?)" @click=${openKeys}>${icon("keyboard")}</button>
    ${menuTrigger(personMenu, { look: "person", name: t("person.menu"), title: t("person.menu") }, html`
      <span class="avatar" aria-hidden="true">${initials(session.user?.display_name ?? "")}</span>
      <span class="person-name">${session.user?.display_name}</span>`)}
  </header>
  <main id="main" tabindex="-1">${notices()}${content}</main>`;

/** @param {typeof pages[number]} page @param {boolean} isCurrent */
const railItem = (page, isCurrent) => html`
  <li class=${page.second ? "second" : ""}>
    <a href=${href(page.id)} aria-current=${isCurrent ? "page" : nothing} title=${prefs.folded ? t(`nav.${page.id}`) : nothing}>
      ${icon(page.icon)}<span>${t(`nav.${page.id}`)}</span>
    </a>
  </li>`;

/** Whether a page can show one store alone. @param {string} page */
export const hasStorePicker = (page) => ["tills", "sessions", "people", "devices", "tickets", "audit"].includes(page);

/** @param {App.Route} route */
function storePicker(route) {
  const stores = storeOptions();
  if (stores.length < 2 || !hasStorePicker(route.page)) return nothing;
  const pick = (/** @type {Event} */ event) => navigate(withQuery({ store: valueOf(event) || null }, null));
  return html`
    <label class="store-picker">${icon("store")}<span class="visually-hidden">${t("store.pick")}</span>
      <select @change=${pick}>${optionViews([{ value: "", label: t("store.all") }, ...stores], route.query.get("store") ?? "")}</select>
    </label>`;
}

function lamp() {
  const { state, answeredAt } = connection;
  const since = formatSeconds(new Date(answeredAt).toISOString());
  return html`<span class="lamp ${state}" role="status" title=${t(`live.${state}.hint`, { time: since })}>
    <span class="lamp-mark" aria-hidden="true"></span><span>${t(`live.${state}`, { time: since })}</span></span>`;
}

/** @param {string} tone @param {string} role @param {string} symbol @param {string} text @param {any} [action] */
const notice = (tone, role, symbol, text, action = nothing) =>
  html`<p class="notice ${tone}" role=${role}>${icon(symbol)}${text} ${action}</p>`;

function notices() {
  const reload = html`<button class="button small" @click=${() => location.reload()}>${t("outdated.reload")}</button>`;
  const stay = html`<button class="button small" @click=${renew}>${t("idle.stay")}</button>`;
  return html`
    ${connection.state === "offline" ? notice("notice-bad", "alert", "alert", t("offline.text")) : nothing}
    ${session.outdated ? notice("", "status", "info", t("outdated.text"), reload) : nothing}
    ${session.warns ? notice("notice-warn", "alert", "clock", t("idle.text"), stay) : nothing}`;
}

/** A choice of the menu that is kept in this browser. @param {string} label @param {boolean} checked @param {Parameters<typeof setPrefs>[0]} change @param {() => void} [then] */
const choice = (label, checked, change, then = () => {}) => ({ label, checked, run: () => (setPrefs(change), then()) });

/** @returns {App.MenuItem[]} */
function personMenu() {
  const isCompact = prefs.density === "compact";
  return [
    { label: t("nav.profile"), icon: "person", href: href("profile") },
    null,
    ...["auto", "light", "dark"].map((theme) => choice(t(`theme.${theme}`), prefs.theme === theme, { theme })),
    null,
    choice(t("density.compact"), isCompact, { density: isCompact ? "comfortable" : "compact" }),
    null,
    ...Object.entries(languages).map(([tag, label]) => choice(label, locale() === tag, { locale: tag }, () => location.reload())),
    null,
    { label: t("keys.title"), icon: "keyboard", key: "?", run: openKeys },
    { label: t("sign_out"), icon: "leave", run: () => signOut().catch(toastProblem) },
  ];
}

/** @param {string} name */
const initials = (name) =>
  name.split(/\s+/).filter(Boolean).slice(0, 2).map((part) => [...part][0]?.toUpperCase()).join("");
