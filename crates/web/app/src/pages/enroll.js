// A machine that shows a code and waits: the person types the code, sees the machine, and decides.

import { section } from "../components/detail.js";
import { lazyActions } from "../components/lazy.js";
import { facts } from "../components/panel.js";
import { age, button, moment, problemBox, skeleton, state } from "../components/small.js";
import { call, hasText, href, html, live, nothing, Problem, repaint, t, valueOf, word } from "../core.js";

const { acceptMachine, denyMachine } = lazyActions(() => import("../actions/machines.js"));

/** How a state is shown. @type {Record<string, string>} */
const TONES = { waiting: "new", expired: "bad", accepted: "good", denied: "bad" };

/** What is typed, and the code whose machine is shown. */
let [typed, code] = ["", ""];
/** @type {NativeApi.PendingKey | null} */
let machine = null;
/** @type {unknown} */
let error = null;

/** Reads the machine that shows the code, unless another one was asked for meanwhile. */
async function find() {
  const wanted = code;
  const found = await call("GET", `enrollments/${encodeURIComponent(wanted)}`).then(
    ({ data }) => ({ machine: data, error: null }),
    (caught) => ({ machine: null, error: caught instanceof Problem && caught.status === 404 ? new Problem(404, { code: "enrollment_unknown" }) : caught }),
  );
  if (wanted === code) ({ machine, error } = found);
  repaint();
}

/** Takes the code of an address such as that of a QR code, also if it was opened before the sign-in. @param {App.Route} route @param {App.Refresh} refresh */
async function load({ query }, refresh) {
  const given = location.hash.slice(1) || sessionStorage.hash?.slice(1) || query.get("user_code");
  delete sessionStorage.hash;
  if (given && !refresh) {
    typed = code = given;
    history.replaceState(null, "", href("enroll")); // the history of the browser need not have it
  }
  if (code) await find();
}

/** @param {Event} event */
function submit(event) {
  event.preventDefault();
  if (typed.trim()) code = typed;
  if (code) find();
}

function view() {
  if (!hasText("machine.code")) return skeleton();
  return html`
    <div class="page narrow-page">
      ${section("machine.code", nothing, html`
        <form class="row" @submit=${submit}>
          <input class="code-input" name="code" aria-label=${t("machine.code")} .value=${live(typed)} maxlength="32" required autocomplete="off" autocapitalize="characters"
            spellcheck="false" @input=${(/** @type {Event} */ event) => void (typed = valueOf(event))}>
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
