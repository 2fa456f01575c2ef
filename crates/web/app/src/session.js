// The person who is signed in: who they are, when their session ends, and their proofs.

import { call, callOffice, hasStatus, hooks, Problem, repaint, setRights } from "./core.js";
import { prefix } from "./base.js";
import { noteContact } from "./live.js";

const ACTIVE_WITHIN = 60_000;
const WARN_BEFORE = 120_000;
const CHECK_INTERVAL = 15_000;

export const session = {
  /** @type {any} */
  user: null,
  /** @type {any} */
  current: null,
  /** @type {number | null} when the session ends unless it is renewed */
  idleUntil: null,
  /** Whether the end is so near that the page says so. */
  warns: false,
  /** The version of the server that the page was loaded from. @type {string | null} */
  version: null,
  /** Whether the server has another version now. */
  outdated: false,
};

let signingIn = /** @type {Promise<void> | null} */ (null);
/** `release` closes the question for the password, since another tab has signed in. */
export const waiting = { release: () => {} };
/** The dialog for the password. It is loaded soon after the page, while the server answers. */
const loadDialog = () => import("./components/sign-in.js");
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("tillgate-office-session") : null;
let lastActivity = Date.now();
let renewedAt = Date.now();

/** Loads the person and their rights; goes to the sign-in page without a session. */
export async function loadSession() {
  hooks.contact = noteResponse;
  hooks.signIn = () => Promise.reject(new Problem(401, { code: "token_missing" }));
  try {
    await loadCurrent();
  } catch (error) {
    if (!hasStatus(error, 401)) throw error;
    if (!(await renew())) return goToSignIn();
    await loadCurrent();
  }
  // the calls that wait for the same sign-in go on afterwards
  const signIn = async () => (await loadDialog()).signInAgain();
  hooks.signIn = () => (signingIn ??= signIn().finally(() => void (signingIn = null)));
  hooks.stepUp = async () => (await loadDialog()).stepUp();
  await renew();
  watchIdle();
  setTimeout(() => loadDialog().catch(() => {}), 1_000);
  return true;
}

/** Reads the rights again, for example after a change of roles. */
export async function loadCurrent() {
  const { data } = await call("GET", "sessions/current");
  await requirePerson(data.user?.id);
  session.user = data.user;
  session.current = data.session;
  setRights(data.rights);
}

export function goToSignIn() {
  // a code in the fragment is kept for its page, and is in no log of a server
  if (location.hash) sessionStorage.hash = location.hash;
  location.assign(`${prefix}/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  return false;
}

function noteResponse(/** @type {boolean} */ answered, /** @type {string | null} */ version) {
  noteContact(answered);
  if (!version) return;
  session.version ??= version;
  if (version !== session.version && !session.outdated) {
    session.outdated = true;
    repaint();
  }
}

/** Renews the session by its cookie; returns whether there is one. */
export async function renew() {
  try {
    const { data } = await callOffice("POST", "session", { body: {} });
    await noteTerms(data);
    return true;
  } catch (error) {
    return !hasStatus(error, 401);
  }
}

/** Notes how long the session of the page lasts, in every tab.
 * @param {any} data the response that says it */
export async function noteTerms(data) {
  renewedAt = Date.now();
  const seconds = data?.idle_in ?? data?.expires_in;
  session.idleUntil = seconds ? renewedAt + seconds * 1000 : null;
  session.warns = false;
  const user = data?.session?.user?.id ?? session.user?.id;
  channel?.postMessage({ idleUntil: session.idleUntil, user });
  repaint();
  await requirePerson(user);
}

/** Goes on if the page belongs to this person. Otherwise it is loaded again, for the person who is
 * signed in now, and what waits is never done in their name. @param {string | undefined} user */
async function requirePerson(user) {
  if (!session.user || user === session.user.id) return;
  location.reload();
  await new Promise(() => {});
}

function watchIdle() {
  const note = () => void (lastActivity = Date.now());
  for (const kind of ["keydown", "pointerdown", "touchstart"]) addEventListener(kind, note, { passive: true });
  if (channel) {
    channel.onmessage = async ({ data }) => {
      if (data.signedOut) location.assign(`${prefix}/signed-out`);
      if (data.idleUntil) {
        await requirePerson(data.user);
        Object.assign(session, { idleUntil: data.idleUntil, warns: false });
        renewedAt = Date.now();
        waiting.release();
        repaint();
      }
    };
  }
  setInterval(checkIdle, CHECK_INTERVAL);
  addEventListener("pageshow", (event) => {
    // a page from the back button shows nothing before the session was checked
    if (event.persisted) location.reload();
  });
}

async function checkIdle() {
  if (!session.idleUntil) return;
  const left = session.idleUntil - Date.now();
  const isActive = Date.now() - lastActivity < ACTIVE_WITHIN;
  if (isActive && lastActivity > renewedAt && (left < 5 * WARN_BEFORE || Date.now() - renewedAt > ACTIVE_WITHIN)) {
    if (!(await renew())) hooks.signIn().catch(() => {});
  } else if (left < WARN_BEFORE) {
    session.warns = true;
    repaint();
    if (left <= 0) hooks.signIn().catch(() => {});
  }
}

/** Whether a user is the person of this page. @param {{id: string}} user */
export const isSelf = ({ id }) => id === session.user?.id;
/** Whether a session is the one of this page. @param {{id: string}} each */
export const isOwn = ({ id }) => id === session.current?.id;

/** Ends the session, in every tab. */
export async function signOut() {
  try {
    await callOffice("DELETE", "session");
  } catch (error) {
    if (!hasStatus(error, 401)) throw error;
  }
  channel?.postMessage({ signedOut: true });
  location.assign(`${prefix}/signed-out`);
}
