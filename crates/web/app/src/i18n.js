// Texts in the language of the person. Keys are flat; plural forms are keys with a suffix such as
// `.one`, by Intl.PluralRules.

import { assets } from "./base.js";

/** Languages with a catalog, by tag. */
export const languages = { en: "English", sk: "Slovenčina", id: "Bahasa Indonesia" };

/** The name of a language, or its tag if it has no catalog. @param {string} tag */
export const languageName = (tag) => languages[/** @type {keyof typeof languages} */ (tag)] ?? tag;

/** @type {Record<string, string>} */
let texts = {};
let current = "en";
let formats = formatsOf("en");

/** @param {string} tag */
function formatsOf(tag) {
  return {
    plurals: new Intl.PluralRules(tag),
    numbers: new Intl.NumberFormat(tag),
    names: new Intl.Collator(tag, { numeric: true, sensitivity: "base" }),
    ages: new Intl.RelativeTimeFormat(tag, { numeric: "auto", style: "short" }),
  };
}

/** The tag of the current language. */
export const locale = () => current;

/** Returns the first of these tags that has a catalog. @param {(string | null | undefined)[]} tags */
export function chooseLocale(tags) {
  for (const tag of tags) {
    const primary = tag?.toLowerCase().split("-")[0] ?? "";
    if (primary in languages) return primary;
  }
  return "en";
}

/** Loads the catalog of a language. @param {string} tag */
export async function loadLocale(tag) {
  const answer = await fetch(`${assets}locales/${tag}.json`);
  texts = await answer.json();
  current = tag;
  formats = formatsOf(tag);
  document.documentElement.lang = tag;
}

/** Loads the texts that no page shows at first: of errors, of the keys of devices, of machines that wait, and hints in forms. */
export async function loadErrors() {
  const answer = await fetch(`${assets}locales/errors/${current}.json`);
  Object.assign(texts, await answer.json());
}

/** Whether the catalog has a text. @param {string} key */
export const hasText = (key) => key in texts;

/** Returns a text with its placeholders filled in. @param {string} key @param {Record<string, string | number>} [values] */
export function t(key, values) {
  const text = texts[key] ?? key;
  return values ? text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole)) : text;
}

/** Returns the plural form of a text for a count. @param {string} key @param {number} count @param {Record<string, string | number>} [values] */
export function tn(key, count, values) {
  const form = `${key}.${formats.plurals.select(count)}`;
  return t(hasText(form) ? form : `${key}.other`, { count: formatNumber(count), ...values });
}

/** Returns the text of a value of an enumeration, or the value itself if it has none. @param {string} group @param {string | null | undefined} name */
export function word(group, name) {
  if (!name) return "";
  const key = `${group}.${name}`;
  return hasText(key) ? t(key) : name;
}

/** The names in a group that have a text. @param {string} group */
export const namesIn = (group) => Object.keys(texts).filter((key) => key.startsWith(`${group}.`)).map((key) => key.slice(group.length + 1));

/** The options of a selection. @template {string} V @param {readonly V[]} values @param {(value: V) => string} label */
export const optionsOf = (values, label) => values.map((value) => ({ value, label: label(value) }));

/** @param {number} value */
export const formatNumber = (value) => formats.numbers.format(value);

/** @param {number} value @param {Intl.RelativeTimeFormatUnit} unit */
export const formatRelative = (value, unit) => formats.ages.format(value, unit);

/** Formats a decimal of the API in a currency, without converting it to a binary number. @param {string} amount @param {string} currency */
export function formatMoney(amount, currency) {
  const digits = amount.split(".")[1]?.length ?? 0;
  const format = new Intl.NumberFormat(current, {
    style: "currency",
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return format.format(/** @type {any} */ (amount));
}

/** Formats a decimal of the API without trailing zeros. @param {string} amount */
export const formatDecimal = (amount) =>
  new Intl.NumberFormat(current, { maximumFractionDigits: 6 }).format(/** @type {any} */ (amount));

/** Joins texts as a list. @param {string[]} items */
export const formatList = (items) => new Intl.ListFormat(current, { type: "conjunction" }).format(items);

/** Compares names as people sort them. @param {string} a @param {string} b */
export const compareNames = (a, b) => formats.names.compare(a, b);
