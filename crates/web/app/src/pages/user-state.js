// @ts-check
import { state } from "../components/small.js";
import { t, word } from "../i18n.js";
import { session } from "../session.js";
import { formatMoment } from "../time.js";

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
