// A machine that shows a code and waits: the person types the code, sees the machine, and decides.

import { Detail, facts, section } from "../components/detail.js";
import { age, button, hasStatus, hasText, href, html, lazyActions, live, moment, muted, nothing, Problem, problemBox, skeleton,
  state, t, valueOf, word } from "../core.js";

const { acceptMachine, denyMachine } = lazyActions(() => import("../actions/machines.js"));

/** How a state is shown. @type {Record<string, string>} */
const TONES = { waiting: "new", expired: "bad", accepted: "good", denied: "bad" };

const detail = new Detail("enrollments");
/** What is typed, and the code whose machine is shown. */
let [typed, code] = ["", ""];

/** Reads the machine that shows the code. */
const find = () => detail.load(code);

/** Explains that a machine waits no longer, or never did. @param {unknown} error */
export const explained = (error) => (hasStatus(error, 404) ? new Problem(404, { code: "enrollment_unknown" }) : error);

/** Takes the code of an address such as that of a QR code, also across a sign-in. */
async function load(/** @type {App.Route} */ { query }, /** @type {App.Refresh} */ refresh) {
  const given = location.hash.slice(1) || sessionStorage.hash?.slice(1) || query.get("user_code");
  delete sessionStorage.hash;
  if (given && !refresh) {
    typed = code = given;
    history.replaceState(null, "", href("enroll")); // the history of the browser need not have it
  }
  if (code) await find();
}

function submit(/** @type {Event} */ event) {
  event.preventDefault();
  if (typed.trim()) code = typed;
  if (code) find();
}

function view() {
  if (!hasText("machine.code")) return skeleton();
  const { data, error } = detail;
  const input = (/** @type {Event} */ event) => void (typed = valueOf(event));
  return html`
    <div class="page narrow-page">
      ${section("machine.code", nothing, html`
        <form class="row" @submit=${submit}>
          <input class="code-input" name="code" aria-label=${t("machine.code")} .value=${live(typed)} maxlength="32" required
            autocomplete="off" autocapitalize="characters" spellcheck="false" @input=${input}>
          <button class="button ${data && !error ? "" : "primary"}">${t("machine.find")}</button>
        </form>`)}
      ${error ? problemBox(explained(error), find) : data ? section("machine.found", nothing, machineView(data)) : nothing}
    </div>`;
}

function machineView(/** @type {NativeApi.PendingKey} */ found) {
  const isWaiting = found.state === "waiting";
  return html`
    <p role="status">${state(TONES[found.state] ?? "idle", t(`machine.${found.state}`))}</p>
    ${muted(t(`machine.${found.state}.text`))}
    ${facts([
      ["device_key.label", found.label || null],
      ["device_key.app", found.app || null],
      ["device_key.storage", word("key_storage", found.storage)],
      ["machine.address", found.address],
      found.same_network !== null && ["machine.network", t(`machine.network.${found.same_network ? "same" : "other"}`)],
      ["machine.since", age(found.created_at)],
      isWaiting && ["machine.until", moment(found.expires_at)],
    ])}
    ${isWaiting
      ? html`<p class="row">${button("check", t("machine.accept"), () => acceptMachine(code), "primary")}
          ${button("close", t("machine.deny"), () => denyMachine(code), "danger-quiet")}</p>`
      : nothing}`;
}

/** @type {App.Page} */
export const page = { kinds: [], load, view };
