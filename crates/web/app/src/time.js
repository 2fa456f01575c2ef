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

/** @param {string} name @param {Intl.DateTimeFormatOptions} options @returns {(at: string) => string} */
const formatter = (name, options) => (at) => format(name, options).format(new Date(at));

const MINUTES = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit" });
const SECONDS = /** @type {const} */ ({ ...MINUTES, second: "2-digit" });

export const formatTime = formatter("time", MINUTES);
export const formatSeconds = formatter("seconds", SECONDS);
export const formatExact = formatter("exact", { dateStyle: "medium", timeStyle: "long" });

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
  const [unit, size] = AGES.find(([, each]) => Math.abs(seconds) >= each) ?? /** @type {const} */ (["second", Infinity]);
  return formatRelative(Math.trunc(seconds / size), unit);
}

const AGES = /** @type {[Intl.RelativeTimeFormatUnit, number][]} */ ([
  ["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3_600], ["minute", 60],
]);

/** A length of time such as `6 h 05`. @param {string} from @param {string | null} [until] */
export function formatDuration(from, until) {
  const end = until ? new Date(until).getTime() : Date.now();
  const minutes = Math.max(0, Math.floor((end - new Date(from).getTime()) / 60_000));
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 2_880) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
  return `${Math.floor(minutes / 1_440)} d ${Math.floor((minutes % 1_440) / 60)} h`;
}
