// Lists that many pages need: stores, roles, devices, people. Each is read once, and again after it
// changed.

import { hasStatus, hooks, readAll } from "./api.js";
import { compareNames, optionsOf } from "./i18n.js";
import { onChange } from "./live.js";
import { can, roleName } from "./rights.js";
import { inZone } from "./time.js";
import { repaint } from "./view.js";

const MAX_AGE = 60_000;
const RETRY_DELAY = 5_000;

const UNREAD = { items: [], pending: null, readAt: 0, changedAt: 0 };

/** The lists, by their paths. @type {Record<App.DirectoryName, App.Directory>} */
const lists = {
  stores: { ...UNREAD, kind: "store" },
  roles: { ...UNREAD, kind: "role" },
  devices: { ...UNREAD, kind: "device" },
  users: { ...UNREAD, kind: "user", right: "userRead" },
};

/** Whether a list was read less than a time ago, and has not changed since. */
const isFresh = (/** @type {App.Directory} */ { readAt, changedAt }, /** @type {number} */ maxAge) =>
  Date.now() - readAt < maxAge && readAt > changedAt;

/** Returns what was read of a list, and reads it again if it is old. */
export function directory(/** @type {App.DirectoryName} */ name) {
  const list = lists[name];
  if (!isFresh(list, MAX_AGE) && !list.pending) loadDirectory(name).catch(() => {});
  return list.items;
}

/** The item with an id. @param {App.DirectoryName} name @param {string | null | undefined} id */
export const findItem = (name, id) => directory(name).find((each) => each.id === id);

/** Reads a list. @param {App.DirectoryName} name @returns {Promise<any[]>} */
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
      const isRefused = hasStatus(error, 403);
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

/** Reads lists that must be complete, as in a form. @param {App.DirectoryName[]} names */
export const requireDirectories = (...names) =>
  Promise.all(names.map((name) => (isFresh(lists[name], 5_000) ? lists[name].items : loadDirectory(name))));

/** The names for people of the roles with these names. @param {string[]} names */
export const roleNames = (names) =>
  names.map((name) => roleName(directory("roles").find((role) => role.name === name) ?? { name }));

export const roleOptions = () => directory("roles").map((role) => ({ value: role.name, label: roleName(role) }));

/** The zone of a store, if it has one of its own. @param {string | null | undefined} id */
export const zoneOfStore = (id) => findItem("stores", id)?.zone;

/** Returns what `view` returns with the times of the store of an item: of a device, or of what is
 * on one. @template T @param {any} item @param {() => T} view */
export function atPlaceOf(item, view) {
  if (!directory("stores").some(({ zone }) => zone)) return view();
  const device = item.environment ? item : findItem("devices", item.device?.id);
  return inZone(zoneOfStore(device?.store?.id), view);
}

export const storeOptions = () => directory("stores").map(({ id, name }) => ({ value: id, label: name }));
/** People as options of a selection, by id. */
export const peopleOptions = (people = directory("users")) => people.map(({ id, display_name: label }) => ({ value: id, label }));

/** Devices that are not retired. */
export const usableDevices = () => directory("devices").filter((device) => device.status !== "retired");
/** Devices as options of a selection, by name. */
export const deviceOptions = (devices = usableDevices()) => optionsOf(devices.map(({ name }) => name));

/** People who are not deleted. */
export const usablePeople = () => directory("users").filter((user) => user.status !== "deleted");

/** The display name of a user, as far as it is known. @param {App.Named | null | undefined} user */
export const nameOf = (user) => user ? user.display_name ?? findItem("users", user.id)?.display_name ?? user.user_name ?? "" : "";

const noteChange = (/** @type {(kind: string, path: string) => boolean} */ isMeant) => {
  for (const [path, list] of Object.entries(lists)) if (isMeant(list.kind, path)) list.changedAt = Date.now();
};

onChange((change) => noteChange((kind) => kind === change.kind));
hooks.changed = (changed) => noteChange((_, path) => changed.startsWith(path));
