// @ts-check
// Deletes what the person has confirmed.

import { call, navigate } from "../core.js";
import { confirmDialog } from "../components/form.js";
import { act } from "../shop.js";
import { toastEnding } from "./sessions.js";

/**
 * Asks whether to delete something, deletes it, and goes where the list of the others is.
 * @param {string} path
 * @param {Parameters<typeof confirmDialog>[0]} question
 * @param {string} done what to report
 * @param {string} [list] the address to go to
 */
export async function askAndDelete(path, question, done, list) {
  if (!(await confirmDialog(question))) return;
  await act(async () => {
    toastEnding(await call("DELETE", path, { ifMatch: "*" }), done);
    if (list) navigate(list);
  });
}
