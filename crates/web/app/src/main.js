// Starts the app: texts, session, pages.

import { render } from "../vendor/lit-html/lit-html.js";
import { hasStorePicker, layout, openKeys, openSearch, pages } from "./components/layout.js";
import { canAny, chooseLocale, currentRoute, hasStatus, hooks, html, loadCurrent, loadDirectory, loadErrors, loadLocale,
  loadSession, loadShop, onPaint, Problem, problemBox, problemView, repaint, session, setZone, shop, skeleton, startRouter, t,
  toastList, zoneOfStore } from "./core.js";
import { onChange, startLive } from "./live.js";
import { applyPrefs, prefs } from "./prefs.js";
import { startShortcuts } from "./shortcuts.js";

/** The pages that are not in the rail. @type {Record<string, string[]>} */
const others = { profile: [], enroll: ["deviceEnroll"] };

/** The rights of which one is needed to see a page; undefined if there is no such page. */
const rightsFor = (/** @type {string} */ name) => others[name] ?? pages.find(({ id }) => id === name)?.rights;
const isAllowed = (/** @type {string} */ name) => canAny(rightsFor(name) ?? []);
/** Shows times in the zone of the selected store, or of the shop. */
const usePlace = (/** @type {App.Route} */ { page: name, query }) =>
  setZone((hasStorePicker(name) && zoneOfStore(query.get("store"))) || shop.tenant.zone);

/** Loads the module of a page. If it cannot be read, the server was not reached, or has other files
 * after an update. @param {string} name @returns {Promise<{page: App.Page}>} */
const loadPage = (name) =>
  import(`./pages/${name}.js`).catch(() => {
    throw new Problem(0, session.outdated ? { code: "outdated" } : {});
  });

const REFRESH_DELAY = 250;
const MIN_RETRY_DELAY = 1_000;
const AGES_INTERVAL = 30_000;

/** The language that the person chose on a page such as that for signing in. */
const chosenLocale = /(?:^|; )tillgate-locale=(\w+)/.exec(document.cookie)?.[1];

let page = /** @type {App.Page | null} */ (null);
let failure = /** @type {unknown} */ (null);
let refreshTimer = 0;

async function start() {
  applyPrefs();
  await loadLocale(chooseLocale([prefs.locale, chosenLocale, ...navigator.languages]));
  const root = /** @type {HTMLElement} */ (document.getElementById("app"));
  const toasts = document.createElement("div");
  document.body.append(toasts);
  onPaint(() => render(app(), root));
  onPaint(() => render(toastList(), toasts));
  root.replaceChildren();
  if (!(await loadSession())) return;
  await loadShop();
  if (!prefs.locale && !chosenLocale) await useLocaleOfPerson();
  await loadDirectory("stores");
  hooks.refresh = refreshPage;
  hooks.unavailable = (seconds) => refreshIn(MIN_RETRY_DELAY + seconds * 1_000);
  startShortcuts({ pages, page: () => page?.keys?.() ?? {}, help: openKeys, search: openSearch });
  onChange(follow);
  startLive();
  startRouter(open);
  loadErrors().then(repaint, () => {});
  setInterval(repaint, AGES_INTERVAL);
}

/** Without a choice here, the language is the person's, the browser's, or the tenant's. */
async function useLocaleOfPerson() {
  const wanted = chooseLocale([session.user.locale, ...navigator.languages, shop.tenant.locale]);
  if (wanted !== document.documentElement.lang) await loadLocale(wanted);
}

async function open(/** @type {App.Route} */ route) {
  usePlace(route);
  try {
    if (!rightsFor(route.page)) throw new Problem(404, { code: "route_unknown" });
    const { page: next } = await loadPage(route.page);
    const isOther = next !== page;
    page = next;
    failure = null;
    document.title = `${t(`nav.${route.page}`)} · ${shop.tenant.name} · tillgate`;
    if (isOther) {
      scrollTo(0, 0);
      document.getElementById("main")?.focus({ preventScroll: true });
    }
    repaint();
    const nearest = /** @type {const} */ ({ inline: "nearest", block: "nearest" });
    requestAnimationFrame(() => document.querySelector(".rail [aria-current]")?.scrollIntoView(nearest));
    if (isAllowed(route.page)) await next.load(route, false);
  } catch (error) {
    failure = error;
  }
  repaint();
}

function follow(/** @type {App.Change} */ { kind, id }) {
  if (kind === "user" && id === session.user?.id) loadCurrent().catch(() => {});
  if (!page || (kind !== "*" && !page.kinds.includes(kind))) return;
  refreshIn(REFRESH_DELAY);
}

function refreshIn(/** @type {number} */ delay) {
  clearTimeout(refreshTimer);
  refreshTimer = setTimeout(() => refreshPage("live"), delay);
}

/** Reads what the page shows again. @param {App.Refresh} [refresh] */
async function refreshPage(refresh = true) {
  const route = currentRoute();
  if (hasStatus(failure, 0)) return open(route);
  if (page && isAllowed(route.page)) await page.load(route, refresh);
  repaint();
}

function app() {
  const reload = () => location.reload();
  if (!shop.tenant) return failure ? html`<main class="boot-problem">${problemView(failure, reload)}</main>` : skeleton();
  const route = currentRoute();
  usePlace(route);
  const title = t(failure || !page ? "nav.label" : `nav.${route.page}`);
  let content;
  if (failure) content = problemBox(failure, () => open(route));
  else if (!page) content = skeleton();
  else if (!isAllowed(route.page)) {
    const right = rightsFor(route.page)?.[0];
    content = problemBox(new Problem(403, { code: "right_missing", right }), reload);
  } else content = page.view(route);
  return html`<div class="app">${layout(route, title, content)}</div>`;
}

start().catch((error) => {
  failure = error;
  repaint();
});
