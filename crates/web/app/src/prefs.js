// What a person set up in this browser: nothing secret.

import { repaint } from "./view.js";

const KEY = "tillgate-office";

const defaults = { theme: "auto", density: "comfortable", locale: "", folded: false, keys: true, board: "" };

export const prefs = { ...defaults, ...read() };

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}

/** Changes and stores preferences, and shows them. @param {Partial<typeof defaults>} change */
export function setPrefs(change) {
  Object.assign(prefs, change);
  try {
    localStorage.setItem(KEY, JSON.stringify(prefs));
  } catch {
    // without storage the preferences last until the page is closed
  }
  applyPrefs();
  repaint();
}

/** Applies theme and density to the document. */
export function applyPrefs() {
  const root = document.documentElement;
  root.dataset.theme = prefs.theme;
  root.dataset.density = prefs.density;
}
