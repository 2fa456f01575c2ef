// @ts-check
// What was done, by whom, and what was refused.

import { filterBar } from "../components/filters.js";
import { Detail } from "../components/detail.js";
import { icon } from "../components/icon.js";
import { ListState, tableView } from "../components/list.js";
import { lazyActions } from "../components/lazy.js";
import { openMenu } from "../components/menu.js";
import { facts, panel } from "../components/panel.js";
import { emptyBox, idText, moment, problemBox, skeleton } from "../components/small.js";
import { directory, nameOf } from "../directory.js";
import { t, word } from "../i18n.js";
import { can } from "../rights.js";
import { href, withQuery } from "../router.js";
import { formatExact, PERIODS } from "../time.js";
import { html, nothing } from "../view.js";
import { detailText, outcome, sentence, subjectName } from "./event-list.js";
import { hasSeal, loadSeal, sealStrip } from "./seal.js";

const { exportEvents } = lazyActions(() => import("./audit-export.js"));
const FORMATS = /** @type {const} */ (["csv", "jsonl"]);
const list = new ListState("audit-events");
const detail = new Detail("audit-events");
const FILTERS = ["user", "device", "session", "action", "outcome", "subject", "search"];

/** The actions of the filter, by group. */
const ACTIONS = [
  "login", "logout", "session.end", "step_up", "right.missing", "password", "unlock", "refresh.replay", "refresh.shared",
  "user.add", "user.update", "user.status", "user.delete", "user.roles", "device.add", "device.update", "device.status",
  "role.add", "role.update", "role.delete", "store.add", "store.update", "store.close", "tenant.update",
  "api_key.add", "api_key.update", "api_key.status", "api_key.use", "api_key.rotate", "api_key.delete",
  "ticket.open", "ticket.update", "ticket.close", "ticket.void", "ticket.refund", "audit.export", "audit.verify", "audit.verified",
];

/** @param {URLSearchParams} query */
const queryOf = (query) => ({
  ...Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? undefined])),
  ...PERIODS[query.get("period") ?? ""]?.(),
});

/** @param {import("../router.js").Route} route @param {boolean} refresh */
async function load(route, refresh) {
  const query = queryOf(route.query);
  loadSeal();
  await Promise.all([list.show(query, refresh), detail.load(route.id)]);
}

const columns = () => [
  { key: "at", label: t("audit.column.at"), class: "num narrow", cell: (/** @type {any} */ each) => moment(each.at) },
  {
    key: "what",
    label: t("audit.column.what"),
    class: "grow",
    cell: (/** @type {any} */ each) => html`${sentence(each)} ${outcome(each)}
      ${each.approver ? html`<span class="chip">${t("audit.approved_by", { name: nameOf({ id: each.approver }) || "–" })}</span>` : nothing}`,
  },
  { key: "who", label: t("field.user"), class: "wide", cell: (/** @type {any} */ each) => nameOf(each.user) || html`<span class="faint">–</span>` },
  { key: "where", label: t("field.device"), class: "wide", cell: (/** @type {any} */ each) => each.device?.name ?? html`<span class="faint">–</span>` },
  { key: "address", label: t("field.address"), class: "num wide", cell: (/** @type {any} */ each) => each.address ?? "" },
];

const filters = () => [
  { name: "period", label: t("period.all"), options: Object.keys(PERIODS).map((value) => ({ value, label: t(`period.${value}`) })) },
  { name: "outcome", label: t("audit.outcome"), options: ["refused", "done"].map((value) => ({ value, label: t(`audit.${value}`) })) },
  { name: "action", label: t("audit.action"), options: ACTIONS.map((value) => ({ value, label: word("action", value) })) },
  ...(can("userRead") ? [{ name: "user", label: t("field.user"), options: directory("users").map((user) => ({ value: user.id, label: user.display_name })) }] : []),
  { name: "device", label: t("field.device"), options: directory("devices").map(({ id, name }) => ({ value: id, label: name })) },
];

/** @param {import("../router.js").Route} route */
function view(route) {
  const query = queryOf(route.query);
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
      ${route.id ? eventPanel(route.id) : nothing}
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

/** @param {string} id */
function eventPanel(id) {
  const event = detail.data;
  if (!event) return panel({ title: "…", body: detail.error ? problemBox(detail.error, () => detail.load(id)) : skeleton() });
  const details = Object.entries(event.details);
  return panel({
    title: word("action", event.action),
    subtitle: sentence(event),
    state: outcome(event),
    body: html`
      ${facts([
        [t("audit.column.at"), html`<span class="num">${formatExact(event.at)}</span>`],
        [t("field.user"), event.user ? html`<a href=${href("people", event.user.id)}>${nameOf(event.user) || t("audit.gone_user")}</a>` : t("audit.server")],
        event.device ? [t("field.device"), html`<a href=${href("devices", event.device.id)}>${event.device.name ?? event.device.id}</a>`] : null,
        event.session ? [t("audit.session"), html`<a href=${href("sessions", event.session)}>${t("audit.session_open")}</a>`] : null,
        event.address ? [t("field.address"), html`<span class="num">${event.address}</span>`] : null,
        [t("audit.subject"), subjectLink(event)],
        event.approver ? [t("audit.approver"), nameOf({ id: event.approver })] : null,
        [t("field.id"), idText(event.id)],
      ])}
      <h3>${t("audit.details")}</h3>
      ${details.length ? html`<dl class="facts">${details.map(([name, value]) => detailRow(name, value))}</dl>` : html`<p class="muted">${t("none")}</p>`}
      <details class="commands"><summary>JSON</summary><pre class="code" tabindex="0">${JSON.stringify(event, null, 2)}</pre></details>`,
  });
}

/** Where each kind of subject is shown. @type {Record<string, string>} */
const SUBJECT_PAGES = { session: "sessions", user: "people", device: "devices", role: "roles", ticket: "tickets", api_key: "api-keys" };

/** @param {any} event */
function subjectLink(event) {
  const { kind, id } = event.subject;
  const text = `${word("subject", kind)} ${subjectName(event)}`;
  return SUBJECT_PAGES[kind] && id ? html`<a href=${href(SUBJECT_PAGES[kind], id)}>${text}</a>` : text;
}

/** A detail; a change shows both values. @param {string} name @param {any} value */
function detailRow(name, value) {
  const isChange = value && typeof value === "object" && "from" in value && "to" in value;
  return html`<div><dt>${word("field", name)}</dt><dd>${isChange
    ? html`<del>${detailText(value.from)}</del> → <ins>${detailText(value.to)}</ins>`
    : detailText(value)}</dd></div>`;
}

/** @type {import("../main.js").Page} */
export const page = { title: () => t("nav.audit"), rights: ["auditRead"], kinds: ["audit_event"], load, view };
