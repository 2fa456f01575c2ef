// @ts-check
// The tenant of the back office, and reading the open page again.

import { call } from "./api.js";
import { setZone } from "./time.js";

export const shop = { tenant: /** @type {any} */ (null) };

/** Reads the tenant. */
export async function loadShop() {
  const { data } = await call("GET", "tenants", { quiet: true });
  shop.tenant = data.items[0];
  setZone(shop.tenant.zone);
}

/** @type {() => Promise<void>} */
let refresher = async () => {};

/** @param {() => Promise<void>} refresh */
export function onRefresh(refresh) {
  refresher = refresh;
}

/** Reads what the open page shows again. */
export const refreshPage = () => refresher();
