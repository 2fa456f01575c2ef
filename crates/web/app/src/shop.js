// The tenant of the back office with its accent color, and reading the open page again.

import { call, repaint } from "./core.js";
import { toastProblem } from "./components/small.js";

/** The tenant, and whether something is being done for the person. */
export const shop = { tenant: /** @type {any} */ (null), isActing: false };

/** The limits of sessions that a tenant has. */
export const LIMITS = /** @type {const} */ (["access", "idle", "absolute", "overlap"]);

/** Reads the tenant. */
export async function loadShop() {
  const { data } = await call("GET", "tenants");
  shop.tenant = data.items[0];
  const root = document.documentElement;
  root.toggleAttribute("data-accent", shop.tenant.accent_color !== null);
  root.style.setProperty("--tenant-accent", shop.tenant.accent_color);
  repaint();
}

/** @type {() => Promise<void>} */
let refresher = async () => {};

/** @param {() => Promise<void>} refresh */
export const onRefresh = (refresh) => void (refresher = refresh);

/** Reads what the open page shows again. */
export const refreshPage = () => refresher();

/** Does something, reports its error as a message, and reads the open page again. @param {() => Promise<any>} run */
export async function act(run) {
  shop.isActing = true;
  repaint();
  await run().catch(toastProblem);
  shop.isActing = false;
  await refreshPage();
}
