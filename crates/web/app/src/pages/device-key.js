// The key of a device: a code to enroll it, and what the device said of itself then.

import { cancelEnrollment, codes, revokeKey, startEnrollment } from "../actions/enrollments.js";
import { call, formatMoment, hasText, href, html, nameOf, nothing, Problem, readItems, repaint, t, word } from "../core.js";
import { facts } from "../components/detail.js";
import { shop } from "../shop.js";
import { actButtons, age, dash, idText, moment, rowList, state } from "../components/small.js";

const SHOWN_LETTERS = 12;
let timer = 0;

/** Reads the newest enrollment of a device, if there is one, and its keys. @param {string} id */
async function read(id) {
  const none = (/** @type {unknown} */ error) => (error instanceof Problem && error.status === 404 ? { data: null } : Promise.reject(error));
  const [{ data }, keys] = await Promise.all([call("GET", `devices/${id}/enrollment`).catch(none), readItems(`devices/${id}/keys`, {})]);
  return { enrollment: /** @type {NativeApi.Enrollment | null} */ (data), keys: keys.map((key) => ({ ...key, id: key.thumbprint })) };
}

/**
 * What a device has enrolled, and the code with which it can.
 * @param {import("../components/detail.js").Detail} detail
 * @param {NativeApi.Device} device
 * @param {number | undefined} sessions how many end with its key, if that may be seen
 */
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
  const [tone, is] = isWaiting ? ["new", "waiting"] : key ? ["good", "enrolled"] : hasExpired ? ["bad", "expired"] : ["free", "none"];
  const canStart = device.status === "active";
  const start = () => startEnrollment(device, Boolean(key), sessions);
  return html`
    ${extra.problem()}
    <p role="status">${state(tone, t(`enroll.state.${is}`))}</p>
    ${isWaiting ? waitingView(enrollment, code, until) : html`<p class="muted">${t(canStart || key ? `enroll.state.${is}.text` : "problem.device_not_active")}</p>`}
    <p class="row">${actButtons([
      canStart && !isWaiting && !key && { label: t("enroll"), icon: "key", run: start, look: "primary" },
      canStart && !isWaiting && key && { label: t("enroll.replace"), icon: "rotate", run: start },
      canStart && isWaiting && { label: t("enroll.again"), icon: "rotate", run: start },
      isWaiting && { label: t("enroll.cancel"), icon: "close", run: () => cancelEnrollment(device) },
      key && { label: t("device_key.revoke"), icon: "lock", run: () => revokeKey(device, key, sessions), look: "danger-quiet" },
    ])}</p>
    ${canStart && !isWaiting && shop.tenant.machine_codes ? html`<p><a href=${href("enroll")}>${t("machine.link")}</a></p>` : nothing}
    ${key ? html`<h3>${t("device_key")}</h3>${keyFacts(key)}` : nothing}
    ${keys.length > (key ? 1 : 0) ? html`<h3>${t("device_key.earlier")}</h3>${rowList(keys.filter((each) => each !== key), earlierRow)}` : nothing}`;
}

/** @param {NativeApi.Enrollment} enrollment @param {App.EnrollmentCode | undefined} code if it was started here @param {number} until */
const waitingView = (enrollment, code, until) => html`
  ${code ? codeView(code) : html`<p>${t("enroll.elsewhere", { name: byName(enrollment.started_by), time: formatMoment(enrollment.created_at) })}</p>`}
  <p class="muted"><span role="timer" class="num">${timeLeft(until)}</span> ${enrollment.replace ? t("enroll.replaces") : nothing}</p>`;

/** A code to type or to scan. @param {App.EnrollmentCode} code */
function codeView({ code, qr_code: image }) {
  const [, size, path] = /viewBox="0 0 (\d+) .* d="([^"]+)"/.exec(image) ?? [];
  return html`
    <div class="enrollment">
      <svg class="qr" role="img" aria-label=${t("enroll.qr")} viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path d=${path}></path></svg>
      <div><p class="muted">${t("enroll.code.text")}</p><output class="one-time-code" translate="no">${code}</output></div>
    </div>`;
}

/** Minutes and seconds in the last hour; before, when it ends. @param {number} until */
function timeLeft(until) {
  const seconds = Math.ceil((until - Date.now()) / 1_000);
  if (seconds > 3_600) return t("enroll.until", { time: formatMoment(new Date(until).toISOString()) });
  return t("enroll.left", { time: `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` });
}

/** Who started an enrollment, as far as they may be seen. @param {string | null | undefined} id */
const byName = (id) => (id ? nameOf({ id }) || "–" : t("enroll.by_command"));

/** @param {NativeApi.DeviceKey} key */
const keyFacts = (key) => facts([
  [t("device_key.enrolled_at"), moment(key.enrolled_at)],
  [t("key.last_used"), age(key.used_at)],
  [t("device_key.by"), key.enrolled_by ? html`<a href=${href("people", key.enrolled_by)}>${byName(key.enrolled_by)}</a>` : byName(null)],
  [t("device_key.label"), key.label || dash],
  [t("device_key.app"), key.app || dash],
  [t("device_key.storage"), word("key_storage", key.storage)],
  [t("device_key.thumbprint"), idText(key.thumbprint, `${key.thumbprint.slice(0, SHOWN_LETTERS)}…`)],
]);

/** A key that is no longer in use. @param {NativeApi.DeviceKey} key */
const earlierRow = (key) => html`<li>
  <span>${key.label || key.app || html`<code>${key.thumbprint.slice(0, SHOWN_LETTERS)}</code>`}</span><span class="fill"></span>
  <span class="muted">${word("key_state", key.state)}</span> ${moment(key.ended_at)}</li>`;
