// Instants, days and periods in the time zone of the page, or in that of one of its items.

import { formatRelative, locale } from "./i18n.js";

let pageZone = "UTC";
let zone = pageZone;

/** The zones that were asked for, and whether the browser knows them. @type {Map<string, boolean>} */
const known = new Map();

/** Whether the browser knows a zone. @param {string} name */
function isKnown(name) {
  if (known.has(name)) return known.get(name);
  try {
    known.set(name, Boolean(new Intl.DateTimeFormat("en", { timeZone: name })));
  } catch {
    known.set(name, false);
  }
  return known.get(name);
}

/** Sets the zone of the page. @param {string} name */
export function setZone(name) {
  if (name !== pageZone) pageZone = isKnown(name) ? name : "UTC";
  zone = pageZone;
}

/** Returns what `run` returns with the times of another zone, if there is one. @template T @param {string | null | undefined} name @param {() => T} run */
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
const formatZoned = formatter("zoned", { ...MINUTES, timeZoneName: "short" });

/** Day and time, without the day if it is today; with the zone if it is not that of the page. @param {string} at */
export function formatMoment(at) {
  const date = new Date(at);
  const time = zone === pageZone ? formatTime(at) : formatZoned(at);
  if (dayOf(date) === dayOf(new Date())) return time;
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  const day = format(`day${year ?? ""}`, { day: "numeric", month: "short", year }).format(date);
  return `${day}, ${time}`;
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

/** The date of an instant in the zone, such as 2026-11-29. @param {string | number | null | undefined} at */
export function dateOf(at) {
  if (!at) return "";
  // by parts, since no language has this form in every version of a browser
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(new Date(at));
  return ["year", "month", "day"].map((type) => parts.find((part) => part.type === type)?.value).join("-");
}

/** The first instant of a date in the zone, moved by days. @param {string} date @param {number} days */
function startOfDate(date, days) {
  const [year, month, day] = date.split("-").map(Number);
  const midnight = Date.UTC(year, month - 1, day + days);
  // the offset at that midnight, which may differ from that of a neighbor
  return midnight - offsetAt(midnight - offsetAt(midnight));
}

/** The last second of a date in the zone. @param {string} date */
export const endOfDate = (date) => new Date(startOfDate(date, 1) - 1_000).toISOString();

/** The start of a day in the zone, `days` before today. @param {number} days */
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
