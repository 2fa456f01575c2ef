// What a change of a role would change for whom, before it is saved.

import { compareRights, directory, effectiveRoles, roleName, t, tn, usablePeople, word } from "../core.js";

const MAX_LOSSES = 3;

/** Returns the effect of other rights of a role in sentences. @param {NativeApi.Role} role @param {Set<string>} rights @param {any[]} roles @returns {string[]} */
export function effectOf(role, rights, roles) {
  const added = [...rights].filter((right) => !role.rights.includes(right));
  const removed = role.rights.filter((/** @type {string} */ right) => !rights.has(right));
  const changed = roles.map((each) => (each.id === role.id ? { ...each, rights: [...rights] } : each));
  const people = new Set();
  const devices = new Set();
  /** @type {string[]} */
  const losses = [];
  for (const user of usablePeople()) {
    for (const device of [null, ...directory("devices")]) {
      if (device && !user.devices.some((/** @type {any} */ each) => each.device === device.name)) continue;
      const { gained, lost, isAdmin } = compareRights(effectiveRoles(user, device, roles), effectiveRoles(user, device, changed));
      if ((isAdmin || !lost.length) && !gained.length) continue;
      people.add(user.id);
      if (device) devices.add(device.id);
      for (const right of isAdmin ? [] : lost) {
        losses.push(t("role.effect.loses", { name: user.display_name, right: word("right", right), where: device?.name ?? t("access.office") }));
      }
    }
  }
  const summary = t("role.effect", {
    role: roleName(role),
    change: `+${added.length} −${removed.length}`,
    people: tn("count.people", people.size),
    devices: tn("count.devices", devices.size),
  });
  const rest = losses.length - MAX_LOSSES;
  return [summary, ...losses.slice(0, MAX_LOSSES), ...(rest > 0 ? [tn("role.effect.more", rest)] : [])];
}
