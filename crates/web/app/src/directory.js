// @ts-check
// Lists that many pages need: stores, roles, devices, people. Each is read once, and again after it
// changed.

import { can, compareNames, hooks, inZone, Problem, readAll, repaint, roleName } from "./core.js";
import { onChange } from "./live.js";

const MAX_AGE = 60_000;
const RETRY_DELAY = 5_000;

/** @type {Record<string, {path: string, kind: string, right?: string, query?: any, name: (item: any) => string}>} */
const SOURCES = {
  stores: { path: "stores", kind: "store", name: (item) => item.name },
  roles: { path: "roles", kind: "role", name: (item) => item.name },
  devices: { path: "devices", kind: "device", name: (item) => item.name },
  users: { path: "users", kind: "user", right: "userRead", name: (item) => item.display_name },
};

/** @type {Record<string, any[]>} */
const lists = {};
/** @type {Record<string, number>} */
const readAt = {};
/** @type {Record<string, number>} */
const changedAt = {};
/** @type {Record<string, Promise<any[]>>} */
const pending = {};

/** Whether a list was read less than a time ago, and has not changed since. @param {string} name @param {number} maxAge */
const isFresh = (name, maxAge) => Date.now() - (readAt[name] ?? 0) < maxAge && readAt[name] > (changedAt[name] ?? 0);

/**
 * Returns a list as far as it was read; reads it in the background if it is old.
 * @param {"stores" | "roles" | "devices" | "users"} name
 * @returns {any[]}
 */
export function directory(name) {
  if (!isFresh(name, MAX_AGE) && !pending[name]) loadDirectory(name).catch(() => {});
  return lists[name] ?? [];
}

/** Reads a list. @param {"stores" | "roles" | "devices" | "users"} name @returns {Promise<any[]>} */
export function loadDirectory(name) {
  const source = SOURCES[name];
  if (source.right && !can(source.right)) return Promise.resolve((lists[name] = []));
  const startedAt = Date.now();
  pending[name] ??= readAll(source.path, source.query)
    .then((items) => {
      readAt[name] = startedAt;
      lists[name] = items.sort((a, b) => compareNames(source.name(a), source.name(b)));
      return lists[name];
    })
    .catch((error) => {
      const isRefused = error instanceof Problem && error.status === 403;
      readAt[name] = Date.now() - (isRefused ? 0 : MAX_AGE - RETRY_DELAY);
      changedAt[name] = 0;
      setTimeout(repaint, RETRY_DELAY + 100);
      if (isRefused) return (lists[name] = []);
      throw error;
    })
    .finally(() => {
      delete pending[name];
      repaint();
    });
  return pending[name];
}

/**
 * Reads lists that must be complete, such as those of a form.
 * @param {("stores" | "roles" | "devices" | "users")[]} names
 */
export const requireDirectories = (...names) =>
  Promise.all(names.map((name) => (isFresh(name, 5_000) ? lists[name] : loadDirectory(name))));

/** The names for people of the roles with these names. @param {string[]} names */
export const roleNames = (names) =>
  names.map((name) => roleName(directory("roles").find((role) => role.name === name) ?? { name }));

/** The roles as options of a selection. */
export const roleOptions = () => directory("roles").map((role) => ({ value: role.name, label: roleName(role) }));

/** The time zone of a store; undefined if it has none of its own. @param {string | null | undefined} id @returns {string | undefined} */
export const zoneOfStore = (id) => directory("stores").find((store) => store.id === id)?.zone ?? undefined;

/**
 * Returns what `view` returns with the times of the store of an item: of a device, or of what is on one.
 * @template T
 * @param {any} item
 * @param {() => T} view
 */
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

/**
 * The display name of a user, as far as it is known.
 * @param {{id: string, user_name?: string | null, display_name?: string | null} | null | undefined} user
 */
export function nameOf(user) {
  if (!user) return "";
  return user.display_name ?? directory("users").find((each) => each.id === user.id)?.display_name ?? user.user_name ?? "";
}

/** @param {(source: typeof SOURCES[string]) => boolean} isMeant */
const noteChange = (isMeant) => {
  for (const [name, source] of Object.entries(SOURCES)) if (isMeant(source)) changedAt[name] = Date.now();
};

onChange(({ kind }) => noteChange((source) => source.kind === kind));
hooks.changed = (path) => noteChange((source) => path.startsWith(source.path));
