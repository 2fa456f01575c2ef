// Decides about a machine that shows a code and waits.

import { call, can, optionsOf, Problem, requireDirectories, t, toast, usableDevices, word } from "../core.js";
import { confirmDialog, formDialog } from "../components/form.js";
import { environments } from "../pages/board.js";
import { act, refreshPage } from "../shop.js";

/** Stands for a device that is added first. It is the name of no device. */
const NEW = " ";

/** A machine that waits no longer is unknown. @param {unknown} error */
const explain = (error) =>
  Promise.reject(error instanceof Problem && error.code === "not_found" ? new Problem(404, { code: "enrollment_unknown" }) : error);

/** Accepts the machine for a device that the person chooses or adds, by the digits that it shows. @param {string} code */
export async function acceptMachine(code) {
  await requireDirectories("devices");
  const isNew = (/** @type {App.Values} */ { device }) => device === NEW;
  /** The name of the device that was added. @type {string | undefined} */
  let added;
  const body = (/** @type {App.Values} */ values) => ({ device: isNew(values) ? (added ?? values.name) : values.device, fingerprint: values.fingerprint.trim(), replace: !isNew(values) && values.replace });
  const devices = optionsOf(usableDevices().filter(({ status }) => status === "active").map(({ name }) => name), (name) => name);
  if (can("deviceCreate")) devices.push({ value: NEW, label: t("device.new") });
  const accepted = await formDialog({
    title: t("machine.accept.title"),
    text: t("machine.accept.text"),
    fields: [
      { name: "device", label: t("field.device"), type: "select", required: true, options: devices },
      { name: "name", label: t("field.name"), required: true, max: 100, hint: t("device.name.hint"), when: isNew },
      { name: "environment", label: t("field.environment"), type: "select", required: true, value: "CashRegister", options: optionsOf(environments, (name) => word("environment", name)), when: isNew },
      { name: "fingerprint", label: t("machine.digits"), required: true, max: 16, hint: t("machine.digits.hint") },
      { name: "replace", label: t("machine.replace"), type: "check", when: (values) => !isNew(values) },
    ],
    action: t("machine.accept"),
    asCall: (values) => ["POST", `enrollments/${code}/accept`, body(values)],
    submit: async (values) => {
      if (isNew(values)) added ??= (await call("POST", "devices", { body: { name: values.name, environment: values.environment } })).data.name;
      return (await call("POST", `enrollments/${encodeURIComponent(code)}/accept`, { body: body(values) }).catch(explain)).data;
    },
  });
  if (accepted) toast(t("machine.was_accepted"));
  await refreshPage();
}

/** Denies the machine. @param {string} code */
export async function denyMachine(code) {
  if (!(await confirmDialog({ title: t("machine.deny.title"), text: t("machine.deny.text"), action: t("machine.deny") }))) return;
  await act(async () => {
    await call("POST", `enrollments/${encodeURIComponent(code)}/deny`, { body: {} }).catch(explain);
    toast(t("machine.was_denied"));
  });
}
