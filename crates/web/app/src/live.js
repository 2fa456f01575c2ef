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

/** @type {Set<(change: App.Change) => void>} */
const listeners = new Set();
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(CHANNEL) : null;
let streaming = false;
let leads = false;

/** Calls `listener` for every change, and with kind `*` if anything may have changed. @param {(change: App.Change) => void} listener */
export const onChange = (listener) => void listeners.add(listener);

/** @param {App.Change} change */
function announce(change) {
  for (const listener of listeners) listener(change);
}

/** Notes whether the server answered a call. @param {boolean} answered */
export function noteContact(answered) {
  reached = answered;
  if (answered) connection.answeredAt = Date.now();
  const state = answered ? (streaming ? "live" : "polling") : "offline";
  if (connection.state !== state && !(state === "polling" && connection.state === "connecting" && !polls)) {
    connection.state = state;
    repaint();
  }
}

let polls = false;
/** Whether the last call was answered. */
let reached = true;

/** Starts to follow changes. */
export function startLive() {
  if (channel) {
    channel.onmessage = ({ data }) => {
      if (data.hello) return leads ? channel.postMessage({ streaming }) : undefined;
      if (data.change) announce(data.change);
      if (data.streaming !== undefined) setStreaming(data.streaming);
      return undefined;
    };
    channel.postMessage({ hello: true });
  }
  if (navigator.locks) navigator.locks.request(CHANNEL, () => lead());
  else if (!document.hidden) lead();
  setTimeout(() => {
    if (!streaming) setStreaming(false);
  }, 2_000);
  setInterval(() => {
    if (!streaming && !document.hidden) announce({ kind: "*", id: null });
  }, POLL_INTERVAL);
  addEventListener("online", () => announce({ kind: "*", id: null }));
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !streaming) announce({ kind: "*", id: null });
  });
}

/** @param {boolean} value */
function setStreaming(value) {
  if (value && !streaming && polls) announce({ kind: "*", id: null });
  streaming = value;
  polls = !value;
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
    const tell = (/** @type {App.Change} */ change) => {
      share({ change });
      announce(change);
    };
    const open = () => {
      const source = new EventSource(`${apiBase}events`);
      source.onopen = () => {
        setStreaming(true);
        share({ streaming: true });
        if (tookOver) tell({ kind: "*", id: null });
      };
      source.addEventListener("change", (event) => tell(JSON.parse(/** @type {MessageEvent} */ (event).data)));
      source.addEventListener("reset", () => tell({ kind: "*", id: null }));
      source.onerror = () => {
        setStreaming(false);
        share({ streaming: false });
        if (source.readyState !== EventSource.CLOSED) return;
        tell({ kind: "*", id: null });
        setTimeout(open, 30_000);
      };
    };
    open();
    addEventListener("pagehide", () => resolve(undefined), { once: true });
  });
}
