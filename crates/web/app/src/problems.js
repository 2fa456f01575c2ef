// @ts-check
// From an error to what people read.

import { hasText, Problem, t, word } from "./core.js";

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
