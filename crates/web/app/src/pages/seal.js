// Whether the audit log is sealed and whole.

import { act, button, call, formatAge, formatExact, formatMoment, formatNumber, hasStatus, html, icon, nothing, repaint, t, tn,
  word } from "../core.js";
import { copy } from "../components/dialog.js";

const POLL_INTERVAL = 1_000;
/** @type {{data: any, isMissing: boolean, running: any}} */
const seal = { data: null, isMissing: false, running: null };

/** Reads the newest seal. A server without this call shows none. */
export async function loadSeal() {
  if (seal.isMissing) return;
  try {
    seal.data = (await call("GET", "audit/seal")).data;
  } catch (error) {
    seal.isMissing = hasStatus(error, 403, 404);
  }
  repaint();
}

/** Verifies the whole log, and follows the verification until it is done. */
async function verify() {
  await act(async () => {
    seal.running = (await call("POST", "audit/verifications", { body: {} })).data;
    while (seal.running.state === "running") {
      repaint();
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL));
      seal.running = (await call("GET", `audit/verifications/${seal.running.id}`)).data;
    }
  });
  seal.running = null;
  await loadSeal();
}

/** What the last verification found. */
function result(/** @type {any} */ last) {
  if (seal.running) return t("seal.running", { checked: formatNumber(seal.running.checked ?? 0) });
  if (!last || last.state === "interrupted") return t("seal.never");
  const { fault, finished_at: at = last.started_at, checked } = last;
  if (!fault) return t("seal.whole", { time: formatMoment(at), checked: formatNumber(checked) });
  const what = word("seal_fault", fault.code);
  const time = fault.at ? formatExact(fault.at) : "–";
  const event = fault.sequence && t("seal.fault.event", { event: formatNumber(fault.sequence), time, what });
  return html`${t("seal.fault", { what: event || what })} <code>${fault.detail}</code>`;
}

export function sealStrip() {
  const { data, running } = seal;
  if (!data) return nothing;
  const isBroken = Boolean(data.last_verification?.fault);
  const age = data.sealed_at ? formatAge(data.sealed_at) : "–";
  return html`
    <div class="seal ${isBroken ? "broken" : ""}" role="status">
      ${icon(isBroken ? "alert" : "seal")}
      <div>
        <p><strong>${t("seal.sealed", { position: formatNumber(data.position), age })}</strong>
          ${data.unsealed ? html`<span class="muted">${tn("seal.unsealed", data.unsealed)}</span>` : nothing}</p>
        <p class="muted">${result(data.last_verification)}</p>
        ${running
          ? html`<progress aria-label=${t("seal.verify")} max=${data.position} .value=${running.checked ?? 0}></progress>`
          : nothing}
      </div>
      <span class="fill"></span>
      <button class="button" ?disabled=${Boolean(running)} @click=${verify}>${icon("check")}${t("seal.verify")}</button>
      ${button("copy", t("seal.copy"), () => copy(JSON.stringify(data, null, 2)), "quiet")}
    </div>`;
}
