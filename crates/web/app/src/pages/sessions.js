// @ts-check
// All sessions, live and over.

import { endAll, endMany, endSession } from "../actions/sessions.js";
import { filterBar, whoFilters } from "../components/filters.js";
import { icon } from "../components/icon.js";
import { lazyPanel } from "../components/lazy.js";
import { ListState, tableView } from "../components/list.js";
import { age, emptyBox, moment, state } from "../components/small.js";
import { directory, nameOf } from "../directory.js";
import { optionsOf, t, word } from "../i18n.js";
import { can } from "../rights.js";
import { currentRoute, href, pickQuery, withQuery } from "../router.js";
import { shop } from "../shop.js";
import { currentRowId } from "../shortcuts.js";
import { html, nothing } from "../view.js";

const MOUNTS = ["native", "office", "portos", "kasir", "posstar", "krmpesan", "fiuu", "oauth"];

const list = new ListState("sessions");
const sessionPanel = lazyPanel(() => import("./session-panel.js"));

/** @param {NativeApi.Session} session */
export const sessionState = (session) =>
  session.ended_at ? state("free", word("ended_why", session.ended_why)) : state("good", t("session.live"));

/** Whether the person may end a session that is not over. @param {NativeApi.Session} session */
export const canEnd = (session) => can("sessionDelete") && !session.ended_at;

/** @param {import("../router.js").Route} route */
function queryOf(route) {
  const live = route.query.get("live") ?? "true";
  const filters = pickQuery(route, ["device", "user", "mount", "kind", "search", "store"]);
  return { ...filters, sort: "-created_at", live: live === "all" ? undefined : live };
}

/** @param {import("../router.js").Route} route @param {boolean} refresh */
async function load(route, refresh) {
  await Promise.all([list.show(queryOf(route), refresh), sessionPanel.load(route.id)]);
}

/** @returns {import("../components/list.js").Column[]} */
const columns = () => [
  {
    key: "who",
    label: t("session.column.who"),
    cell: (each) => html`<strong>${nameOf(each.user) || each.device?.name || "–"}</strong>
      ${each.user ? nothing : html`<span class="faint">${t("session.device_itself")}</span>`}`,
  },
  { key: "device", label: t("field.device"), cell: (each) => (each.user ? each.device?.name ?? html`<span class="faint">${t("session.office")}</span>` : "") },
  { key: "state", label: t("field.status"), cell: sessionState },
  { key: "mount", label: t("session.column.mount"), class: "wide", cell: (each) => word("mount", each.mount) },
  { key: "created", label: t("session.column.since"), class: "num", cell: (each) => moment(each.created_at) },
  { key: "used", label: t("session.column.used"), class: "num", cell: (each) => age(each.last_used_at ?? each.created_at) },
  { key: "ends", label: t("session.column.ends"), class: "num wide", cell: (each) => moment(each.ended_at ?? each.expires_at, t("session.no_end")) },
  ...(list.items.some((each) => each.address) ? [{ key: "address", label: t("field.address"), class: "num wide", cell: (/** @type {any} */ each) => each.address ?? "" }] : []),
];

const filters = () => [
  { name: "live", label: t("session.live_only"), options: [{ value: "false", label: t("session.over") }, { value: "all", label: t("session.live_and_over") }] },
  { name: "mount", label: t("session.column.mount"), options: optionsOf(MOUNTS, (name) => word("mount", name)) },
  ...whoFilters(),
];

/** @param {import("../router.js").Route} route */
function view(route) {
  const { query } = route;
  const target = filteredTarget(query);
  const end = can("sessionDelete")
    ? html`<button class="button danger-quiet" @click=${() => endFiltered(target)}>${icon("leave")}${target ? t("session.end_all", { name: target.name }) : t("session.end_everyone")}</button>`
    : nothing;
  return html`
    <div class="split">
      <div class="page">
        ${filterBar({ search: t("session.search"), filters: filters(), end })}
        ${tableView(list, {
          columns: columns(),
          label: t("nav.sessions"),
          rowHref: (item) => withQuery({}, item.id),
          openId: route.id,
          rowClass: (item) => (item.ended_at ? "over" : ""),
          actions: menu,
          bulk: can("sessionDelete") ? [{ label: t("session.end"), icon: "leave", run: (items) => endMany(items.filter(canEnd)) }] : [],
          empty: () => emptyBox({ title: t("sessions.empty.title"), text: t("sessions.empty.text"), curl: ["GET", "sessions?live=true"], command: "tillgate session list" }),
        })}
      </div>
      ${route.id ? sessionPanel.view(route.id) : nothing}
    </div>`;
}

/** @param {NativeApi.Session} session */
const menu = (session) => [
  ...(canEnd(session) ? [{ label: t("session.end"), icon: "leave", key: "e", run: () => endSession(session) }, null] : []),
  ...(session.user && can("userRead") ? [{ label: t("board.open_person"), icon: "person", href: href("people", session.user.id) }] : []),
  ...(session.device ? [{ label: t("device.open"), icon: "device", href: href("devices", session.device.id) }] : []),
  ...(can("auditRead") ? [{ label: t("nav.audit"), icon: "audit", href: href("audit", null, { session: session.id }) }] : []),
];

/** The device or the person of the filter. @param {URLSearchParams} query */
function filteredTarget(query) {
  const device = directory("devices").find((each) => each.id === query.get("device"));
  if (device) return { whose: { device: device.id }, name: device.name };
  const user = directory("users").find((each) => each.id === query.get("user"));
  return user ? { whose: { user: user.id }, name: user.display_name } : null;
}

/** @param {ReturnType<typeof filteredTarget>} target */
function endFiltered(target) {
  if (!target) return endAll({ everyone: true }, shop.tenant.name, null);
  return endAll(target.whose, target.name, list.next ? null : list.items.filter((each) => !each.ended_at).length);
}

/** @type {import("../main.js").Page} */
export const page = {
  title: () => t("nav.sessions"),
  rights: ["sessionRead", "sessionDelete"],
  kinds: ["session"],
  load,
  view,
  keys: () => ({
    e: {
      label: t("session.end"),
      run: () => {
        const session = list.items.find((item) => item.id === (currentRowId() ?? currentRoute().id));
        if (session && canEnd(session)) endSession(session);
      },
    },
  }),
};
