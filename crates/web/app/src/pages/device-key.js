// The key of a device: a code to enroll it, and what the device said of itself then.

import { cancelEnrollment, codes, revokeKey, startEnrollment } from "../actions/devices.js";
import { actButtons, age, call, dash, entry, formatMoment, hasStatus, hasText, html, idText, link, moment, muted, nameOf, nothing,
  readItems, repaint, rowList, shop, state, t, word } from "../core.js";
import { facts } from "../components/detail.js";

const SHOWN_LETTERS = 12;
/** How a state is shown. @type {Record<string, string>} */
const TONES = { waiting: "new", enrolled: "good", expired: "bad", none: "free" };
let timer = 0;

/** Reads the newest enrollment of a device, if there is one, and its keys. */
async function read(/** @type {string} */ id) {
  const newest = call("GET", `devices/${id}/enrollment`).catch((error) => {
    if (hasStatus(error, 404)) return { data: null };
    throw error;
  });
  const [{ data: enrollment }, keys] = await Promise.all([newest, readItems(`devices/${id}/keys`, {})]);
  return { enrollment, keys: keys.map((key) => ({ ...key, id: key.thumbprint })) };
}

/** What a device has enrolled, and the code with which it can. With its key, sessions end; how many
 * may not be known. @param {App.Detail} detail @param {Device} device
 * @param {number | undefined} sessions */
export function keyTab(detail, device, sessions) {
  const extra = detail.extra("key", () => read(device.id));
  if (!extra.value || !hasText("enroll")) return extra.placeholder();
  const { enrollment, keys } = /** @type {Awaited<ReturnType<typeof read>>} */ (extra.value);
  const key = keys.find((each) => each.state === "current");
  const started = codes.get(device.id);
  const code = started?.created_at === enrollment?.created_at ? started : undefined;
  const until = code?.until ?? Date.parse(enrollment?.expires_at ?? "");
  const isWaiting = enrollment?.state === "waiting" && until > Date.now();
  const hasExpired = enrollment && enrollment.state !== "completed" && !isWaiting;
  clearTimeout(timer);
  if (isWaiting) timer = setTimeout(repaint, 1_000);
  const is = isWaiting ? "waiting" : key ? "enrolled" : hasExpired ? "expired" : "none";
  const isActive = device.status === "active";
  const canStart = isActive && !isWaiting;
  const start = () => startEnrollment(device, Boolean(key), sessions);
  const revoke = () => key && revokeKey(device, key, sessions);
  const earlier = keys.filter((each) => each !== key);
  return html`
    ${extra.problem()}
    <p role="status">${state(TONES[is], t(`enroll.state.${is}`))}</p>
    ${isWaiting
      ? waitingView(enrollment, code, until)
      : muted(t(isActive || key ? `enroll.state.${is}.text` : "problem.device_not_active"))}
    <p class="row">${actButtons([
      canStart && !key && entry("enroll", "key", start, { look: "primary" }),
      canStart && key && entry("enroll.replace", "rotate", start),
      isActive && isWaiting && entry("enroll.again", "rotate", start),
      isWaiting && entry("enroll.cancel", "close", () => cancelEnrollment(device)),
      key && entry("device_key.revoke", "lock", revoke, { look: "danger-quiet" }),
    ])}</p>
    ${canStart && shop.tenant.machine_codes ? html`<p>${link("enroll", null, t("machine.link"))}</p>` : nothing}
    ${key ? html`<h3>${t("device_key")}</h3>${keyFacts(key)}` : nothing}
    ${earlier.length ? html`<h3>${t("device_key.earlier")}</h3>${rowList(earlier, earlierRow)}` : nothing}`;
}

/** A code that waits. It is shown if it was started here. @param {any} enrollment
 * @param {App.EnrollmentCode | undefined} code @param {number} until */
const waitingView = ({ started_by: by, created_at: at, replace }, code, until) => html`
  ${code ? codeView(code) : html`<p>${t("enroll.elsewhere", { name: byName(by), time: formatMoment(at) })}</p>`}
  <p class="muted"><span role="timer" class="num">${timeLeft(until)}</span> ${replace ? t("enroll.replaces") : nothing}</p>`;

function codeView(/** @type {App.EnrollmentCode} */ { code, qr_code: image }) {
  const [, size, path] = /viewBox="0 0 (\d+) .* d="([^"]+)"/.exec(image) ?? [];
  return html`
    <div class="enrollment">
      <svg class="qr" role="img" aria-label=${t("enroll.qr")} viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges">
        <path d=${path}></path></svg>
      <div>${muted(t("enroll.code.text"))}<output class="one-time-code" translate="no">${code}</output></div>
    </div>`;
}

/** Minutes and seconds in the last hour; before, when it ends. */
function timeLeft(/** @type {number} */ until) {
  const seconds = Math.ceil((until - Date.now()) / 1_000);
  if (seconds > 3_600) return t("enroll.until", { time: formatMoment(new Date(until).toISOString()) });
  return t("enroll.left", { time: `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` });
}

/** Who started an enrollment, as far as they may be seen. */
const byName = (/** @type {string | null | undefined} */ id) => (id ? nameOf({ id }) || "–" : t("enroll.by_command"));

const keyFacts = (/** @type {NativeApi.DeviceKey} */ key) => facts([
  ["device_key.enrolled_at", moment(key.enrolled_at)],
  ["key.last_used", age(key.used_at)],
  ["device_key.by", key.enrolled_by ? link("people", key.enrolled_by, byName(key.enrolled_by)) : byName(null)],
  ["device_key.label", key.label || dash],
  ["device_key.app", key.app || dash],
  ["device_key.storage", word("key_storage", key.storage)],
  ["device_key.thumbprint", idText(key.thumbprint, `${key.thumbprint.slice(0, SHOWN_LETTERS)}…`)],
]);

/** A key that is no longer in use. */
const earlierRow = (/** @type {NativeApi.DeviceKey} */ { label, app, thumbprint, state: is, ended_at: at }) => html`<li>
  <span>${label || app || html`<code>${thumbprint.slice(0, SHOWN_LETTERS)}</code>`}</span><span class="fill"></span>
  <span class="muted">${word("key_state", is)}</span> ${moment(at)}</li>`;
