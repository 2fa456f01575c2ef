// Changes as they happen: one event stream per browser, which one tab reads for all of them.
// Without a stream, a visible tab reads its lists every 10 seconds.

import { apiBase } from "./base.js";
import { repaint } from "./view.js";

const POLL_INTERVAL = 10_000;
const CHANNEL = "tillgate-office-live";

/** The connection as the lamp shows it. */
export const connection = {
  /** @type {"connecting" | "live" | "polling" | "offline"} */
  state: "connecting",
  /** When the server last answered. */
  answeredAt: Date.now(),
};

const listeners = /** @type {Set<(change: App.Change) => void>} */ (new Set());
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(CHANNEL) : null;
let streaming = false;
let leads = false;
/** Whether the last call was answered. */
let reached = true;

/** Calls `listener` for every change, with kind `*` for any. */
export const onChange = (/** @type {(change: App.Change) => void} */ listener) => void listeners.add(listener);

/** @type {App.Change} */
const ANYTHING = { kind: "*", id: null };

/** Reports a change in this tab; without one, that anything may have changed. */
function announce(change = ANYTHING) {
  for (const listener of listeners) listener(change);
}

/** Notes whether the server answered a call. @param {boolean} answered */
export function noteContact(answered) {
  reached = answered;
  if (answered) connection.answeredAt = Date.now();
  const state = answered ? (streaming ? "live" : "polling") : "offline";
  if (connection.state === state || (connection.state === "connecting" && state === "polling")) return;
  connection.state = state;
  repaint();
}

export function startLive() {
  if (channel) {
    channel.onmessage = ({ data }) => {
      if (data.hello && leads) channel.postMessage({ streaming });
      if (data.change) announce(data.change);
      if (data.streaming !== undefined) setStreaming(data.streaming);
    };
    channel.postMessage({ hello: true });
  }
  if (navigator.locks) navigator.locks.request(CHANNEL, lead);
  else if (!document.hidden) lead();
  setTimeout(() => {
    if (!streaming) setStreaming(false);
  }, 2_000);
  setInterval(() => {
    if (!streaming && !document.hidden) announce();
  }, POLL_INTERVAL);
  addEventListener("online", () => announce());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !streaming) announce();
  });
}

function setStreaming(/** @type {boolean} */ value) {
  if (value && !streaming && connection.state !== "connecting") announce();
  streaming = value;
  if (value) reached = true;
  connection.state = value ? "live" : reached ? "polling" : "offline";
  repaint();
}

/** Reads the stream until the tab is closed. */
function lead() {
  leads = true;
  // the stream of another tab: what changes until that of this tab is open is not known
  const tookOver = streaming;
  return new Promise((resolve) => {
    const share = (/** @type {any} */ message) => channel?.postMessage(message);
    const tell = (change = ANYTHING) => {
      share({ change });
      announce(change);
    };
    const open = () => {
      const source = new EventSource(`${apiBase}events`);
      source.onopen = () => {
        setStreaming(true);
        share({ streaming: true });
        if (tookOver) tell();
      };
      source.addEventListener("change", (event) => tell(JSON.parse(/** @type {MessageEvent} */ (event).data)));
      source.addEventListener("reset", () => tell());
      source.onerror = () => {
        setStreaming(false);
        share({ streaming: false });
        if (source.readyState !== EventSource.CLOSED) return;
        tell();
        setTimeout(open, 30_000);
      };
    };
    open();
    addEventListener("pagehide", () => resolve(undefined), { once: true });
  });
}
