// Members of the API as people read them: their names, and their values in words.

import { directory, formatDecimal, formatMoment, hasText, languageName, roleNames, t, word } from "../core.js";
import { formatSpan } from "./field-errors.js";

/** The texts for members that other pages show, too. @type {Record<string, string>} */
const LABELS = {
  access: "settings.limit.access",
  absolute: "settings.limit.absolute",
  api_key: "subject.api_key",
  assignment: "field.roles",
  change: "ticket.change",
  dialect: "tills.column.mount",
  discount: "ticket.discount",
  expires_at: "key.expires",
  idle: "settings.limit.idle",
  location: "ticket.place",
  overlap: "settings.limit.overlap",
  owner: "ticket.owner",
  previous_secret_until: "key.previous_until",
  refund_of: "ticket.refund",
  role: "subject.role",
  rounding: "ticket.rounding",
};

/** The groups of the texts for the values of a member. @type {Record<string, string[]>} */
const GROUPS = {
  above: ["built_in_role"],
  dialect: ["mount"],
  environment: ["environment"],
  environments: ["environment"],
  kind: ["session_kind", "key_kind"],
  permissions: ["right"],
  right: ["right"],
  rights: ["right"],
  role: ["built_in_role"],
  status: ["status"],
  token: ["token_use"],
  why: ["why", "ended_why"],
};

/** The lists that have the names of what a member names by its id. @type {Record<string, "users" | "devices" | "stores">} */
const LISTS = { device: "devices", owner: "users", store: "stores", user: "users" };
const SPANS = ["access", "absolute", "idle", "overlap"];
const TIMES = ["expired_at", "expires_at", "previous_secret_until"];

/** The name of a member. @param {string} name */
export const labelOf = (name) => (LABELS[name] ? t(LABELS[name]) : word("field", name));

/** Whether a value has the members of a change. @param {any} value */
export const isChange = (value) => value && typeof value === "object" && "from" in value && "to" in value;

/** The value of a member as text; items of tickets by their names. @param {string} name @param {any} value @returns {string} */
export function valueText(name, value) {
  if (value === null || value === undefined || value === "") return "–";
  if (Array.isArray(value)) return value.map((each) => valueText(name, each)).join(", ") || "–";
  if (isChange(value)) return `${valueText(name, value.from)} → ${valueText(name, value.to)}`;
  if (typeof value === "object") return objectText(name, value);
  if (typeof value === "boolean") return t(`value.${value}`);
  if (SPANS.includes(name)) return formatSpan(Number(value));
  if (TIMES.includes(name)) return formatMoment(new Date(value).toISOString());
  if (name === "roles") return roleNames([value]).join("");
  if (name === "locale") return languageName(value);
  const named = LISTS[name] && directory(LISTS[name]).find((each) => [each.id, each.user_name, each.name].includes(value));
  if (named) return named.display_name ?? named.name;
  const group = GROUPS[name]?.find((each) => hasText(`${each}.${value}`));
  return group ? word(group, String(value)) : String(value);
}

/** @param {string} name @param {any} value @returns {string} */
function objectText(name, value) {
  if (typeof value.device === "string") return `${value.device}: ${roleNames(value.roles).join(", ") || t("access.no_roles")}`;
  if (typeof value.quantity === "string") return `${formatDecimal(value.quantity)} × ${value.name}`;
  if (typeof value.name === "string") return value.name;
  // the keys of settings are the shop's own
  const members = Object.entries(value).map(([key, each]) => `${name === "settings" ? key : labelOf(key)}: ${valueText(key, each)}`);
  return members.join(", ") || "–";
}
