// Acts on API keys: create, change, rotate, revoke, delete.

import { accessOn, call, collectRights, currentZone, dateOf, deviceOptions, directory, effectiveRoles, endOfDate, formatList,
  groupNames, groupOf, navigate, requireDirectories, t, tn, usableDevices, usablePeople, withQuery, word } from "../core.js";
import { differences, editDialog, formDialog, offerSecret, wording } from "../components/form.js";
import { askAndDelete, changeStatus } from "./sessions.js";

/** Rights that change nothing. */
const READ_ONLY = /(Read|Get|IntervalSalesReport|overviewSalesReport)$/;
const actor = (/** @type {App.Values} */ { user }) => usablePeople().find((each) => each.user_name === user);

/** The devices on which the person may log in, and the one that was chosen earlier.
 * @param {App.Values} values @param {any} [key] */
function chosenDevice(values, key) {
  const person = actor(values);
  const earlier = values.user === key?.user ? key?.device : undefined;
  const options = deviceOptions(usableDevices().filter(({ name }) => name === earlier || (person && accessOn(person, name))));
  const isStuck = person && options.length === 0;
  return { options, warning: isStuck ? t("key.device.none", { name: person.display_name }) : undefined };
}

/** The rights of the person on the device; undefined as long as one of them is not chosen. */
function rightsOf(/** @type {App.Values} */ values) {
  const [person, device] = [actor(values), directory("devices").find(({ name }) => name === values.device)];
  return person && device && collectRights(effectiveRoles(person, device, directory("roles")));
}

/** Warns of a key with all rights of a person who has none on the device. */
function allRights(/** @type {App.Values} */ values) {
  const names = { name: actor(values)?.display_name ?? "", device: values.device };
  return { warning: values.all && rightsOf(values)?.size === 0 ? t("key.rights.none", names) : undefined };
}

/** The rights that can be given to a key, and which of them its person lacks. */
function chosenRights(/** @type {App.Values} */ values, /** @type {App.Option[]} */ rights) {
  const held = rightsOf(values);
  const lacks = (/** @type {string} */ right) => held && !held.has("admin") && !held.has(right);
  const missing = rights.filter(({ value }) => values.permissions.includes(value) && lacks(value)).map(({ label }) => label);
  const place = { name: actor(values)?.display_name ?? "", device: values.device, rights: formatList(missing) };
  return {
    options: rights.map((right) => ({ ...right, note: lacks(right.value) ? t("key.right.lacking") : undefined })),
    warning: missing.length ? t("key.rights.lacking", place) : undefined,
  };
}

/** The rights as options, by group. One can give what one holds.
 * @returns {Promise<App.Option[]>} */
async function rightOptions() {
  const { data } = await call("GET", "rights");
  const rights = data.items.filter(({ name }) => name !== "admin").map((each) => ({ ...each, group: groupOf(each.name) }));
  rights.sort((a, b) => groupNames.indexOf(a.group) - groupNames.indexOf(b.group));
  return rights.map(({ name, group, held }) =>
    ({ value: name, label: word("right", name), group: t(`right_group.${group}`), disabled: !held }));
}

/** @returns {Promise<App.Field[]>} */
async function fields(/** @type {any} */ key) {
  await requireDirectories("users", "devices", "roles");
  const rights = await rightOptions();
  const readOnly = rights.filter(({ value, disabled }) => READ_ONLY.test(value) && !disabled).map(({ value }) => value);
  const people = usablePeople().map((user) => ({ value: user.user_name, label: user.display_name }));
  const presets = [{ label: t("key.read_only"), values: readOnly }];
  const hints = { expires: t("key.expires.hint", { zone: currentZone() }), rights: t("key.rights.hint") };
  const hasAll = key?.permissions.length === 0;
  const device = { label: t("key.device"), hint: t("key.device.hint") };
  const chosen = (/** @type {App.Values} */ values) => chosenRights(values, rights);
  return [
    { name: "name", required: true, max: 200 },
    { name: "description", type: "textarea" },
    { name: "user", label: t("key.user"), type: "select", required: true, options: people },
    { name: "device", type: "select", required: true, ...device, dependent: (values) => chosenDevice(values, key) },
    { name: "expires_at", type: "date", value: dateOf(key?.expires_at), hint: hints.expires },
    { name: "all", label: t("key.all_rights"), type: "check", value: hasAll, hint: hints.rights, dependent: allRights },
    { name: "permissions", type: "checks", required: true, presets, when: ({ all }) => !all, dependent: chosen },
  ];
}

/** The key that a form describes; without rights of its own it has all rights of its person. An
 * unchanged date keeps the time of the day. @param {App.Values} values @param {any} [key] */
function body({ all, permissions, expires_at: date, ...rest }, key) {
  const isKept = date === dateOf(key?.expires_at);
  const expires = isKept ? key?.expires_at ?? null : date ? endOfDate(date) : null;
  return { ...rest, expires_at: expires, permissions: all ? [] : permissions };
}

/** Creates a key, and shows its secret once. */
export async function createKey() {
  const created = await formDialog({
    title: t("key.new"),
    wide: true,
    fields: await fields(undefined),
    action: t("key.create"),
    asCall: (values) => ["POST", "api-keys", body(values)],
  });
  if (!created) return;
  await offerKey(created.data);
  navigate(withQuery({}, created.data.id));
}

/** Shows the secret of a key, which is shown only once. */
const offerKey = (/** @type {any} */ key) =>
  offerSecret({
    title: t("key.secret", { name: key.name }),
    text: t("key.secret.text"),
    content: `TILLGATE_CLIENT_ID=${key.client_id}\nTILLGATE_CLIENT_SECRET=${key.client_secret}\n`,
    file: "tillgate.env",
  });

export async function editKey(/** @type {any} */ key, /** @type {string | null} */ etag) {
  const change = (/** @type {App.Values} */ values) => differences(key, body(values, key));
  await editDialog(key.name, await fields(key), { wide: true, edit: { path: `api-keys/${key.id}`, etag, base: key, change } });
}

export async function rotateKey(/** @type {any} */ key, /** @type {string | null} */ etag) {
  const options = [1, 4, 24].map((hours) => ({ value: String(hours), label: tn("key.overlap_hours", hours) }));
  const rotated = await formDialog({
    ...wording("key.rotate", { name: key.name }),
    fields: [{ name: "overlap", label: t("key.overlap.label"), type: "select", required: true, value: "24", options }],
    asCall: ({ overlap }) => ["POST", `api-keys/${key.id}/rotate`, { overlap_hours: Number(overlap) }, { ifMatch: etag ?? "*" }],
  });
  if (rotated) await offerKey({ ...key, ...rotated.data });
}

/** @param {any} key @param {"active" | "revoked"} status @returns {Promise<void>} */
export const setKeyStatus = (key, status) =>
  changeStatus(`api-keys/${key.id}`, status, t(`key.now.${status}`, { name: key.name }), {
    undo: () => setKeyStatus(key, status === "active" ? "revoked" : "active"),
  });

export const deleteKey = (/** @type {any} */ { id, name }) =>
  askAndDelete(`api-keys/${id}`, { ...wording("key.delete", { name }), name }, t("key.deleted", { name }), withQuery({}, null));
