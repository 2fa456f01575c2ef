// The tenant of the back office with its accent color, and reading the open page again.

import { call, hooks, repaint, toastProblem } from "./core.js";

/** The tenant, and whether something is being done for the person. */
export const shop = { tenant: /** @type {any} */ (null), isActing: false };
/** The limits of sessions that a tenant has. */
export const LIMITS = /** @type {const} */ (["access", "idle", "absolute", "overlap"]);

export async function loadShop() {
  const { data } = await call("GET", "tenants");
  shop.tenant = data.items[0];
  const root = document.documentElement;
  root.toggleAttribute("data-accent", shop.tenant.accent_color !== null);
  root.style.setProperty("--tenant-accent", shop.tenant.accent_color);
  repaint();
}

/** Reads what the open page shows again. */
export const refreshPage = () => hooks.refresh();

/** Does something, reports its error, and reads the open page again. */
export async function act(/** @type {() => Promise<any>} */ run) {
  shop.isActing = true;
  repaint();
  await run().catch(toastProblem);
  shop.isActing = false;
  await refreshPage();
}
