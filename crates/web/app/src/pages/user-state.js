// @ts-check
import { session } from "../session.js";

/** The tone of a person's status. @type {Record<string, string>} */
export const userTones = { active: "good", pending: "new", suspended: "bad", deleted: "free" };

/** @param {any} user */
export const isSelf = (user) => user.id === session.user?.id;
