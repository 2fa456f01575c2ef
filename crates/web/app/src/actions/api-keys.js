// Acts on API keys: create, change, rotate, revoke, delete.

import { accessOn, call, collectRights, currentZone, dateOf, directory, effectiveRoles, endOfDate, formatList, groupNames, groupOf, navigate, requireDirectories, t, tn, usableDevices, usablePeople, withQuery, word } from "../core.js";
import { differences, editDialog, formDialog, offerSecret } from "../components/form.js";
import { askAndDelete, changeStatus } from "./sessions.js";

/** Rights that change nothing. */
const READ_ONLY = /(Read|Get|IntervalSalesReport|overviewSalesReport)$/;

/** The person as whom a key acts. @param {Record<string, any>} values @returns {NativeApi.User | undefined} */
const actor = ({ user }) => usablePeople().find((each) => each.user_name === user);

/** The devices on which a person may log in, and one that was chosen earlier. @param {NativeApi.User | undefined} person @param {string} [chosen] */
const devicesOf = (person, chosen) =>
  usableDevices().filter(({ name }) => name === chosen || (person && accessOn(person, name))).map(({ name }) => ({ value: name, label: name }));

/** The rights of the person on the device; undefined as long as one of them is not chosen. @param {Record<string, any>} values */
function rightsOf(values) {
  const [person, device] = [actor(values), directory("devices").find(({ name }) => name === values.device)];
  return person && device && collectRights(effectiveRoles(person, device, directory("roles")));
}

/** What a key lacks that has all rights of its person. @param {Record<string, any>} values */
const allLack = (values) =>
  values.all && rightsOf(values)?.size === 0 ? t("key.rights.none", { name: actor(values)?.display_name ?? "", device: values.device }) : undefined;

/** The rights that can be given to a key, and which of them its person lacks. @param {Record<string, any>} values @param {App.Option[]} rights */
function chosenRights(values, rights) {
  const held = rightsOf(values);
  const lacks = (/** @type {string} */ right) => held && !held.has("admin") && !held.has(right);
  const missing = rights.filter(({ value }) => values.permissions.includes(value) && lacks(value)).map(({ label }) => label);
  const place = { name: actor(values)?.display_name ?? "", device: values.device, rights: formatList(missing) };
  return {
    options: rights.map((right) => ({ ...right, note: lacks(right.value) ? t("key.right.lacking") : undefined })),
    warning: missing.length ? t("key.rights.lacking", place) : undefined,
  };
}

/** @param {any} [key] @returns {Promise<App.Field[]>} */
async function fields(key) {
  await requireDirectories("users", "devices", "roles");
  const { data } = await call("GET", "rights");
  const rights = data.items
    .filter((/** @type {any} */ right) => right.name !== "admin")
    .map((/** @type {any} */ right) => ({ ...right, group: groupOf(right.name) }))
    .sort((/** @type {any} */ a, /** @type {any} */ b) => groupNames.indexOf(a.group) - groupNames.indexOf(b.group))
    .map((/** @type {any} */ right) => ({ value: right.name, label: word("right", right.name), group: t(`right_group.${right.group}`), disabled: !right.held }));
  const readOnly = rights.filter((/** @type {any} */ right) => READ_ONLY.test(right.value) && !right.disabled).map((/** @type {any} */ right) => right.value);
  const devices = (/** @type {Record<string, any>} */ values) => {
    const [person, options] = [actor(values), devicesOf(actor(values), values.user === key?.user ? key?.device : undefined)];
    return { options, warning: person && options.length === 0 ? t("key.device.none", { name: person.display_name }) : undefined };
  };
  return [
    { name: "name", label: t("field.name"), required: true, value: key?.name, max: 200 },
    { name: "description", label: t("field.description"), type: "textarea", value: key?.description },
    { name: "user", label: t("key.user"), type: "select", required: true, value: key?.user, options: usablePeople().map((user) => ({ value: user.user_name, label: user.display_name })) },
    { name: "device", label: t("key.device"), type: "select", required: true, value: key?.device, hint: t("key.device.hint"), dependent: devices },
    { name: "expires_at", label: t("key.expires"), type: "date", value: dateOf(key?.expires_at), hint: t("key.expires.hint", { zone: currentZone() }) },
    { name: "all", label: t("key.all_rights"), type: "check", value: key?.permissions.length === 0, hint: t("key.rights.hint"), dependent: (values) => ({ warning: allLack(values) }) },
    {
      name: "permissions",
      label: t("key.rights"),
      required: true,
      when: (values) => !values.all,
      type: "checks",
      value: key?.permissions,
      presets: [{ label: t("key.read_only"), values: readOnly }],
      dependent: (values) => chosenRights(values, rights),
    },
  ];
}

/** The key that a form describes; without rights of its own it has all rights of its person. An unchanged date keeps the time of the day. @param {Record<string, any>} values @param {any} [key] */
function body({ all, permissions, expires_at: date, ...rest }, key) {
  const expires = date === dateOf(key?.expires_at) ? key?.expires_at ?? null : date ? endOfDate(date) : null;
  return { ...rest, expires_at: expires, permissions: all ? [] : permissions };
}

/** Creates a key, and shows its secret once. */
export async function createKey() {
  const created = await formDialog({
    title: t("key.new"),
    wide: true,
    fields: await fields(),
    action: t("key.create"),
    asCall: (values) => ["POST", "api-keys", body(values)],
  });
  if (!created) return;
  await offerKey(created.data);
  navigate(withQuery({}, created.data.id));
}

/** Shows the secret of a key, which is shown only once. @param {any} key */
const offerKey = (key) =>
  offerSecret({
    title: t("key.secret", { name: key.name }),
    text: t("key.secret.text"),
    content: `TILLGATE_CLIENT_ID=${key.client_id}\nTILLGATE_CLIENT_SECRET=${key.client_secret}\n`,
    file: "tillgate.env",
  });

/** @param {any} key @param {string | null} etag */
export async function editKey(key, etag) {
  const change = (/** @type {App.Values} */ values) => differences(key, body(values, key));
  await editDialog(key.name, await fields(key), { wide: true, edit: { path: `api-keys/${key.id}`, etag, base: key, change } });
}

/** @param {any} key @param {string | null} etag */
export async function rotateKey(key, etag) {
  const options = [1, 4, 24].map((hours) => ({ value: String(hours), label: tn("key.overlap_hours", hours) }));
  const rotated = await formDialog({
    title: t("key.rotate.title", { name: key.name }),
    text: t("key.rotate.text"),
    fields: [{ name: "overlap", label: t("key.overlap.label"), type: "select", required: true, value: "24", options }],
    action: t("key.rotate"),
    asCall: (values) => ["POST", `api-keys/${key.id}/rotate`, { overlap_hours: Number(values.overlap) }, { ifMatch: etag ?? "*" }],
  });
  if (rotated) await offerKey({ ...key, ...rotated.data });
}

/** @param {any} key @param {"active" | "revoked"} status @returns {Promise<void>} */
export const setKeyStatus = (key, status) =>
  changeStatus(`api-keys/${key.id}`, status, t(`key.now.${status}`, { name: key.name }), {
    undo: () => setKeyStatus(key, status === "active" ? "revoked" : "active"),
  });

/** @param {any} key */
export function deleteKey(key) {
  const { name } = key;
  const question = { title: t("key.delete", { name }), text: t("key.delete.text"), action: t("delete"), name };
  return askAndDelete(`api-keys/${key.id}`, question, t("key.deleted", { name }), withQuery({}, null));
}
