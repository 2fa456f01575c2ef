// @ts-check
// One repaint per animation frame.

export { html, nothing, svg } from "../vendor/lit-html/lit-html.js";
export { repeat } from "../vendor/lit-html/directives/repeat.js";
export { live } from "../vendor/lit-html/directives/live.js";

/** @type {Set<() => void>} */
const painters = new Set();
let scheduled = false;

/**
 * Registers a function that renders a part of the page.
 * @param {() => void} painter
 * @returns {() => void} removes it
 */
export function onPaint(painter) {
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
    for (const painter of [...painters]) painter();
  };
  // a hidden tab has no animation frames
  if (document.hidden) setTimeout(paint, 100);
  else requestAnimationFrame(paint);
}
