// Lists that many pages need: stores, roles, devices, people. Each is read once, and again after it
// changed.

import { hooks, Problem, readAll } from "./api.js";
import { compareNames } from "./i18n.js";
import { onChange } from "./live.js";
import { can, roleName } from "./rights.js";
import { inZone } from "./time.js";
import { repaint } from "./view.js";

const MAX_AGE = 60_000;
const RETRY_DELAY = 5_000;

/** A list that is not read yet. @param {string} kind of its changes @param {string} [right] to read it */
const listOf = (kind, right) => ({ kind, right, items: /** @type {any[]} */ ([]), readAt: 0, changedAt: 0, pending: /** @type {Promise<any[]> | null} */ (null) });

/** The lists, by their paths. */
const lists = { stores: listOf("store"), roles: listOf("role"), devices: listOf("device"), users: listOf("user", "userRead") };

/** Whether a list was read less than a time ago, and has not changed since. @param {ReturnType<typeof listOf>} list @param {number} maxAge */
const isFresh = ({ readAt, changedAt }, maxAge) => Date.now() - readAt < maxAge && readAt > changedAt;

/** Returns a list as far as it was read; reads it in the background if it is old. @param {keyof typeof lists} name */
export function directory(name) {
  if (!isFresh(lists[name], MAX_AGE) && !lists[name].pending) loadDirectory(name).catch(() => {});
  return lists[name].items;
}

/** Reads a list. @param {keyof typeof lists} name @returns {Promise<any[]>} */
export function loadDirectory(name) {
  const list = lists[name];
  if (list.right && !can(list.right)) return Promise.resolve((list.items = []));
  const startedAt = Date.now();
  list.pending ??= readAll(name)
    .then((items) => {
      list.readAt = startedAt;
      return (list.items = items.sort((a, b) => compareNames(a.display_name ?? a.name, b.display_name ?? b.name)));
    })
    .catch((error) => {
      const isRefused = error instanceof Problem && error.status === 403;
      Object.assign(list, { readAt: Date.now() - (isRefused ? 0 : MAX_AGE - RETRY_DELAY), changedAt: 0 });
      setTimeout(repaint, RETRY_DELAY + 100);
      if (isRefused) return (list.items = []);
      throw error;
    })
    .finally(() => {
      list.pending = null;
      repaint();
    });
  return list.pending;
}

/** Reads lists that must be complete, such as those of a form. @param {(keyof typeof lists)[]} names */
export const requireDirectories = (...names) =>
  Promise.all(names.map((name) => (isFresh(lists[name], 5_000) ? lists[name].items : loadDirectory(name))));

/** The names for people of the roles with these names. @param {string[]} names */
export const roleNames = (names) =>
  names.map((name) => roleName(directory("roles").find((role) => role.name === name) ?? { name }));

/** The roles as options of a selection. */
export const roleOptions = () => directory("roles").map((role) => ({ value: role.name, label: roleName(role) }));

/** The time zone of a store; undefined if it has none of its own. @param {string | null | undefined} id @returns {string | undefined} */
export const zoneOfStore = (id) => directory("stores").find((store) => store.id === id)?.zone ?? undefined;

/** Returns what `view` returns with the times of the store of an item: of a device, or of what is on one. @template T @param {any} item @param {() => T} view */
export function atPlaceOf(item, view) {
  if (!directory("stores").some(({ zone }) => zone)) return view();
  const device = item.environment ? item : directory("devices").find(({ id }) => id === item.device?.id);
  return inZone(zoneOfStore(device?.store?.id), view);
}

/** The stores as options of a selection. */
export const storeOptions = () => directory("stores").map(({ id, name }) => ({ value: id, label: name }));

/** The people as options of a selection, by id. @param {any[]} [people] */
export const peopleOptions = (people = directory("users")) => people.map((each) => ({ value: each.id, label: each.display_name }));

/** Devices that are not retired. */
export const usableDevices = () => directory("devices").filter((device) => device.status !== "retired");

/** The devices that are not retired, by name, as options of a selection. */
export const deviceOptions = () => usableDevices().map(({ name }) => ({ value: name, label: name }));

/** People who are not deleted. */
export const usablePeople = () => directory("users").filter((user) => user.status !== "deleted");

/** The display name of a user, as far as it is known. @param {{id: string, user_name?: string | null, display_name?: string | null} | null | undefined} user */
export function nameOf(user) {
  if (!user) return "";
  return user.display_name ?? directory("users").find((each) => each.id === user.id)?.display_name ?? user.user_name ?? "";
}

/** @param {(kind: string, path: string) => boolean} isMeant */
const noteChange = (isMeant) => {
  for (const [path, list] of Object.entries(lists)) if (isMeant(list.kind, path)) list.changedAt = Date.now();
};

onChange((change) => noteChange((kind) => kind === change.kind));
hooks.changed = (changed) => noteChange((_, path) => changed.startsWith(path));
