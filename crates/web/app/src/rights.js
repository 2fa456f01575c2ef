// What the person may do, and the groups in which rights are shown.

import { hasText, word } from "./i18n.js";

let held = /** @type {Set<string>} */ (new Set());

export const setRights = (/** @type {string[]} */ rights) => void (held = new Set(rights));

/** Whether the person holds a right. @param {string} right */
export const can = (right) => held.has("admin") || held.has(right);
/** Whether the person holds one of these rights. @param {string[]} rights */
export const canAny = (rights) => rights.length === 0 || rights.some(can);
/** Whether the person sees other people's sessions. */
export const seesSessions = () => canAny(["sessionRead", "sessionDelete"]);

/** The rights that a person gains and loses by other roles. */
export function compareRights(/** @type {any[]} */ earlier, /** @type {any[]} */ later) {
  const [before, after] = [collectRights(earlier), collectRights(later)];
  return {
    gained: [...after.keys()].filter((right) => !before.has(right)),
    lost: [...before.keys()].filter((right) => !after.has(right)),
    isAdmin: after.has("admin"),
  };
}

/** The name of a role for people. @param {Role} role */
export const roleName = ({ name, label, built_in: isBuiltIn }) => isBuiltIn ? word("built_in_role", name) : label || name;

/** Prefixes and names of rights, by group, in the order of the page. */
const GROUPS = /** @type {[string, RegExp][]} */ ([
  ["tickets", /^ticket(?!SetDiscount)/],
  ["discounts", /^(ticketSetDiscount|storno|customerSet)/],
  ["fiscal", /^(fiscal|print)/],
  ["customers", /^customer/],
  ["articles", /^(article|modifier|currency)/],
  ["orders", /^order/],
  ["reports", /^(do|dsr|detailed|overview|summary)/],
  ["places", /^(device|store|company)/],
  ["people", /^(user|role|session|pin)/],
  ["programs", /^(apiKey|audit|token)/],
  ["server", /^(tenant|license|admin)/],
]);

/** The group of a right; `own` if only roles of the tenant name it. @param {string} right */
export const groupOf = (right) => GROUPS.find(([, names]) => hasText(`right.${right}`) && names.test(right))?.[0] ?? "own";

/** The groups in the order of the page. */
export const groupNames = [...GROUPS.map(([name]) => name), "own"];

/** The access to a device; undefined if the user cannot log in there.
 * @param {App.AccessHolder} user @param {string} device */
export const accessOn = ({ devices }, device) => devices.find((each) => each.device === device);

/** All access of a user with other roles on a device; null removes it.
 * @param {App.AccessHolder} user @param {string} device @param {string[] | null} roles */
export const withAccess = ({ devices }, device, roles) =>
  [...devices.filter((each) => each.device !== device), ...(roles ? [{ device, roles }] : [])];

/** The roles of a user that apply on a device, or in the office without one.
 * @param {App.AccessHolder & {roles: string[]}} user @param {any | null} device
 * @param {any[]} roles */
export function effectiveRoles(user, device, roles) {
  if (!device) return roles.filter((role) => user.roles.includes(role.name));
  const on = accessOn(user, device.name);
  return roles.filter((role) => on?.roles.includes(role.name) && role.environments.includes(device.environment));
}

/** The rights of these roles, each with the names of the roles that give it. */
export function collectRights(/** @type {any[]} */ roles) {
  const found = /** @type {Map<string, string[]>} */ (new Map());
  for (const role of roles) {
    for (const right of role.rights) found.set(right, [...(found.get(right) ?? []), roleName(role)]);
  }
  return found;
}
