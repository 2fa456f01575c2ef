// Calls of the native API with the cookies of the back office.

import { apiBase, prefix } from "./base.js";

/** A response with an error, or no response at all (status 0). */
export class Problem extends Error {
  /** @param {number} status @param {App.ProblemBody | null} body @param {number} [retryAfter] */
  constructor(status, body, retryAfter) {
    super(body?.detail ?? body?.title ?? "");
    this.status = status;
    this.code = body?.code ?? (status === 0 ? "offline" : `http_${status}`);
    this.right = body?.right;
    this.errors = body?.errors ?? [];
    this.traceId = body?.trace_id;
    this.retryAfter = retryAfter;
    this.maxAge = body?.max_age;
  }
}

/** Whether an error has one of these statuses. @param {unknown} error @param {number[]} statuses */
export const hasStatus = (error, ...statuses) => error instanceof Problem && statuses.includes(error.status);

/** What the page does when a call needs a new sign-in or a fresh proof; set by `session.js`. */
export const hooks = {
  refresh: async () => {},
  /** @type {() => Promise<void>} */
  signIn: async () => {},
  /** @type {(maxAge: number | undefined) => Promise<boolean>} */
  stepUp: async () => false,
  /** @type {(answered: boolean, version: string | null) => void} */
  contact: () => {},
  /** For a change that was made, with the path of its call. @type {(path: string) => void} */
  changed: () => {},
  /** For a read answered 503, with its `Retry-After`. @type {(seconds: number) => void} */
  unavailable: () => {},
};

/** The most recent calls, newest first. @type {App.RecordedCall[]} */
export const recentCalls = [];

const MAX_RECENT_CALLS = 30;
const MAX_ITEMS = 5_000;
/** After this time a server that does not answer counts as not reached. */
const TIMEOUT = 20_000;

/** Calls the API. A call that lacks a session or a fresh proof is repeated once the person has
 * given it. With `asFile`, the response may take its time and is not read as JSON.
 * @template {string} M @template {string} P @param {M} method
 * @param {P} path below the API, without a leading slash
 * @param {App.CallOptions<NativeApi.Body<M, P>, NativeApi.Query<M, P>>} [options]
 * @returns {Promise<App.Response<NativeApi.Response<M, P>>>} */
export async function call(method, path, options = {}) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await send(method, apiBase + path, options);
    } catch (error) {
      if (!(error instanceof Problem) || attempt > 2) throw error;
      if (error.status === 401) await hooks.signIn();
      else if (error.code !== "proof_too_old" || !(await hooks.stepUp(error.maxAge))) throw error;
    }
  }
}

/** Calls an address of the back office that is not part of the API. @param {string} method
 * @param {string} path @param {App.CallOptions} [options] */
export const callOffice = (method, path, options = {}) => send(method, `${prefix}/${path}`, options);

/** @param {string} method @param {string} address @param {App.CallOptions} options
 * @returns {Promise<App.Response>} */
async function send(method, address, { body, query, ifMatch, asFile }) {
  const url = address + toQuery(query);
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (ifMatch) headers["if-match"] = ifMatch;
  const started = performance.now();
  let response;
  let data;
  try {
    response = await fetch(url, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: asFile ? undefined : AbortSignal.timeout(TIMEOUT),
    });
    data = asFile && response.ok ? await response.blob() : parse(await response.text());
  } catch {
    hooks.contact(false, null);
    throw new Problem(0, {});
  }
  hooks.contact(true, response.headers.get("x-tillgate-version"));
  if (address.startsWith(apiBase)) {
    const took = performance.now() - started;
    record({ method, path: url, body: mask(body), status: response.status, at: Date.now(), took });
  }
  const retryAfter = Number(response.headers.get("retry-after")) || undefined;
  if (response.status === 503 && method === "GET") hooks.unavailable(retryAfter ?? 1);
  if (!response.ok) throw new Problem(response.status, data, retryAfter);
  if (method !== "GET") hooks.changed(address.replace(apiBase, ""));
  return { status: response.status, data, etag: response.headers.get("etag"), headers: response.headers };
}

function parse(/** @type {string} */ text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** The query of an address, with its question mark. @param {App.Values | undefined} query */
export function toQuery(query) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== "") parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

/** Notes a call. One that reads again replaces the earlier one. */
function record(/** @type {App.RecordedCall} */ made) {
  const isSame = (/** @type {App.RecordedCall} */ { method, path }) => method === "GET" && path === made.path;
  const earlier = made.method === "GET" ? recentCalls.findIndex(isSame) : -1;
  if (earlier >= 0) recentCalls.splice(earlier, 1);
  recentCalls.unshift(made);
  recentCalls.length = Math.min(recentCalls.length, MAX_RECENT_CALLS);
}

/** Hides what a body has of passwords. @param {any} body */
export function mask(body) {
  if (!body || typeof body !== "object") return body;
  const isSecret = (/** @type {any[]} */ [name, value]) => value && typeof value === "string" && /password|secret/.test(name);
  return Object.fromEntries(Object.entries(body).map((each) => (isSecret(each) ? [each[0], "…"] : each)));
}

/** Reads a page of a list. @param {string} path @param {App.Values} query
 * @returns {Promise<any[]>} */
export const readItems = async (path, query) => (await call("GET", path, { query })).data.items;

/** Reads all pages of a list, up to a limit. @param {string} path @param {App.Values} [query] */
export async function readAll(path, query = {}) {
  const items = /** @type {any[]} */ ([]);
  let after = undefined;
  do {
    const { data } = /** @type {App.Response} */ (await call("GET", path, { query: { limit: 200, ...query, after } }));
    items.push(...data.items);
    after = data.next;
  } while (after && items.length < MAX_ITEMS);
  return items;
}
