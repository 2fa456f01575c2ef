// @ts-check
// What was done, by whom, and what was refused.

import { filterBar, whoFilters } from "../components/filters.js";
import { icon } from "../components/icon.js";
import { ListState, tableView } from "../components/list.js";
import { lazyActions, lazyPanel } from "../components/lazy.js";
import { openMenu } from "../components/menu.js";
import { emptyBox, moment } from "../components/small.js";
import { nameOf } from "../directory.js";
import { optionsOf, t, word } from "../i18n.js";
import { pickQuery, withQuery } from "../router.js";
import { PERIODS } from "../time.js";
import { html, nothing } from "../view.js";
import { outcome, sentence } from "./event-words.js";
import { hasSeal, loadSeal, sealStrip } from "./seal.js";

const { exportEvents } = lazyActions(() => import("./audit-export.js"));
const FORMATS = /** @type {const} */ (["csv", "jsonl"]);
const list = new ListState("audit-events");
const eventPanel = lazyPanel(() => import("./event-panel.js"));
const FILTERS = ["user", "device", "session", "action", "outcome", "subject", "search"];

/** The actions of the filter, by group. */
const ACTIONS = [
  "login", "logout", "session.end", "step_up", "right.missing", "password", "unlock", "refresh.replay", "refresh.shared",
  "user.add", "user.update", "user.status", "user.delete", "user.roles", "device.add", "device.update", "device.status",
  "role.add", "role.update", "role.delete", "store.add", "store.update", "store.close", "tenant.update",
  "api_key.add", "api_key.update", "api_key.status", "api_key.use", "api_key.rotate", "api_key.delete",
  "ticket.open", "ticket.update", "ticket.close", "ticket.void", "ticket.refund", "audit.export", "audit.verify", "audit.verified",
];

/** @param {import("../router.js").Route} route */
const queryOf = (route) => ({ ...pickQuery(route, FILTERS), ...PERIODS[route.query.get("period") ?? ""]?.() });

/** @param {import("../router.js").Route} route @param {boolean} refresh */
async function load(route, refresh) {
  const query = queryOf(route);
  loadSeal();
  await Promise.all([list.show(query, refresh), eventPanel.load(route.id)]);
}

/** @returns {import("../components/list.js").Column[]} */
const columns = () => [
  { key: "at", label: t("audit.column.at"), class: "num narrow", cell: (each) => moment(each.at) },
  {
    key: "what",
    label: t("audit.column.what"),
    class: "grow",
    cell: (each) => html`${sentence(each)} ${outcome(each)}
      ${each.approver ? html`<span class="chip">${t("audit.approved_by", { name: nameOf({ id: each.approver }) || "–" })}</span>` : nothing}`,
  },
  { key: "who", label: t("field.user"), class: "wide", cell: (each) => nameOf(each.user) || html`<span class="faint">–</span>` },
  { key: "where", label: t("field.device"), class: "wide", cell: (each) => each.device?.name ?? html`<span class="faint">–</span>` },
  { key: "address", label: t("field.address"), class: "num wide", cell: (each) => each.address ?? "" },
];

const filters = () => [
  { name: "period", label: t("period.all"), options: optionsOf(Object.keys(PERIODS), (name) => t(`period.${name}`)) },
  { name: "outcome", label: t("audit.outcome"), options: optionsOf(["refused", "done"], (name) => t(`audit.${name}`)) },
  { name: "action", label: t("audit.action"), options: optionsOf(ACTIONS, (name) => word("action", name)) },
  ...whoFilters(),
];

/** @param {import("../router.js").Route} route */
function view(route) {
  const query = queryOf(route);
  const [formats, label] = hasSeal() ? [FORMATS, t("audit.export")] : [[], t("print")];
  const exports = [
    ...formats.map((format) => ({ label: t(`audit.export.${format}`), icon: "download", run: () => exportEvents(format, query) })),
    { label: t("print"), icon: "print", run: () => print() },
  ];
  const end = html`<button class="button" aria-haspopup="menu" aria-expanded="false"
    @click=${(/** @type {Event} */ event) => openMenu(event, exports, label)}>${icon(hasSeal() ? "download" : "print")}${label}</button>`;
  return html`
    <div class="split">
      <div class="page">
        ${sealStrip()}
        ${filterBar({ search: t("audit.search"), filters: filters(), end })}
        ${only(route)}
        ${tableView(list, {
          columns: columns(),
          label: t("nav.audit"),
          rowHref: (event) => withQuery({}, event.id),
          openId: route.id,
          rowClass: (event) => (event.outcome === "refused" ? "refused" : ""),
          empty: () => emptyBox({ title: t("audit.empty.title"), text: t("audit.empty.text"), curl: ["GET", "audit-events"], command: "tillgate audit list" }),
        })}
      </div>
      ${route.id ? eventPanel.view(route.id) : nothing}
    </div>`;
}

/** Filters that come from links, not from the bar. @param {import("../router.js").Route} route */
function only({ query }) {
  const session = query.get("session");
  const subject = query.get("subject");
  if (!session && !subject) return nothing;
  return html`<p class="row"><span class="chip">${t(session ? "audit.only_session" : "audit.only_subject")}</span>
    <a href=${withQuery({ session: null, subject: null }, null)}>${t("filter.clear")}</a></p>`;
}

/** @type {import("../main.js").Page} */
export const page = { title: () => t("nav.audit"), rights: ["auditRead"], kinds: ["audit_event"], load, view };
