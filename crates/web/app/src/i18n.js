// Texts in the language of the person. Keys are flat; plural forms are keys with a suffix such as
// `.one`, by Intl.PluralRules.

import { assets } from "./base.js";

/** Languages with a catalog, by tag. */
export const languages = { en: "English", sk: "Slovenčina", id: "Bahasa Indonesia" };

/** The name of a language, or its tag if it has no catalog. @param {string} tag */
export const languageName = (tag) => languages[/** @type {keyof typeof languages} */ (tag)] ?? tag;

let texts = /** @type {Record<string, string>} */ ({});
let current = "en";
let formats = formatsOf("en");

function formatsOf(/** @type {string} */ tag) {
  return {
    plurals: new Intl.PluralRules(tag),
    numbers: new Intl.NumberFormat(tag),
    names: new Intl.Collator(tag, { numeric: true, sensitivity: "base" }),
    ages: new Intl.RelativeTimeFormat(tag, { numeric: "auto", style: "short" }),
  };
}

export const locale = () => current;

/** Returns the first of these tags that has a catalog. */
export const chooseLocale = (/** @type {(string | null | undefined)[]} */ tags) =>
  tags.map((tag) => tag?.toLowerCase().split("-")[0] ?? "").find((primary) => primary in languages) ?? "en";

const readCatalog = async (/** @type {string} */ path) => (await fetch(`${assets}locales/${path}.json`)).json();

/** Loads the catalog of a language. @param {string} tag */
export async function loadLocale(tag) {
  texts = await readCatalog(tag);
  current = tag;
  formats = formatsOf(tag);
  document.documentElement.lang = tag;
}

/** Loads the texts that no page shows at first, such as those of errors, and hints in forms. */
export const loadErrors = async () => void Object.assign(texts, await readCatalog(`errors/${current}`));

/** Whether the catalog has a text. @param {string} key */
export const hasText = (key) => key in texts;

/** Returns a text, with placeholders filled in. @param {string} key
 * @param {App.Placeholders} [values] */
export function t(key, values) {
  const text = texts[key] ?? key;
  return values ? text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole)) : text;
}

/** Returns the plural form of a text for a count. @param {string} key @param {number} count
 * @param {App.Placeholders} [values] */
export function tn(key, count, values) {
  const form = `${key}.${formats.plurals.select(count)}`;
  return t(hasText(form) ? form : `${key}.other`, { count: formatNumber(count), ...values });
}

/** Returns the text of a value of an enumeration, or the value itself if it has none. */
export function word(/** @type {string} */ group, /** @type {string | null | undefined} */ name) {
  if (!name) return "";
  const key = `${group}.${name}`;
  return hasText(key) ? t(key) : name;
}

/** The names in a group that have a text. @param {string} group */
export const namesIn = (group) =>
  Object.keys(texts).filter((key) => key.startsWith(`${group}.`)).map((key) => key.slice(group.length + 1));

/** Options of a selection. @param {readonly string[]} values
 * @param {(value: string) => string} [label] */
export const optionsOf = (values, label = String) => values.map((value) => ({ value, label: label(value) }));
/** Words as options of a selection. @param {string} group @param {readonly string[]} names */
export const wordOptions = (group, names) => optionsOf(names, (name) => word(group, name));

export const formatNumber = (/** @type {number} */ value) => formats.numbers.format(value);
/** @param {number} value @param {Intl.RelativeTimeFormatUnit} unit */
export const formatRelative = (value, unit) => formats.ages.format(value, unit);

/** Formats a decimal of the API in a currency, without converting it to a binary number. */
export function formatMoney(/** @type {string} */ amount, /** @type {string} */ currency) {
  const digits = amount.split(".")[1]?.length ?? 0;
  const bounds = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(current, { style: "currency", currency, ...bounds }).format(/** @type {any} */ (amount));
}

/** Formats a decimal of the API without trailing zeros. @param {string} amount */
export const formatDecimal = (amount) =>
  new Intl.NumberFormat(current, { maximumFractionDigits: 6 }).format(/** @type {any} */ (amount));
/** Joins texts as a list. @param {string[]} items */
export const formatList = (items) => new Intl.ListFormat(current, { type: "conjunction" }).format(items);

/** Compares names as people sort them. @param {string} a @param {string} b */
export const compareNames = (a, b) => formats.names.compare(a, b);
