// @ts-check
// All sessions, live and over.

import { endAll, endMany, endSession } from "../actions/sessions.js";
import { call } from "../api.js";
import { Detail } from "../components/detail.js";
import { filterBar } from "../components/filters.js";
import { icon } from "../components/icon.js";
import { ListState, tableView } from "../components/list.js";
import { facts, panel } from "../components/panel.js";
import { age, emptyBox, idText, moment, problemBox, skeleton, state } from "../components/small.js";
import { directory, nameOf } from "../directory.js";
import { t, word } from "../i18n.js";
import { can } from "../rights.js";
import { currentRoute, href, withQuery } from "../router.js";
import { shop } from "../shop.js";
import { currentRowId } from "../shortcuts.js";
import { formatDuration, formatExact } from "../time.js";
import { html, nothing } from "../view.js";
import { eventList } from "./event-list.js";

const MOUNTS = ["native", "office", "portos", "kasir", "posstar", "krmpesan", "fiuu", "oauth"];

const list = new ListState("sessions");
const detail = new Detail("sessions");

/** @param {import("../router.js").Route} route */
function queryOf({ query }) {
  const live = query.get("live") ?? "true";
  const known = ["device", "user", "mount", "kind", "search", "store"];
  const filters = Object.fromEntries(known.map((name) => [name, query.get(name)]).filter(([, value]) => value));
  return { ...filters, sort: "-created_at", live: live === "all" ? undefined : live };
}

/** @param {import("../router.js").Route} route @param {boolean} refresh */
async function load(route, refresh) {
  await Promise.all([list.show(queryOf(route), refresh), detail.load(route.id)]);
}

/** @param {any} session */
const sessionState = (session) =>
  session.ended_at ? state("free", word("ended_why", session.ended_why)) : state("good", t("session.live"));

/** @param {any} session */
const canEnd = (session) => can("sessionDelete") && !session.ended_at;

const columns = () => [
  {
    key: "who",
    label: t("session.column.who"),
    cell: (/** @type {any} */ each) => html`<strong>${nameOf(each.user) || each.device?.name || "–"}</strong>
      ${each.user ? nothing : html`<span class="faint">${t("session.device_itself")}</span>`}`,
  },
  { key: "device", label: t("field.device"), cell: (/** @type {any} */ each) => (each.user ? each.device?.name ?? html`<span class="faint">${t("session.office")}</span>` : "") },
  { key: "state", label: t("field.status"), cell: sessionState },
  { key: "mount", label: t("session.column.mount"), class: "wide", cell: (/** @type {any} */ each) => word("mount", each.mount) },
  { key: "created", label: t("session.column.since"), class: "num", cell: (/** @type {any} */ each) => moment(each.created_at) },
  { key: "used", label: t("session.column.used"), class: "num", cell: (/** @type {any} */ each) => age(each.last_used_at ?? each.created_at) },
  {
    key: "ends",
    label: t("session.column.ends"),
    class: "num wide",
    cell: (/** @type {any} */ each) => (each.ended_at ? moment(each.ended_at) : moment(each.expires_at, t("session.no_end"))),
  },
  ...(list.items.some((each) => each.address) ? [{ key: "address", label: t("field.address"), class: "num wide", cell: (/** @type {any} */ each) => each.address ?? "" }] : []),
];

const filters = () => [
  {
    name: "live",
    label: t("session.live_only"),
    options: [
      { value: "false", label: t("session.over") },
      { value: "all", label: t("session.live_and_over") },
    ],
  },
  { name: "mount", label: t("session.column.mount"), options: MOUNTS.map((value) => ({ value, label: word("mount", value) })) },
  { name: "device", label: t("field.device"), options: directory("devices").map(({ id, name }) => ({ value: id, label: name })) },
  ...(can("userRead") ? [{ name: "user", label: t("field.user"), options: directory("users").map((user) => ({ value: user.id, label: user.display_name })) }] : []),
];

/** @param {import("../router.js").Route} route */
function view(route) {
  const { query } = route;
  const end = html`${can("sessionDelete")
    ? html`<button class="button danger-quiet" @click=${() => endFiltered(query)}>${icon("leave")}${endLabel(query)}</button>`
    : nothing}`;
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
      ${route.id ? sessionPanel(route.id) : nothing}
    </div>`;
}

/** @param {any} session */
const menu = (session) => [
  ...(canEnd(session) ? [{ label: t("session.end"), icon: "leave", key: "e", run: () => endSession(session) }, null] : []),
  ...(session.user && can("userRead") ? [{ label: t("board.open_person"), icon: "person", href: href("people", session.user.id) }] : []),
  ...(session.device ? [{ label: t("device.open"), icon: "device", href: href("devices", session.device.id) }] : []),
  ...(can("auditRead") ? [{ label: t("nav.audit"), icon: "audit", href: href("audit", null, { session: session.id }) }] : []),
];

/** @param {URLSearchParams} query */
function endLabel(query) {
  const device = directory("devices").find((each) => each.id === query.get("device"));
  const user = directory("users").find((each) => each.id === query.get("user"));
  const name = device?.name ?? user?.display_name;
  return name ? t("session.end_all", { name }) : t("session.end_everyone");
}

/** @param {URLSearchParams} query */
function endFiltered(query) {
  const device = directory("devices").find((each) => each.id === query.get("device"));
  const user = directory("users").find((each) => each.id === query.get("user"));
  const count = list.next ? null : list.items.filter((each) => !each.ended_at).length;
  if (device) return endAll({ device: device.id }, device.name, count);
  if (user) return endAll({ user: user.id }, user.display_name, count);
  return endAll({ everyone: true }, shop.tenant.name, null);
}

/** @param {string} id */
function sessionPanel(id) {
  const session = detail.data;
  if (!session) return panel({ title: "…", body: detail.error ? problemBox(detail.error, () => detail.load(id)) : skeleton() });
  const events = can("auditRead")
    ? detail.extra("events", async () => (await call("GET", "audit-events", { query: { session: id, limit: 25 } })).data.items)
    : null;
  return panel({
    title: nameOf(session.user) || session.device?.name || t("nav.sessions"),
    subtitle: [session.user && session.device?.name, word("mount", session.mount)].filter(Boolean).join(" · "),
    state: sessionState(session),
    actions: canEnd(session) ? html`<button class="button" @click=${() => endSession(session)}>${icon("leave")}${t("session.end")}</button>` : undefined,
    body: html`
      ${facts([
        [t("session.column.since"), html`${formatExact(session.created_at)} <span class="faint">${formatDuration(session.created_at, session.ended_at)}</span>`],
        [t("session.column.used"), age(session.last_used_at ?? session.created_at)],
        session.ended_at
          ? [t("session.ended_at"), html`${formatExact(session.ended_at)} <span class="faint">${word("ended_why", session.ended_why)}</span>`]
          : [t("session.column.ends"), moment(session.expires_at, t("session.no_end"))],
        session.kind ? [t("session.kind"), word("session_kind", session.kind)] : null,
        session.address ? [t("field.address"), html`<span class="num">${session.address}</span>`] : null,
        session.methods ? [t("session.methods"), session.methods.map((/** @type {string} */ name) => word("method", name)).join(", ")] : null,
        session.proved_at ? [t("session.proved_at"), age(session.proved_at)] : null,
        [t("field.id"), idText(session.id)],
      ])}
      ${events ? html`<h3>${t("session.timeline")}</h3>${eventList(events.value, href("audit", null, { session: id }))}` : nothing}`,
  });
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
