// All sessions, live and over.

import { whoFilters } from "../components/filters.js";
import { lazyActions, lazyPanel, listPage, ListState } from "../components/list-page.js";
import { age, button, moment, state } from "../components/small.js";
import { can, currentRoute, directory, html, nameOf, nothing, optionsOf, t, word } from "../core.js";
import { shop } from "../shop.js";
import { currentRowId } from "../shortcuts.js";
import { auditLink, deviceLink, personLink } from "./menus.js";
import { ownMark } from "./session-row.js";

const { endAll, endMany, endSession } = lazyActions(() => import("../actions/sessions.js"));
const MOUNTS = ["native", "office", "portos", "kasir", "posstar", "krmpesan", "fiuu", "oauth"];
const KINDS = ["person", "device", "permanent"];
const list = new ListState("sessions");

/** @param {NativeApi.Session} session */
export const sessionState = (session) =>
  session.ended_at ? state("free", word("ended_why", session.ended_why)) : state("good", t("session.live"));

/** Whether the person may end a session that is not over. @param {NativeApi.Session} session */
export const canEnd = (session) => can("sessionDelete") && !session.ended_at;

/** Ends the sessions of the device or the person of the filter, or everybody's. @param {App.Route} route */
function endButton({ query }) {
  if (!can("sessionDelete")) return nothing;
  const device = directory("devices").find((each) => each.id === query.get("device"));
  const user = directory("users").find((each) => each.id === query.get("user"));
  const name = device?.name ?? user?.display_name;
  if (!name) return button("leave", t("session.end_everyone"), () => endAll({ everyone: true }, shop.tenant.name), "danger-quiet");
  return button("leave", t("session.end_all", { name }), () => endAll(device ? { device: device.id } : { user: user.id }, name), "danger-quiet");
}

/** Ends the session of the current row. */
function endCurrent() {
  const session = list.items.find((item) => item.id === (currentRowId() ?? currentRoute().id));
  if (session && canEnd(session)) endSession(session, true);
}

export const page = listPage({
  list,
  panel: lazyPanel(() => import("./session-panel.js")),
  kinds: ["session"],
  also: ["user", "store"],
  sort: "-created_at",
  query: ({ query }) => ({ live: query.get("live") === "all" ? undefined : query.get("live") ?? "true" }),
  columns: () => [
    {
      label: t("session.column.who"),
      cell: (each) => html`<strong>${nameOf(each.user) || each.device?.name || "–"}</strong>
        ${ownMark(each)} ${each.user ? nothing : html`<span class="faint">${t("session.device_itself")}</span>`}`,
    },
    { label: t("field.device"), cell: (each) => (each.user ? each.device?.name ?? html`<span class="faint">${t("session.office")}</span>` : "") },
    { label: t("field.status"), cell: sessionState },
    { label: t("session.column.mount"), class: "wide", cell: (each) => word("mount", each.mount) },
    { label: t("session.column.since"), class: "num", cell: (each) => moment(each.created_at) },
    { label: t("session.column.used"), class: "num", cell: (each) => age(each.last_used_at ?? each.created_at) },
    { label: t("session.column.ends"), class: "num wide", cell: (each) => moment(each.ended_at ?? each.expires_at, t("session.no_end")) },
    list.items.some((each) => each.address) && { label: t("field.address"), class: "num wide", cell: (each) => each.address ?? "" },
  ],
  search: () => t("session.search"),
  filters: () => [
    { name: "live", label: t("session.live_only"), options: [{ value: "false", label: t("session.over") }, { value: "all", label: t("session.live_and_over") }] },
    { name: "mount", label: t("session.column.mount"), options: optionsOf(MOUNTS, (name) => word("mount", name)) },
    { name: "kind", label: t("session.kind"), options: optionsOf(KINDS, (name) => word("session_kind", name)) },
    ...whoFilters(),
    { name: "sort", label: t("sort.newest"), options: optionsOf(["-last_used_at", "created_at"], (name) => t(`sort.${name}`)) },
  ],
  end: endButton,
  rowClass: (session) => (session.ended_at ? "over" : ""),
  actions: (session) => [
    canEnd(session) && { label: t("session.end"), icon: "leave", key: "e", run: () => endSession(session) },
    null,
    personLink(session.user),
    deviceLink(session.device),
    auditLink({ session: session.id }),
  ],
  bulk: () => (can("sessionDelete") ? [{ label: t("session.end"), icon: "leave", run: (items) => endMany(items.filter(canEnd)) }] : []),
  empty: () => ({ key: "sessions", curl: ["GET", "sessions?live=true"], command: "tillgate session list" }),
  keys: () => ({ e: { label: t("session.end"), run: endCurrent } }),
});
