// @ts-check
// Whether the audit log is sealed and whole.

import { call, Problem } from "../api.js";
import { copy } from "../components/dialog.js";
import { icon } from "../components/icon.js";
import { toastProblem } from "../components/toast.js";
import { formatNumber, t, tn } from "../i18n.js";
import { formatAge, formatMoment } from "../time.js";
import { html, nothing, repaint } from "../view.js";

const POLL_INTERVAL = 1_000;
/** @type {{data: any, isMissing: boolean, running: any}} */
const seal = { data: null, isMissing: false, running: null };
/** Whether the server seals, verifies and exports the log by these calls. */
export const hasSeal = () => Boolean(seal.data);

/** Reads the newest seal. A server without this call shows none. */
export async function loadSeal() {
  if (seal.isMissing) return;
  try {
    seal.data = (await call("GET", "audit/seal")).data;
  } catch (error) {
    if (error instanceof Problem && (error.status === 404 || error.status === 403)) seal.isMissing = true;
  }
  repaint();
}

/** Verifies the whole log, and follows the verification until it is done. */
async function verify() {
  try {
    const answer = await call("POST", "audit/verifications", { body: {} });
    const id = answer.data?.id ?? answer.headers.get("location")?.split("/").at(-1);
    seal.running = answer.data ?? { id, state: "running", checked: 0 };
    while (seal.running.state === "running") {
      repaint();
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL));
      seal.running = (await call("GET", `audit/verifications/${id}`)).data;
    }
  } catch (error) {
    toastProblem(error);
  } finally {
    seal.running = null;
  }
  await loadSeal();
}

export function sealStrip() {
  const { data, running } = seal;
  if (!data) return nothing;
  const last = data.last_verification;
  const fault = last?.fault;
  return html`
    <div class="seal ${fault ? "broken" : ""}" role="status">
      ${icon(fault ? "alert" : "seal")}
      <div>
        <p><strong>${t("seal.sealed", { position: formatNumber(data.position), age: data.sealed_at ? formatAge(data.sealed_at) : "–" })}</strong>
          ${data.unsealed ? html`<span class="muted">${tn("seal.unsealed", data.unsealed)}</span>` : nothing}</p>
        <p class="muted">${running
          ? t("seal.running", { checked: formatNumber(running.checked ?? 0) })
          : fault
            ? t("seal.fault", { detail: typeof fault === "string" ? fault : fault.detail ?? fault.code ?? JSON.stringify(fault) })
            : last
              ? t("seal.whole", { time: formatMoment(last.finished_at ?? last.started_at), checked: formatNumber(last.checked) })
              : t("seal.never")}</p>
        ${running ? html`<progress aria-label=${t("seal.verify")} max=${data.position} .value=${running.checked ?? 0}></progress>` : nothing}
      </div>
      <span class="fill"></span>
      <button class="button" ?disabled=${Boolean(running)} @click=${verify}>${icon("check")}${t("seal.verify")}</button>
      <button class="button quiet" @click=${() => copy(JSON.stringify(data, null, 2))}>${icon("copy")}${t("seal.copy")}</button>
    </div>`;
}
