// A machine that shows a code and waits: the person types the code, sees the machine, and decides.

import { section } from "../components/detail.js";
import { lazyActions } from "../components/lazy.js";
import { facts } from "../components/panel.js";
import { age, button, moment, problemBox, skeleton, state } from "../components/small.js";
import { call, hasText, href, html, live, nothing, Problem, repaint, t, valueOf, word } from "../core.js";

const { acceptMachine, denyMachine } = lazyActions(() => import("../actions/machines.js"));

/** How a state is shown. @type {Record<string, string>} */
const TONES = { waiting: "new", expired: "bad", accepted: "good", denied: "bad" };

let code = "";
/** @type {NativeApi.PendingKey | null} */
let machine = null;
/** @type {unknown} */
let error = null;

/** Reads the machine that shows the code. */
async function find() {
  try {
    machine = (await call("GET", `enrollments/${encodeURIComponent(code)}`)).data;
    error = null;
  } catch (caught) {
    machine = null;
    error = caught instanceof Problem && caught.status === 404 ? new Problem(404, { code: "enrollment_unknown" }) : caught;
  }
  repaint();
}

/** Takes the code of an address such as that of a QR code, also if it was opened before the sign-in. @param {App.Route} route @param {App.Refresh} refresh */
async function load({ query }, refresh) {
  const given = location.hash.slice(1) || sessionStorage.hash?.slice(1) || query.get("user_code");
  delete sessionStorage.hash;
  if (given && !refresh) {
    code = given;
    // the history of the browser need not have it
    history.replaceState(null, "", href("enroll"));
  }
  if (code) await find();
}

/** @param {Event} event */
function submit(event) {
  event.preventDefault();
  if (code.trim()) find();
}

function view() {
  if (!hasText("machine.code")) return skeleton();
  return html`
    <div class="page narrow-page">
      ${section("machine.code", nothing, html`
        <form class="row" @submit=${submit}>
          <input class="code-input" name="code" aria-label=${t("machine.code")} .value=${live(code)} maxlength="32" required autocomplete="off" autocapitalize="characters"
            spellcheck="false" @input=${(/** @type {Event} */ event) => void (code = valueOf(event))}>
          <button class="button ${machine ? "" : "primary"}">${t("machine.find")}</button>
        </form>`)}
      ${error ? problemBox(error, find) : machine ? section("machine.found", nothing, machineView(machine)) : nothing}
    </div>`;
}

/** @param {NativeApi.PendingKey} found */
const machineView = (found) => html`
  <p role="status">${state(TONES[found.state] ?? "idle", t(`machine.${found.state}`))}</p>
  <p class="muted">${t(`machine.${found.state}.text`)}</p>
  ${facts([
    [t("device_key.label"), found.label || null],
    [t("device_key.app"), found.app || null],
    [t("device_key.storage"), word("key_storage", found.storage)],
    [t("machine.address"), found.address],
    found.same_network === null ? null : [t("machine.network"), t(found.same_network ? "machine.network.same" : "machine.network.other")],
    [t("machine.since"), age(found.created_at)],
    found.state === "waiting" ? [t("machine.until"), moment(found.expires_at)] : null,
  ])}
  ${found.state === "waiting"
    ? html`<p class="row">${button("check", t("machine.accept"), () => acceptMachine(code), "primary")} ${button("close", t("machine.deny"), () => denyMachine(code), "danger-quiet")}</p>`
    : nothing}`;

/** @type {App.Page} */
export const page = { kinds: [], load, view };
