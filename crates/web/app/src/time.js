// @ts-check
// Instants in the time zone of the tenant.

import { formatRelative, locale } from "./i18n.js";

let zone = "UTC";

/** @param {string} name */
export function setZone(name) {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    zone = name;
  } catch {
    zone = "UTC";
  }
}

export const currentZone = () => zone;

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {string} name @param {Intl.DateTimeFormatOptions} options */
function format(name, options) {
  const key = `${name} ${locale()} ${zone}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale(), { timeZone: zone, hourCycle: "h23", ...options });
    formats.set(key, found);
  }
  return found;
}

/** @param {string} at */
export const formatTime = (at) => format("time", { hour: "2-digit", minute: "2-digit" }).format(new Date(at));

/** @param {string} at */
export const formatSeconds = (at) =>
  format("seconds", { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(at));

/** @param {string} at */
export const formatExact = (at) =>
  format("exact", { dateStyle: "medium", timeStyle: "long" }).format(new Date(at));

/** Day and time, without the day if it is today. @param {string} at */
export function formatMoment(at) {
  const date = new Date(at);
  if (dayOf(date) === dayOf(new Date())) return formatTime(at);
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  const day = format(`day${year ?? ""}`, { day: "numeric", month: "short", year }).format(date);
  return `${day}, ${formatTime(at)}`;
}

/** @param {Date} date */
const dayOf = (date) => format("key", { year: "numeric", month: "2-digit", day: "2-digit" }).format(date);

/** How long ago it was, in words. @param {string} at @param {number} [now] */
export function formatAge(at, now = Date.now()) {
  const seconds = Math.round((new Date(at).getTime() - now) / 1000);
  const size = Math.abs(seconds);
  if (size < 60) return formatRelative(0, "second");
  if (size < 3_600) return formatRelative(Math.trunc(seconds / 60), "minute");
  if (size < 86_400) return formatRelative(Math.trunc(seconds / 3_600), "hour");
  if (size < 2_629_800) return formatRelative(Math.trunc(seconds / 86_400), "day");
  if (size < 31_557_600) return formatRelative(Math.trunc(seconds / 2_629_800), "month");
  return formatRelative(Math.trunc(seconds / 31_557_600), "year");
}

/** A length of time such as `6 h 05`. @param {string} from @param {string | null} [until] */
export function formatDuration(from, until) {
  const end = until ? new Date(until).getTime() : Date.now();
  const minutes = Math.max(0, Math.floor((end - new Date(from).getTime()) / 60_000));
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 2_880) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
  return `${Math.floor(minutes / 1_440)} d ${Math.floor((minutes % 1_440) / 60)} h`;
}

/** The date of an instant in the tenant's zone, such as 2026-11-29. @param {string | number | null | undefined} at */
export function dateOf(at) {
  if (!at) return "";
  // by parts, since no language has this form in every version of a browser
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(new Date(at));
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
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(new Date(instant));
  const name = parts.find((part) => part.type === "timeZoneName")?.value ?? "";
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? ["", "+", "0", "0"];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
