import { state } from "../components/small.js";
import { can, compareNames, formatMoment, formatTime, html, icon, nothing, t, word } from "../core.js";
import { session } from "../session.js";

/** Rights by name, each with the roles that give it. @param {Map<string, string[]>} rights */
export const rightsList = (rights) => html`
  <ul class="rights">${[...rights].sort(([a], [b]) => compareNames(word("right", a), word("right", b))).map(
    ([right, roles]) => html`<li>${word("right", right)} <span class="faint">${roles.join(", ")}</span></li>`,
  )}</ul>`;

/** The tone of a person's status. @type {Record<string, string>} */
const tones = { active: "good", pending: "new", suspended: "bad", deleted: "free" };

/** @param {NativeApi.User} user */
export const isSelf = (user) => user.id === session.user?.id;

/** Whether a person can choose a password by an invitation. @param {NativeApi.User} user */
export const isInvitable = (user) => !isSelf(user) && !user.virtual && ["active", "pending"].includes(user.status);

/** The status of a person by shape and word; without a password they cannot log in yet. @param {any} user */
export function userState(user) {
  if (user.has_password || !isInvitable(user)) return state(tones[user.status], word("user_status", user.status));
  const isInvited = user.invited_until && Date.parse(user.invited_until) > Date.now();
  return state("new", isInvited ? t("user.invited_until", { time: formatMoment(user.invited_until) }) : t("user.no_password"));
}

/** Whether a mail can be sent by which the person verifies their address. @param {NativeApi.User} user */
export const isVerifiable = (user) =>
  Boolean(user.email) && !user.email_verified_at && ["active", "pending"].includes(user.status) && (isSelf(user) || can("userUpdate"));

/** The address of a person, and whether they have verified it. @param {NativeApi.User} user */
export function emailState(user) {
  if (!user.email) return html`<span class="faint">${t("none")}</span>`;
  const { email_verified_at: at } = user;
  return html`${user.email}<br>${at ? state("good", t("email.verified_on", { time: formatMoment(at) })) : state("free", t("email.unverified"))}`;
}

/** Until when nobody can log in after failed attempts. @param {{until: string, failures: number} | null | undefined} throttle @param {any} [action] */
export const throttleNotice = (throttle, action = nothing) =>
  throttle
    ? html`<div class="notice notice-warn">${icon("clock")}
        <span>${t("throttle.until", { time: formatTime(throttle.until), count: throttle.failures })}</span>${action}</div>`
    : nothing;
