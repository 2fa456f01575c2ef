// What the person may do, and the groups in which rights are shown.

import { hasText, t } from "./i18n.js";

/** @type {Set<string>} */
let held = new Set();

/** @param {string[]} rights */
export function setRights(rights) {
  held = new Set(rights);
}

/** Whether the person holds a right. @param {string} right */
export const can = (right) => held.has("admin") || held.has(right);

/** Whether the person holds one of these rights. @param {string[]} rights */
export const canAny = (rights) => rights.length === 0 || rights.some(can);

/** Whether the person sees other people's sessions. */
export const seesSessions = () => canAny(["sessionRead", "sessionDelete"]);

/** The rights that a person gains and loses if these roles take the place of the earlier ones. @param {any[]} earlier @param {any[]} later */
export function compareRights(earlier, later) {
  const [before, after] = [collectRights(earlier), collectRights(later)];
  return {
    gained: [...after.keys()].filter((right) => !before.has(right)),
    lost: [...before.keys()].filter((right) => !after.has(right)),
    isAdmin: after.has("admin"),
  };
}

/** The name of a role for people. @param {NativeApi.Role} role */
export const roleName = (role) => {
  const key = `built_in_role.${role.name}`;
  return role.built_in && hasText(key) ? t(key) : role.label || role.name;
};

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

/** Returns the group of a right; `own` if only roles of the tenant name it. @param {string} right */
export function groupOf(right) {
  if (!hasText(`right.${right}`)) return "own";
  return GROUPS.find(([, names]) => names.test(right))?.[0] ?? "own";
}

/** The groups in the order of the page. */
export const groupNames = [...GROUPS.map(([name]) => name), "own"];

/** The access to a device; undefined if the user cannot log in there. @param {{devices: App.Access[]}} user @param {string} device */
export const accessOn = ({ devices }, device) => devices.find((each) => each.device === device);

/** All access of a user with other roles on a device; null removes it. @param {{devices: App.Access[]}} user @param {string} device @param {string[] | null} roles */
export const withAccess = ({ devices }, device, roles) => [...devices.filter((each) => each.device !== device), ...(roles ? [{ device, roles }] : [])];

/** The roles of a user that apply on a device, or in the office without one. @param {NativeApi.User} user @param {any | null} device @param {any[]} roles */
export function effectiveRoles(user, device, roles) {
  if (!device) return roles.filter((role) => user.roles.includes(role.name));
  const on = accessOn(user, device.name);
  return roles.filter((role) => on?.roles.includes(role.name) && role.environments.includes(device.environment));
}

/** The rights of these roles, each with the names of the roles that give it. @param {any[]} roles @returns {Map<string, string[]>} */
export function collectRights(roles) {
  const found = new Map();
  for (const role of roles) {
    for (const right of role.rights) found.set(right, [...(found.get(right) ?? []), roleName(role)]);
  }
  return found;
}
