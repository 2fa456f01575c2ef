// What nearly every module needs: calls, texts, times, rights, addresses, names, messages and templates.

export * from "./api.js";
export * from "./components/toast.js";
export * from "./directory.js";
export * from "./i18n.js";
export * from "./rights.js";
export * from "./router.js";
export * from "./time.js";
export * from "./view.js";
