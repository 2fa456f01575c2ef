// @ts-check
import { html, t } from "../core.js";

/**
 * A part of a page of settings, beside what it is.
 * @param {string} key of its title and its text
 * @param {any} actions
 * @param {any} body
 */
export const section = (key, actions, body) => html`
  <section class="setting">
    <header><h2>${t(key)}</h2><p class="muted">${t(`${key}.text`)}</p><div class="row">${actions}</div></header>
    <div>${body}</div>
  </section>`;
