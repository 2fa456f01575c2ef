// Decides about a machine that shows a code and waits.

import { act, call, can, deviceOptions, refreshPage, requireDirectories, t, toast, usableDevices } from "../core.js";
import { confirmDialog, formDialog, wording } from "../components/form.js";
import { explained } from "../pages/enroll.js";
import { environmentField } from "./devices.js";

/** Stands for a device that is added first. It is the name of no device. */
const NEW = " ";
/** Reports why the decision failed. */
const explain = (/** @type {unknown} */ error) => Promise.reject(explained(error));

/** Accepts the machine, by the digits that it shows, for a device that is chosen or added. */
export async function acceptMachine(/** @type {string} */ code) {
  await requireDirectories("devices");
  const isNew = (/** @type {App.Values} */ { device }) => device === NEW;
  /** The name of the device that was added. @type {string | undefined} */
  let added;
  const body = (/** @type {App.Values} */ values) => ({
    device: isNew(values) ? (added ?? values.name) : values.device,
    fingerprint: values.fingerprint.trim(),
    replace: !isNew(values) && values.replace,
  });
  const options = deviceOptions(usableDevices().filter(({ status }) => status === "active"));
  if (can("deviceCreate")) options.push({ value: NEW, label: t("device.new") });
  const accepted = await formDialog({
    ...wording("machine.accept"),
    fields: [
      { name: "device", type: "select", required: true, options },
      { name: "name", required: true, max: 100, hint: t("device.name.hint"), when: isNew },
      { ...environmentField(), when: isNew },
      { name: "fingerprint", label: t("machine.digits"), required: true, max: 16, hint: t("machine.digits.hint") },
      { name: "replace", label: t("machine.replace"), type: "check", when: (values) => !isNew(values) },
    ],
    asCall: (values) => ["POST", `enrollments/${code}/accept`, body(values)],
    submit: async (values) => {
      const { name, environment } = values;
      if (isNew(values)) added ??= (await call("POST", "devices", { body: { name, environment } })).data.name;
      return call("POST", `enrollments/${encodeURIComponent(code)}/accept`, { body: body(values) }).catch(explain);
    },
  });
  if (accepted) toast(t("machine.was_accepted"));
  await refreshPage();
}

/** Denies the machine. @param {string} code */
export async function denyMachine(code) {
  if (!(await confirmDialog(wording("machine.deny")))) return;
  await act(async () => {
    await call("POST", `enrollments/${encodeURIComponent(code)}/deny`, { body: {} }).catch(explain);
    toast(t("machine.was_denied"));
  });
}
