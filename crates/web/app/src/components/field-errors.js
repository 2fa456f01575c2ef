// From an invalid field to what people read.

import { formatDecimal, formatNumber, hasText, t, tn, word } from "../core.js";

/** A span of time in its largest whole unit, such as `15 minutes`. @param {number} seconds */
export function formatSpan(seconds) {
  const [unit, size] = SPANS.find(([, each]) => seconds > 0 && seconds % each === 0) ?? SPANS[SPANS.length - 1];
  return tn(`count.${unit}`, seconds / size);
}

const SPANS = /** @type {[string, number][]} */ ([["days", 86_400], ["hours", 3_600], ["minutes", 60], ["seconds", 1]]);

/** Returns the message for an invalid field: by the rule that it violates, or by its code. @param {App.FieldError} error */
export function describeField({ code, rule, min, max, contrast, pointer = "" }) {
  const key = `field_error.${rule}`;
  const bound = rule === "seconds" ? formatSpan : formatNumber;
  const values = { min: bound(min ?? 0), max: bound(max ?? 0), contrast: contrast ? formatDecimal(contrast) : "" };
  if (rule && hasText(key)) return t(key, values);
  const known = [`field_error.${code}${pointer.replaceAll("/", ".")}`, `field_error.${code}`].find(hasText);
  return t(known ?? "field_error.format");
}

/** Returns the message for an invalid field that the form does not show. @param {App.FieldError} error */
export function describeOther(error) {
  const name = (error.pointer ?? error.parameter ?? "").split("/").filter(Boolean)[0];
  return name ? `${word("field", name)}: ${describeField(error)}` : describeField(error);
}
