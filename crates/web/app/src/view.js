// One repaint per animation frame.

import { html } from "../vendor/lit-html/lit-html.js";
import { repeat as renderItems } from "../vendor/lit-html/directives/repeat.js";
import { assets } from "./base.js";

export { html, nothing, svg } from "../vendor/lit-html/lit-html.js";
export { live } from "../vendor/lit-html/directives/live.js";
/** @type {(items: any[], key: (item: any) => string | number, view: (item: any) => any) => any} */
export const repeat = renderItems;

/** A symbol of the sprite. It is decoration: the control has its own name. @param {string} name */
export const icon = (name) => html`<svg class="icon" aria-hidden="true"><use href="${assets}icons.svg#${name}"></use></svg>`;

/** The value of the control that an event is about. @param {Event} event */
export const valueOf = (event) => /** @type {HTMLInputElement} */ (event.target).value;

const painters = /** @type {Set<() => void>} */ (new Set());
let scheduled = false;

/** Registers a function that renders a part of the page; returns one that removes it. */
export function onPaint(/** @type {() => void} */ painter) {
  painters.add(painter);
  return () => painters.delete(painter);
}

/** Renders everything in the next animation frame. */
export function repaint() {
  if (scheduled) return;
  scheduled = true;
  const paint = () => {
    if (!scheduled) return;
    scheduled = false;
    const focused = document.activeElement;
    const place = focused?.closest("dialog, .panel, main");
    for (const painter of [...painters]) painter();
    // an element that was removed or disabled loses the focus
    if (!focused || focused === document.body || (focused.isConnected && !focused.matches(":disabled"))) return;
    const next = [place, document.getElementById("main")].find((each) => each?.isConnected);
    if (next instanceof HTMLElement) next.focus({ preventScroll: true });
  };
  // a hidden tab has no animation frames
  if (document.hidden) setTimeout(paint, 100);
  else requestAnimationFrame(paint);
}
