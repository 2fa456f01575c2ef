// The frame around every page: the rail, the top bar, the notices.

import { button, canAny, entry, formatSeconds, href, html, icon, iconButton, languages, lazyActions, locale, menuTrigger,
  navigate, nothing, optionViews, renew, session, signOut, storeOptions, t, toastProblem, valueOf, withQuery } from "../core.js";
import { connection } from "../live.js";
import { prefs, setPrefs } from "../prefs.js";

export const { openCalls, openKeys } = lazyActions(() => import("./help.js"));
export const { openSearch } = lazyActions(() => import("./search-all.js"));

/** The pages of the rail. @type {App.RailPage[]} */
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

function skip(/** @type {Event} */ event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** @param {App.Route} route @param {string} title @param {any} content */
export const layout = (route, title, content) => html`
  <a class="skip" href="#main" @click=${skip}>${t("skip")}</a>
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
    ${iconButton("search", t("search.title"), openSearch, { title: `${t("search.title")} (Ctrl K)` })}
    ${lamp()}
    ${iconButton("code", t("as_call.title"), openCalls, { title: t("as_call.title") })}
    ${iconButton("keyboard", t("keys.title"), openKeys, { title: `${t("keys.title")} (?)`, look: "wide-only" })}
    ${menuTrigger(personMenu, { look: "person", name: t("person.menu"), title: t("person.menu") }, html`
      <span class="avatar" aria-hidden="true">${initials(session.user?.display_name ?? "")}</span>
      <span class="person-name">${session.user?.display_name}</span>`)}
  </header>
  <main id="main" tabindex="-1">${notices()}${content}</main>`;

function railItem(/** @type {App.RailPage} */ { id, icon: symbol, second }, /** @type {boolean} */ isCurrent) {
  const name = t(`nav.${id}`);
  return html`
    <li class=${second ? "second" : ""}>
      <a href=${href(id)} aria-current=${isCurrent ? "page" : nothing} title=${prefs.folded ? name : nothing}>
        ${icon(symbol)}<span>${name}</span>
      </a>
    </li>`;
}

/** Whether a page can show one store alone. @param {string} page */
export const hasStorePicker = (page) => ["tills", "sessions", "people", "devices", "tickets", "audit"].includes(page);

function storePicker(/** @type {App.Route} */ route) {
  const stores = storeOptions();
  if (stores.length < 2 || !hasStorePicker(route.page)) return nothing;
  const pick = (/** @type {Event} */ event) => navigate(withQuery({ store: valueOf(event) || null }, null));
  return html`
    <label class="store-picker">${icon("store")}<span class="visually-hidden">${t("store.pick")}</span>
      <select @change=${pick}>
        ${optionViews([{ value: "", label: t("store.all") }, ...stores], route.query.get("store") ?? "")}</select>
    </label>`;
}

function lamp() {
  const { state, answeredAt } = connection;
  const since = formatSeconds(new Date(answeredAt));
  return html`<span class="lamp ${state}" role="status" title=${t(`live.${state}.hint`, { time: since })}>
    <span class="lamp-mark" aria-hidden="true"></span><span>${t(`live.${state}`, { time: since })}</span></span>`;
}

/** @param {boolean} shows @param {string} tone @param {string} symbol @param {string} key
 * @param {any} [action] */
const notice = (shows, tone, symbol, key, action) =>
  shows ? html`<p class="notice ${tone}" role=${tone ? "alert" : "status"}>${icon(symbol)}${t(key)} ${action}</p>` : nothing;

const notices = () => [
  notice(connection.state === "offline", "notice-bad", "alert", "offline.text"),
  notice(session.outdated, "", "info", "outdated.text", button("", t("outdated.reload"), () => location.reload(), "small")),
  notice(session.warns, "notice-warn", "clock", "idle.text", button("", t("idle.stay"), renew, "small")),
];

/** A choice of the menu that is kept in this browser. @param {string} label
 * @param {boolean} checked @param {App.Values} change */
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
    entry("sign_out", "leave", () => signOut().catch(toastProblem)),
  ];
}

const initials = (/** @type {string} */ name) =>
  name.split(/\s+/).filter(Boolean).slice(0, 2).map((part) => [...part][0]?.toUpperCase()).join("");
