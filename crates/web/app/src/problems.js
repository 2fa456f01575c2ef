// @ts-check
// From an error to what people read.

import { formatDecimal, formatNumber, formatSpan, hasText, Problem, t, word } from "./core.js";

/** Returns the sentence for an error, keyed by its stable code. @param {unknown} error */
export function describe(error) {
  const key = error instanceof Problem ? `problem.${error.code}` : "";
  if (!(error instanceof Problem) || !hasText(key)) {
    return t(error instanceof Problem && error.status >= 500 ? "problem.internal" : "problem.unexpected");
  }
  return t(key, { right: word("right", error.right), seconds: error.retryAfter ?? 0 });
}

/** Returns what to copy for support. @param {unknown} error */
export function supportText(error) {
  if (!(error instanceof Problem)) return String(error);
  const parts = [new Date().toISOString(), location.pathname, `status ${error.status}`, `code ${error.code}`, error.message];
  if (error.traceId) parts.push(`trace ${error.traceId}`);
  return parts.filter(Boolean).join("\n");
}

/** Returns the message for an invalid field: by the rule that it violates, or by its code. @param {import("./api.js").FieldError} error */
export function describeField({ code, rule, min, max, contrast }) {
  const key = `field_error.${rule}`;
  const bound = rule === "seconds" ? formatSpan : formatNumber;
  const values = { min: bound(min ?? 0), max: bound(max ?? 0), contrast: contrast ? formatDecimal(contrast) : "" };
  return rule && hasText(key) ? t(key, values) : t(hasText(`field_error.${code}`) ? `field_error.${code}` : "field_error.format");
}

/** Returns the message for an invalid field that the form does not show. @param {import("./api.js").FieldError} error */
export function describeOther(error) {
  const name = (error.pointer ?? error.parameter ?? "").split("/").filter(Boolean)[0];
  return name ? `${word("field", name)}: ${describeField(error)}` : describeField(error);
}
