// What was done, by whom, and what was refused.

import { column, exportButton, listPage, ListState, periodFilter, whoFilters, wordFilter } from "../components/list-page.js";
import { chip, compareNames, dash, html, lazyPanel, moment, nameOf, namesIn, nothing, t, withQuery, word,
  wordOptions } from "../core.js";
import { outcome, sentence, subjectName } from "./events.js";

const list = new ListState("audit-events");
/** The seal, which is loaded after the list. @type {typeof import("./seal.js") | null} */
let seal = null;
const eventPanel = lazyPanel(() => import("./event-panel.js"));

/** The actions, as people sort their names. */
const actionOptions = () => wordOptions("action", namesIn("action")).sort((a, b) => compareNames(a.label, b.label));

async function loadSeal() {
  seal ??= await import("./seal.js");
  await seal.loadSeal();
}

/** Filters that come from links, not from the bar. */
function only(/** @type {App.Route} */ { query }) {
  const session = query.get("session");
  const subject = query.get("subject");
  if (!session && !subject) return nothing;
  const about = list.items.find((each) => each.subject.id === subject);
  const what = about ? `${word("subject", about.subject.kind)} ${subjectName(about)}` : "…";
  return html`<p class="row">${chip(session ? t("audit.only_session") : t("audit.only_subject", { what }))}
    <a href=${withQuery({ session: null, subject: null }, null)}>${t("filter.clear")}</a></p>`;
}

export const page = listPage({
  list,
  panel: { load: (id) => (loadSeal().catch(() => {}), eventPanel.load(id)), view: eventPanel.view },
  kinds: ["audit_event"],
  also: ["user", "session", "subject", "store"],
  columns: () => [
    column("audit.column.at", (each) => moment(each.at), "num narrow"),
    column("audit.column.what", (each) => html`${sentence(each)} ${outcome(each)}
      ${each.approver ? chip(t("audit.approved_by", { name: nameOf({ id: each.approver }) || "–" })) : nothing}`, "grow"),
    column("field.user", (each) => nameOf(each.user) || dash, "wide"),
    column("field.device", (each) => each.device?.name ?? dash, "wide"),
    column("field.address", (each) => each.address ?? "", "num wide"),
  ],
  search: () => t("audit.search"),
  filters: () => [
    periodFilter(),
    wordFilter("outcome", t("audit.outcome"), "audit", ["refused", "done"]),
    { name: "action", label: t("audit.action"), options: actionOptions() },
    ...whoFilters(),
  ],
  end: () => exportButton(list, { label: t("print"), icon: "print", run: () => print() }),
  head: (route) => html`${seal?.sealStrip()}${only(route)}`,
  rowClass: (event) => (event.outcome === "refused" ? "refused" : ""),
});
