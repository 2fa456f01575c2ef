// Instants, days and periods in the time zone of the page, or in that of one of its items.

import { formatRelative, locale } from "./i18n.js";

let pageZone = "UTC";
let zone = pageZone;

/** The zones that were asked for, and whether the browser knows them.
 * @type {Map<string, boolean>} */
const known = new Map();

function isKnown(/** @type {string} */ name) {
  if (!known.has(name)) {
    try {
      known.set(name, Boolean(new Intl.DateTimeFormat("en", { timeZone: name })));
    } catch {
      known.set(name, false);
    }
  }
  return known.get(name);
}

/** Sets the zone of the page. @param {string} name */
export function setZone(name) {
  if (name !== pageZone) pageZone = isKnown(name) ? name : "UTC";
  zone = pageZone;
}

/** Returns what `run` returns with the times of another zone, if there is one. @template T
 * @param {string | null | undefined} name @param {() => T} run */
export function inZone(name, run) {
  const outer = zone;
  if (name && name !== outer && isKnown(name)) zone = name;
  try {
    return run();
  } finally {
    zone = outer;
  }
}

export const currentZone = () => zone;

const formats = /** @type {Map<string, Intl.DateTimeFormat>} */ (new Map());

/** Returns what formats an instant. Its formats are kept by its name, the language and the zone.
 * @param {string} name @param {Intl.DateTimeFormatOptions} options */
const formatter = (name, options) => (/** @type {string | Date} */ at) => {
  const key = `${name} ${locale()} ${zone}`;
  const format = formats.get(key) ?? new Intl.DateTimeFormat(locale(), { timeZone: zone, hourCycle: "h23", ...options });
  formats.set(key, format);
  return format.format(new Date(at));
};

const MINUTES = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit" });

export const formatTime = formatter("time", MINUTES);
export const formatSeconds = formatter("seconds", { ...MINUTES, second: "2-digit" });
export const formatExact = formatter("exact", { dateStyle: "medium", timeStyle: "long" });
const formatZoned = formatter("zoned", { ...MINUTES, timeZoneName: "short" });
const formatDay = formatter("day", { day: "numeric", month: "short" });
const formatDayOfYear = formatter("day of year", { day: "numeric", month: "short", year: "numeric" });
const dayOf = formatter("key", { year: "numeric", month: "2-digit", day: "2-digit" });

/** Day and time, without the day if it is today; with the zone if it is another one. */
export function formatMoment(/** @type {string} */ at) {
  const time = zone === pageZone ? formatTime(at) : formatZoned(at);
  if (dayOf(at) === dayOf(new Date())) return time;
  const isOfThisYear = new Date(at).getFullYear() === new Date().getFullYear();
  return `${isOfThisYear ? formatDay(at) : formatDayOfYear(at)}, ${time}`;
}

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

/** A part of an instant in the zone. @param {number} at @param {string} type
 * @param {Intl.DateTimeFormatOptions} options */
const partOf = (at, type, options) =>
  new Intl.DateTimeFormat("en", { timeZone: zone, ...options }).formatToParts(at).find((part) => part.type === type)?.value;

/** The date of an instant in the zone, such as 2026-11-29. */
export function dateOf(/** @type {string | number | null | undefined} */ at) {
  if (!at) return "";
  // by parts, since no language has this form in every version of a browser
  const options = /** @type {const} */ ({ year: "numeric", month: "2-digit", day: "2-digit" });
  return Object.keys(options).map((type) => partOf(new Date(at).getTime(), type, options)).join("-");
}

/** The first instant of a date in the zone, moved by days. */
function startOfDate(/** @type {string} */ date, /** @type {number} */ days) {
  const [year, month, day] = date.split("-").map(Number);
  const midnight = Date.UTC(year, month - 1, day + days);
  // the offset at that midnight, which may differ from that of a neighbor
  return midnight - offsetAt(midnight - offsetAt(midnight));
}

/** The last second of a date in the zone. @param {string} date */
export const endOfDate = (date) => new Date(startOfDate(date, 1) - 1_000).toISOString();

/** The start of a day in the zone, `days` before today. */
const startOfDay = (/** @type {number} */ days) => new Date(startOfDate(dateOf(Date.now()), -days)).toISOString();

/** The start and the end of a period.
 * @type {Record<string, () => {from?: string, until?: string}>} */
export const PERIODS = {
  day: () => ({ from: new Date((Math.floor(Date.now() / 60_000) - 1_440) * 60_000).toISOString() }),
  today: () => ({ from: startOfDay(0) }),
  yesterday: () => ({ from: startOfDay(1), until: startOfDay(0) }),
  week: () => ({ from: startOfDay(6) }),
  month: () => ({ from: startOfDay(29) }),
};

function offsetAt(/** @type {number} */ instant) {
  const name = partOf(instant, "timeZoneName", { timeZoneName: "longOffset" }) ?? "";
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? ["", "+", "0", "0"];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
