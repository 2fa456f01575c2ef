import { can, compareNames, faint, formatMoment, formatTime, html, icon, isSelf, nothing, state, t, word } from "../core.js";

/** Rights by name, each with the roles that give it. @param {Map<string, string[]>} rights */
export const rightsList = (rights) => html`
  <ul class="rights">${[...rights].sort(([a], [b]) => compareNames(word("right", a), word("right", b))).map(
    ([right, roles]) => html`<li>${word("right", right)} ${faint(roles.join(", "))}</li>`,
  )}</ul>`;

/** The tone of a person's status. @type {Record<string, string>} */
const tones = { active: "good", pending: "new", suspended: "bad", deleted: "free" };

/** Whether a person can receive mails of the shop. */
const isReachable = (/** @type {User} */ { status }) => status === "active" || status === "pending";
/** Whether a person can choose a password by an invitation. @param {User} user */
export const isInvitable = (user) => !isSelf(user) && !user.virtual && isReachable(user);

/** The status of a person by shape and word; without a password they cannot log in yet. */
export function userState(/** @type {any} */ user) {
  if (user.has_password || !isInvitable(user)) return state(tones[user.status], word("user_status", user.status));
  const { invited_until: until } = user;
  if (!until || Date.parse(until) <= Date.now()) return state("new", t("user.no_password"));
  return state("new", t("user.invited_until", { time: formatMoment(until) }));
}

/** Whether a mail can be sent by which the person verifies their address. */
export const isVerifiable = (/** @type {User} */ user) =>
  Boolean(user.email) && !user.email_verified_at && isReachable(user) && (isSelf(user) || can("userUpdate"));

/** The address of a person, and whether they have verified it. @param {User} user */
export function emailState({ email, email_verified_at: at }) {
  if (!email) return faint(t("none"));
  const verified = at && state("good", t("email.verified_on", { time: formatMoment(at) }));
  return html`${email}<br>${verified ?? state("free", t("email.unverified"))}`;
}

/** Until when nobody can log in. @param {NativeApi.LoginThrottle | null | undefined} throttle
 * @param {any} [action] */
export const throttleNotice = (throttle, action = nothing) =>
  throttle
    ? html`<div class="notice notice-warn">${icon("clock")}
        <span>${t("throttle.until", { time: formatTime(throttle.until), count: throttle.failures })}</span>${action}</div>`
    : nothing;
