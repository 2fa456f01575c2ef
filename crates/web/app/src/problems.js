// @ts-check
// From an error to what people read.

import { Problem } from "./api.js";
import { hasText, t, word } from "./i18n.js";

/** Returns the sentence for an error, keyed by its stable code. @param {unknown} error */
export function describe(error) {
  if (!(error instanceof Problem)) return t("problem.unexpected");
  const key = `problem.${error.code}`;
  if (hasText(key)) {
    const right = error.right ? word("right", error.right) : "";
    return t(key, { right, seconds: error.retryAfter ?? 0 });
  }
  if (error.status >= 500) return t("problem.internal");
  return error.message || t("problem.unexpected");
}

/** Returns what to copy for support. @param {unknown} error */
export function supportText(error) {
  if (!(error instanceof Problem)) return String(error);
  const parts = [new Date().toISOString(), location.pathname, `status ${error.status}`, `code ${error.code}`];
  if (error.traceId) parts.push(`trace ${error.traceId}`);
  return parts.join("\n");
}

/** Returns the message for an invalid field. @param {{code: string, detail: string}} error */
export function describeField(error) {
  const key = `field_error.${error.code}`;
  if (hasText(key)) return t(key, { detail: error.detail });
  const { detail } = error;
  return detail ? `${detail[0].toUpperCase()}${detail.slice(1)}${/[.!?]$/.test(detail) ? "" : "."}` : error.code;
}
