// Members of the API as people read them: their names, their values in words, and what is invalid.

import { directory, formatDecimal, formatMoment, formatNumber, hasText, languageName, roleNames, t, tn, word } from "../core.js";

/** The texts of members that have none of their own. @type {Record<string, string>} */
const LABELS = { api_key: "subject.api_key", assignment: "field.roles", refund_of: "ticket.refund", role: "subject.role" };

/** The groups of the texts for the values of a member. @type {Record<string, string[]>} */
const GROUPS = {
  above: ["built_in_role"],
  by: ["pin_by"],
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

/** The lists with the names of what a member means. @type {Record<string, App.DirectoryName>} */
const LISTS = { device: "devices", owner: "users", store: "stores", user: "users" };
const SPANS = ["access", "absolute", "idle", "overlap"];
const TIMES = ["expired_at", "expires_at", "previous_secret_until"];

/** The name of a member. @param {string} name */
export const labelOf = (name) => (LABELS[name] ? t(LABELS[name]) : word("field", name));
/** Whether a value has the members of a change. @param {any} value */
export const isChange = (value) => value && typeof value === "object" && "from" in value && "to" in value;

/** The value of a member as text. @param {string} name @param {any} value @returns {string} */
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
  if (typeof value.device === "string") {
    return `${value.device}: ${roleNames(value.roles).join(", ") || t("access.no_roles")}`;
  }
  if (typeof value.quantity === "string") return `${formatDecimal(value.quantity)} × ${value.name}`;
  if (typeof value.name === "string") return value.name;
  // the keys of settings are the shop's own
  const label = name === "settings" ? String : labelOf;
  return Object.entries(value).map(([key, each]) => `${label(key)}: ${valueText(key, each)}`).join(", ") || "–";
}

/** A span of time in its largest whole unit, such as `15 minutes`. @param {number} seconds */
export function formatSpan(seconds) {
  const [unit, size] = UNITS.find(([, each]) => seconds > 0 && seconds % each === 0) ?? UNITS[3];
  return tn(`count.${unit}`, seconds / size);
}

const UNITS = /** @type {[string, number][]} */ ([["days", 86_400], ["hours", 3_600], ["minutes", 60], ["seconds", 1]]);

/** The message for an invalid field: by the rule that it violates, or by its code. */
export function describeField(/** @type {App.FieldError} */ { code, rule, min, max, contrast, pointer = "" }) {
  const key = `field_error.${rule}`;
  const bound = rule === "seconds" ? formatSpan : formatNumber;
  const values = { min: bound(min ?? 0), max: bound(max ?? 0), contrast: contrast ? formatDecimal(contrast) : "" };
  if (rule && hasText(key)) return t(key, values);
  const known = [`field_error.${code}${pointer.replaceAll("/", ".")}`, `field_error.${code}`].find(hasText);
  return t(known ?? "field_error.format");
}

/** The message for an invalid field that the form does not show. @param {App.FieldError} error */
export function describeOther(error) {
  const name = (error.pointer ?? error.parameter ?? "").split("/").filter(Boolean)[0];
  return name ? `${word("field", name)}: ${describeField(error)}` : describeField(error);
}
