// @ts-check
// Days and periods in the time zone of the tenant.

import { currentZone } from "./time.js";

/** The date of an instant in the tenant's zone, such as 2026-11-29. @param {string | number | null | undefined} at */
export function dateOf(at) {
  if (!at) return "";
  // by parts, since no language has this form in every version of a browser
  const parts = new Intl.DateTimeFormat("en", { timeZone: currentZone(), year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(new Date(at));
  return ["year", "month", "day"].map((type) => parts.find((part) => part.type === type)?.value).join("-");
}

/** The first instant of a date in the tenant's zone, moved by days. @param {string} date @param {number} days */
function startOfDate(date, days) {
  const [year, month, day] = date.split("-").map(Number);
  const midnight = Date.UTC(year, month - 1, day + days);
  // the offset at that midnight, which may differ from that of a neighbor
  return midnight - offsetAt(midnight - offsetAt(midnight));
}

/** The last second of a date in the tenant's zone. @param {string} date */
export const endOfDate = (date) => new Date(startOfDate(date, 1) - 1_000).toISOString();

/** The start of a day in the tenant's zone, `days` before today. @param {number} days */
const startOfDay = (days) => new Date(startOfDate(dateOf(Date.now()), -days)).toISOString();

/** The start and the end of a period. @type {Record<string, () => {from?: string, until?: string}>} */
export const PERIODS = {
  day: () => ({ from: new Date((Math.floor(Date.now() / 60_000) - 1_440) * 60_000).toISOString() }),
  today: () => ({ from: startOfDay(0) }),
  yesterday: () => ({ from: startOfDay(1), until: startOfDay(0) }),
  week: () => ({ from: startOfDay(6) }),
  month: () => ({ from: startOfDay(29) }),
};

/** @param {number} instant */
function offsetAt(instant) {
  const parts = new Intl.DateTimeFormat("en", { timeZone: currentZone(), timeZoneName: "longOffset" }).formatToParts(new Date(instant));
  const name = parts.find((part) => part.type === "timeZoneName")?.value ?? "";
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? ["", "+", "0", "0"];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
