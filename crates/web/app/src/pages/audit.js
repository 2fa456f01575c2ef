// What was done, by whom, and what was refused.

import { whoFilters } from "../components/filters.js";
import { exportButton, lazyPanel, listPage, ListState } from "../components/list-page.js";
import { dash, moment } from "../components/small.js";
import { compareNames, html, nameOf, namesIn, nothing, optionsOf, PERIODS, t, withQuery, word } from "../core.js";
import { outcome, sentence, subjectName } from "./events.js";

const list = new ListState("audit-events");
/** The seal, which is loaded after the list. @type {typeof import("./seal.js") | null} */
let seal = null;
const eventPanel = lazyPanel(() => import("./event-panel.js"));

/** The actions, as people sort their names. */
const actionOptions = () => optionsOf(namesIn("action"), (name) => word("action", name)).sort((a, b) => compareNames(a.label, b.label));

async function loadSeal() {
  seal ??= await import("./seal.js");
  await seal.loadSeal();
}

/** Filters that come from links, not from the bar. @param {App.Route} route */
function only({ query }) {
  const session = query.get("session");
  const subject = query.get("subject");
  if (!session && !subject) return nothing;
  const about = list.items.find((each) => each.subject.id === subject);
  const what = about ? `${word("subject", about.subject.kind)} ${subjectName(about)}` : "…";
  return html`<p class="row"><span class="chip">${session ? t("audit.only_session") : t("audit.only_subject", { what })}</span>
    <a href=${withQuery({ session: null, subject: null }, null)}>${t("filter.clear")}</a></p>`;
}

export const page = listPage({
  list,
  panel: { load: (id) => (loadSeal().catch(() => {}), eventPanel.load(id)), view: eventPanel.view },
  kinds: ["audit_event"],
  also: ["user", "session", "subject", "store"],
  columns: () => [
    { label: t("audit.column.at"), class: "num narrow", cell: (each) => moment(each.at) },
    {
      label: t("audit.column.what"),
      class: "grow",
      cell: (each) => html`${sentence(each)} ${outcome(each)}
        ${each.approver ? html`<span class="chip">${t("audit.approved_by", { name: nameOf({ id: each.approver }) || "–" })}</span>` : nothing}`,
    },
    { label: t("field.user"), class: "wide", cell: (each) => nameOf(each.user) || dash },
    { label: t("field.device"), class: "wide", cell: (each) => each.device?.name ?? dash },
    { label: t("field.address"), class: "num wide", cell: (each) => each.address ?? "" },
  ],
  search: () => t("audit.search"),
  filters: () => [
    { name: "period", label: t("period.all"), options: optionsOf(Object.keys(PERIODS), (name) => t(`period.${name}`)) },
    { name: "outcome", label: t("audit.outcome"), options: optionsOf(["refused", "done"], (name) => t(`audit.${name}`)) },
    { name: "action", label: t("audit.action"), options: actionOptions() },
    ...whoFilters(),
  ],
  end: () => exportButton(list, [{ label: t("print"), icon: "print", run: () => print() }]),
  head: (route) => html`${seal?.sealStrip()}${only(route)}`,
  rowClass: (event) => (event.outcome === "refused" ? "refused" : ""),
});
