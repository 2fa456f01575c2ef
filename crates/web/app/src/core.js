// What nearly every module needs: calls, texts, times, rights, addresses, names, messages,
// templates, small parts, the session and the shop.

export * from "./api.js";
export * from "./components/toast.js";
export * from "./directory.js";
export * from "./i18n.js";
export * from "./rights.js";
export * from "./router.js";
export * from "./time.js";
export * from "./view.js";
export * from "./components/small.js";
export * from "./components/lazy.js";
export * from "./session.js";
export * from "./shop.js";
