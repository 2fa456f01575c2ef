// All sessions, live and over.

import { column, listPage, ListState, whoFilters, wordFilter } from "../components/list-page.js";
import { age, button, can, currentRoute, entry, faint, findItem, html, lazyActions, lazyPanel, moment, nameOf, nothing, shop,
  state, t, word } from "../core.js";
import { currentRowId } from "../shortcuts.js";
import { auditLink, deviceLink, personLink } from "./menus.js";
import { ownMark } from "./session-row.js";

const { endAll, endMany, endSession } = lazyActions(() => import("../actions/sessions.js"));
const MOUNTS = ["native", "office", "portos", "kasir", "posstar", "krmpesan", "fiuu", "oauth"];
const list = new ListState("sessions");

export const sessionState = (/** @type {Session} */ session) =>
  session.ended_at ? state("free", word("ended_why", session.ended_why)) : state("good", t("session.live"));
/** Whether the person may end a session that is not over. @param {Session} session */
export const canEnd = (session) => can("sessionDelete") && !session.ended_at;

/** Ends the sessions of the device or the person of the filter, or everybody's. */
function endButton(/** @type {App.Route} */ { query }) {
  if (!can("sessionDelete")) return nothing;
  const device = findItem("devices", query.get("device"));
  const user = findItem("users", query.get("user"));
  const name = device?.name ?? user?.display_name;
  const whose = device ? { device: device.id } : user ? { user: user.id } : { everyone: true };
  const label = name ? t("session.end_all", { name }) : t("session.end_everyone");
  return button("leave", label, () => endAll(whose, name ?? shop.tenant.name), "danger-quiet");
}

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
    column("session.column.who", (each) => html`<strong>${nameOf(each.user) || each.device?.name || "–"}</strong>
      ${ownMark(each)} ${each.user ? nothing : faint(t("session.device_itself"))}`),
    column("field.device", (each) => (each.user ? each.device?.name ?? faint(t("session.office")) : "")),
    column("field.status", sessionState),
    column("field.dialect", (each) => word("mount", each.mount), "wide"),
    column("session.column.since", (each) => moment(each.created_at), "num"),
    column("session.column.used", (each) => age(each.last_used_at ?? each.created_at), "num"),
    column("session.column.ends", (each) => moment(each.ended_at ?? each.expires_at, t("session.no_end")), "num wide"),
    list.items.some(({ address }) => address) && column("field.address", (each) => each.address ?? "", "num wide"),
  ],
  search: () => t("session.search"),
  filters: () => [
    wordFilter("live", t("session.live_only"), "session.live", ["false", "all"]),
    wordFilter("mount", t("field.dialect"), "mount", MOUNTS),
    wordFilter("kind", t("session.kind"), "session_kind", ["person", "device", "permanent"]),
    ...whoFilters(),
    wordFilter("sort", t("sort.newest"), "sort", ["-last_used_at", "created_at"]),
  ],
  end: endButton,
  rowClass: (session) => (session.ended_at ? "over" : ""),
  actions: (session) => [
    canEnd(session) && entry("session.end", "leave", () => endSession(session), { key: "e" }),
    null,
    personLink(session.user),
    deviceLink(session.device),
    auditLink({ session: session.id }),
  ],
  bulk: () => [
    can("sessionDelete") && { label: t("session.end"), icon: "leave", run: (items) => endMany(items.filter(canEnd)) },
  ],
  empty: () => ({ key: "sessions", curl: ["GET", "sessions?live=true"], command: "tillgate session list" }),
  keys: () => ({ e: { label: t("session.end"), run: endCurrent } }),
});
