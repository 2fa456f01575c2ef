// Starts the app: texts, session, pages.

import { render } from "../vendor/lit-html/lit-html.js";
import { hasStorePicker, layout, openKeys, openSearch, pages } from "./components/layout.js";
import { problemBox, problemView, skeleton } from "./components/small.js";
import { canAny, chooseLocale, currentRoute, hooks, html, loadDirectory, loadErrors, loadLocale, onPaint, Problem, repaint, setZone, startRouter, t, toastList, zoneOfStore } from "./core.js";
import { onChange, startLive } from "./live.js";
import { applyPrefs, prefs } from "./prefs.js";
import { loadCurrent, loadSession, session } from "./session.js";
import { startShortcuts } from "./shortcuts.js";
import { loadShop, onRefresh, shop } from "./shop.js";

/** The pages that are not in the rail. @type {Record<string, string[]>} */
const others = { profile: [], enroll: ["deviceEnroll"] };

/** The rights of which one is needed to see a page; undefined if there is no page with this name, which is that of its module. @param {string} name */
const rightsFor = (name) => others[name] ?? pages.find(({ id }) => id === name)?.rights;

/** Whether the person may see the page with this name. @param {string} name */
const isAllowed = (name) => canAny(rightsFor(name) ?? []);

/** Shows times in the zone of the store that is selected on the page, or of the shop. @param {App.Route} route */
const usePlace = ({ page: name, query }) =>
  setZone((hasStorePicker(name) && zoneOfStore(query.get("store"))) || shop.tenant.zone);

/** @param {string} name @returns {Promise<{page: App.Page}>} */
const loadPage = (name) => import(`./pages/${name}.js`);

const REFRESH_DELAY = 250;
const MIN_RETRY_DELAY = 1_000;
const AGES_INTERVAL = 30_000;

/** The language that the person chose on a page such as that for signing in. */
const chosenLocale = /(?:^|; )tillgate-locale=(\w+)/.exec(document.cookie)?.[1];

/** @type {App.Page | null} */
let page = null;
/** @type {unknown} */
let failure = null;
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
  onRefresh(refreshPage);
  hooks.unavailable = (seconds) => refreshIn(MIN_RETRY_DELAY + seconds * 1_000);
  startShortcuts({ pages, page: () => page?.keys?.() ?? {}, help: openKeys, search: openSearch });
  onChange(follow);
  startLive();
  startRouter(open);
  loadErrors().then(repaint, () => {});
  setInterval(repaint, AGES_INTERVAL);
}

/** Without an own choice in this browser, the language is the person's, then the browser's, then the tenant's. */
async function useLocaleOfPerson() {
  const wanted = chooseLocale([session.user.locale, ...navigator.languages, shop.tenant.locale]);
  if (wanted !== document.documentElement.lang) await loadLocale(wanted);
}

/** @param {App.Route} route */
async function open(route) {
  usePlace(route);
  try {
    if (!rightsFor(route.page)) throw new Problem(404, { code: "route_unknown" });
    // a module that cannot be read means that the server was not reached, or has other files after an update
    const next = (await loadPage(route.page).catch(() => Promise.reject(new Problem(0, session.outdated ? { code: "outdated" } : {})))).page;
    const isOther = next !== page;
    page = next;
    failure = null;
    document.title = `${t(`nav.${route.page}`)} · ${shop.tenant.name} · tillgate`;
    if (isOther) {
      scrollTo(0, 0);
      document.getElementById("main")?.focus({ preventScroll: true });
    }
    repaint();
    requestAnimationFrame(() => document.querySelector(".rail [aria-current]")?.scrollIntoView({ inline: "nearest", block: "nearest" }));
    if (isAllowed(route.page)) await next.load(route, false);
  } catch (error) {
    failure = error;
  }
  repaint();
}

/** @param {App.Change} change */
function follow({ kind, id }) {
  if (kind === "user" && id === session.user?.id) loadCurrent().catch(() => {});
  if (!page || (kind !== "*" && !page.kinds.includes(kind))) return;
  refreshIn(REFRESH_DELAY);
}

/** Reads what the page shows again after a delay. @param {number} delay */
function refreshIn(delay) {
  clearTimeout(refreshTimer);
  refreshTimer = setTimeout(() => refreshPage("live"), delay);
}

/** Reads what the page shows again. @param {App.Refresh} [refresh] */
async function refreshPage(refresh = true) {
  if (failure instanceof Problem && failure.status === 0) return open(currentRoute());
  const route = currentRoute();
  if (page && isAllowed(route.page)) await page.load(route, refresh);
  repaint();
}

function app() {
  if (!shop.tenant) return failure ? html`<main class="boot-problem">${problemView(failure, () => location.reload())}</main>` : skeleton();
  const route = currentRoute();
  usePlace(route);
  const title = t(failure || !page ? "nav.label" : `nav.${route.page}`);
  let content;
  if (failure) content = problemBox(failure, () => open(route));
  else if (!page) content = skeleton();
  else if (!isAllowed(route.page)) {
    content = problemBox(new Problem(403, { code: "right_missing", right: rightsFor(route.page)?.[0] }), () => location.reload());
  } else content = page.view(route);
  return html`<div class="app">${layout(route, title, content)}</div>`;
}

start().catch((error) => {
  failure = error;
  repaint();
});
