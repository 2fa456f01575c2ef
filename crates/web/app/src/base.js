// The addresses of the back office, derived from the address of this module:
// <prefix>/a/<digest>/src/base.js.

const here = new URL(import.meta.url);

/** Where the files of this version are, with a trailing slash. */
export const assets = new URL("../", here).pathname;
/** Prefix of the back office, such as `/office`. */
export const prefix = here.pathname.replace(/\/a\/[^/]+\/src\/[^/]*$/, "");
/** Base of the calls, with a trailing slash. */
export const apiBase = `${prefix}/api/v1/`;
