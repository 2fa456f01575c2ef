// @ts-check
// Acts on API keys: create, change, rotate, revoke, delete.

import { call } from "../api.js";
import { differences, patch } from "../components/conflict.js";
import { confirmDialog, copy, dialogHead, openDialog } from "../components/dialog.js";
import { formDialog } from "../components/form.js";
import { icon } from "../components/icon.js";
import { toast } from "../components/toast.js";
import { directory, requireDirectories, usableDevices } from "../directory.js";
import { t, tn, word } from "../i18n.js";
import { groupNames, groupOf } from "../rights.js";
import { navigate, withQuery } from "../router.js";
import { act } from "../shop.js";
import { html } from "../view.js";

/** @param {any} [key] @returns {Promise<import("../components/form.js").Field[]>} */
async function fields(key) {
  await requireDirectories("users", "devices");
  const { data } = await call("GET", "rights");
  const rights = data.items
    .filter((/** @type {any} */ right) => right.name !== "admin")
    .map((/** @type {any} */ right) => ({ ...right, group: groupOf(right.name) }))
    .sort((/** @type {any} */ a, /** @type {any} */ b) => groupNames.indexOf(a.group) - groupNames.indexOf(b.group));
  const none = { value: "", label: t("choose"), disabled: true };
  return [
    { name: "name", label: t("field.name"), required: true, value: key?.name, max: 200 },
    { name: "description", label: t("field.description"), type: "textarea", value: key?.description },
    { name: "user", label: t("key.user"), type: "select", required: true, value: key?.user, options: [none, ...directory("users").filter((user) => user.status !== "deleted").map((user) => ({ value: user.user_name, label: user.display_name }))] },
    { name: "device", label: t("key.device"), type: "select", required: true, value: key?.device, options: [none, ...usableDevices().map(({ name }) => ({ value: name, label: name }))], hint: t("key.device.hint") },
    { name: "all", label: t("key.all_rights"), type: "check", value: key?.permissions.length === 0, hint: t("key.rights.hint") },
    {
      name: "permissions",
      label: t("key.rights"),
      required: true,
      when: (values) => !values.all,
      type: "checks",
      value: key?.permissions,
      options: rights.map((/** @type {any} */ right) => ({ value: right.name, label: word("right", right.name), group: t(`right_group.${right.group}`), disabled: !right.held })),
    },
  ];
}

/** The key that a form describes; without rights of its own it has all rights of its person. @param {Record<string, any>} values */
const body = ({ all, permissions, ...rest }) => ({ ...rest, permissions: all ? [] : permissions });

/** Creates a key, and shows its secret once. */
export async function createKey() {
  const created = await formDialog({
    title: t("key.new"),
    wide: true,
    fields: await fields(),
    action: t("key.create"),
    submit: async (values) => (await call("POST", "api-keys", { body: body(values) })).data,
    asCall: (values) => ["POST", "api-keys", body(values)],
  });
  if (!created) return;
  await offerSecret(created);
  navigate(withQuery({}, created.id));
}

/** Shows the secret of a key, which is shown only once. @param {any} key */
function offerSecret(key) {
  const file = "tillgate.env";
  const content = `TILLGATE_CLIENT_ID=${key.client_id}\nTILLGATE_CLIENT_SECRET=${key.client_secret}\n`;
  let stored = false;
  const check = (/** @type {Event} */ event) => {
    stored = /** @type {HTMLInputElement} */ (event.target).checked;
  };
  const address = URL.createObjectURL(new Blob([content], { type: "text/plain" }));
  return openDialog(
    (close) => html`
      <form @submit=${(/** @type {Event} */ event) => (event.preventDefault(), stored && close())}>
        ${dialogHead(t("key.secret", { name: key.name }), null)}
        <div class="dialog-body">
          <p>${t("key.secret.text")}</p>
          <pre class="secret">${content}</pre>
          <p class="row">
            <button type="button" class="button" @click=${() => copy(content)}>${icon("copy")}${t("copy")}</button>
            <a class="button" href=${address} download=${file}>${icon("download")}${t("download_as", { file })}</a>
          </p>
          <label class="check"><input type="checkbox" required @change=${check}>${t("secret.stored")}</label>
        </div>
        <footer class="dialog-foot"><button class="button primary">${t("done")}</button></footer>
      </form>`,
    { locked: true },
  ).finally(() => URL.revokeObjectURL(address));
}

/** @param {any} key @param {string | null} etag */
export async function editKey(key, etag) {
  const all = await fields(key);
  await formDialog({
    title: t("edit.title", { name: key.name }),
    wide: true,
    fields: all,
    action: t("save"),
    submit: (values) => patch(`api-keys/${key.id}`, etag, key, differences(key, body(values))),
    asCall: (values) => ["PATCH", `api-keys/${key.id}`, differences(key, body(values))],
  });
}

/** @param {any} key @param {string | null} etag */
export async function rotateKey(key, etag) {
  const options = [1, 4, 24].map((hours) => ({ value: String(hours), label: tn("key.overlap_hours", hours) }));
  const rotated = await formDialog({
    title: t("key.rotate.title", { name: key.name }),
    text: t("key.rotate.text"),
    fields: [{ name: "overlap", label: t("key.overlap.label"), type: "select", required: true, value: "24", options }],
    action: t("key.rotate"),
    submit: async (values) => (await call("POST", `api-keys/${key.id}/rotate`, { body: { overlap_hours: Number(values.overlap) }, ifMatch: etag ?? "*" })).data,
    asCall: (values) => ["POST", `api-keys/${key.id}/rotate`, { overlap_hours: Number(values.overlap) }],
  });
  if (!rotated) return;
  await offerSecret({ ...key, ...rotated });
}

/** @param {any} key @param {"active" | "revoked"} status */
export const setKeyStatus = (key, status) =>
  act(async () => {
    await patch(`api-keys/${key.id}`, "*", key, { status });
    const other = status === "active" ? "revoked" : "active";
    toast(t(`key.now.${status}`, { name: key.name }), { action: { label: t("undo"), run: () => setKeyStatus(key, other) } });
  });

/** @param {any} key */
export async function deleteKey(key) {
  if (!(await confirmDialog({ title: t("key.delete", { name: key.name }), text: t("key.delete.text"), action: t("delete"), name: key.name }))) return;
  await act(async () => {
    await call("DELETE", `api-keys/${key.id}`, { ifMatch: "*" });
    toast(t("key.deleted", { name: key.name }));
    navigate(withQuery({}, null));
  });
}
