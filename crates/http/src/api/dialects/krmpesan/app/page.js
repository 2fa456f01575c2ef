// krmpesan's page: logs in, lists devices, generates a token and shows it once. Secrets are only in variables and fields,
// never in the URL, a cookie or the browser's storage. Text is always set as text, never as HTML.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const VIEWS = ["login", "devices", "token"];
  const VALUES = ["IdToken", "RefreshToken", "DeviceId"];
  const REQUEST_TIMEOUT_MS = 20000;

  // access token of the session; null if nobody is logged in
  let bearer = null;
  // whether a request is in progress; until then, pressing a button again does nothing
  let busy = false;
  // the field that gets the focus when the token is closed
  let returnField = null;

  const TITLES = { login: "Log in", devices: "Devices", token: "Token" };

  function show(view) {
    for (const each of VIEWS) byId(each).hidden = each !== view;
    byId("who").hidden = view === "login";
    document.title = `${TITLES[view]} – krmpesan tokens`;
  }

  // timer of the pending announcement
  let pending = 0;

  // Announces a text in a live region. The region is emptied first, so that an equal text is announced again. A pending
  // announcement is canceled.
  function announce(region, text) {
    clearTimeout(pending);
    byId("alert").textContent = "";
    byId("status").textContent = "";
    for (const field of document.querySelectorAll("[aria-invalid]")) {
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    }
    if (text) pending = setTimeout(() => { byId(region).textContent = text; }, 30);
  }

  const showStatus = (text) => announce("status", text);

  // Announces an error, and moves the focus to the field to correct.
  function showError(text, field) {
    announce("alert", text);
    if (!field) return;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", "alert");
    field.focus();
  }

  // Sends a request. Returns the status and the data of the response; status 0 means that there was no response.
  async function call(method, path, body) {
    const headers = {};
    if (bearer) headers.Authorization = `Bearer ${bearer}`;
    if (body) headers["Content-Type"] = "application/json";
    try {
      const response = await fetch(`app/${path}`, {
        method,
        headers,
        body: body && JSON.stringify(body),
        credentials: "omit",
        cache: "no-store",
        redirect: "error",
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      const { data } = await response.json();
      const header = (name) => response.headers.get(name);
      return { status: response.status, data, wait: header("Retry-After"), trace: header("X-Request-Id") };
    } catch {
      return { status: 0 };
    }
  }

  // Returns the message for a response that is neither a success nor about the password.
  function describeFailure({ status, wait, trace }) {
    switch (status) {
      case 0: return "The server cannot be reached. Check the connection and try again.";
      case 429: return `Too many attempts. Try again in ${wait || 60} seconds.`;
      case 503: return "The server is temporarily unavailable. Try again in a moment.";
      default: return `The request failed (${status}). Its trace id in the server's log is ${trace}.`;
    }
  }

  // Runs the action of a button, unless another one is in progress.
  async function runExclusive(button, work) {
    if (busy) return;
    busy = true;
    button.setAttribute("aria-disabled", "true");
    try {
      await work();
    } finally {
      busy = false;
      button.removeAttribute("aria-disabled");
    }
  }

  async function logIn() {
    const [user, password] = [byId("user"), byId("password")];
    if (!user.value.trim()) return showError("Enter your user name or e-mail.", user);
    if (!password.value) return showError("Enter your password.", password);
    showStatus("Logging in …");
    const response = await call("POST", "login", { login: user.value, password: password.value });
    if (response.status === 401) {
      password.value = "";
      return showError("The user name or the password is wrong, or the password must be changed first.", password);
    }
    if (response.status !== 200) return showError(describeFailure(response), password);
    password.value = "";
    bearer = response.data.token;
    byId("person").textContent = response.data.name;
    await list();
  }

  async function list() {
    const response = await call("GET", "devices");
    if (response.status === 401) return endSession();
    if (response.status !== 200) {
      reset();
      return showError(describeFailure(response), byId("password"));
    }
    const devices = response.data;
    byId("rows").replaceChildren(...devices.map(row));
    byId("list").hidden = devices.length === 0;
    byId("none").hidden = devices.length !== 0;
    show("devices");
    showStatus(devices.length === 1 ? "One device." : `${devices.length} devices.`);
    byId("devices-title").focus();
  }

  function element(name, attributes, ...children) {
    const node = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value);
    node.append(...children);
    return node;
  }

  // Builds the row of a device, with a password field in its token column.
  function row(device, number) {
    const id = `password-${number}`;
    const password = element("input", { id, type: "password", autocomplete: "current-password", required: "" });
    const button = element("button", { type: "submit" }, "Generate", visuallyHidden(` a token for ${device.name}`));
    const label = element("label", { for: id }, "Password", visuallyHidden(` for ${device.name}`));
    // hidden: tells a password manager which user's password is required
    const user = element("input", { type: "text", autocomplete: "username", value: byId("user").value, hidden: "" });
    const form = element("form", { method: "post", novalidate: "" }, user, element("p", {}, label, password), button);
    const note = element("p", { class: "note" }, "This device has a token. A new one replaces it.");
    note.hidden = !device.has_token;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      runExclusive(button, () => generate(device, password, note));
    });
    return element("tr", { role: "row" },
      element("th", { scope: "row", role: "rowheader" }, device.name),
      element("td", { role: "cell" }, device.environment),
      element("td", { role: "cell" }, device.description),
      element("td", { role: "cell" }, note, form));
  }

  function visuallyHidden(text) {
    return element("span", { class: "unseen" }, text);
  }

  async function generate(device, password, note) {
    if (!password.value) return showError(`Enter your password for ${device.name}.`, password);
    showStatus("Generating …");
    const typed = password.value;
    password.value = "";
    const response = await call("POST", "generate", { device: device.name, password: typed });
    if (response.status === 401) {
      // either the password is wrong or the session has ended; the list of devices requires only the session
      const check = await call("GET", "devices");
      if (check.status === 401) return endSession();
      if (check.status !== 200) return showError(describeFailure(check), password);
      return showError(`The password is wrong, or you may no longer log in on ${device.name}.`, password);
    }
    if (response.status === 0) {
      return showError("The server did not answer. If it generated a token, the previous one is no longer valid: generate again.", password);
    }
    if (response.status !== 200) return showError(describeFailure(response), password);
    for (const value of VALUES) byId(value).value = response.data[value];
    byId("token-title").textContent = `Token of ${device.name}`;
    note.hidden = false;
    returnField = password;
    show("token");
    showStatus(`The token of ${device.name} was generated. Copy all three values now.`);
    byId("token-title").focus();
  }

  async function copy(name) {
    const field = byId(name);
    try {
      if (navigator.clipboard) {
        await navigator.clipboard.writeText(field.value);
      } else {
        // without TLS, browsers only have this older way
        const focused = document.activeElement;
        field.select();
        const copied = document.execCommand("copy");
        focused.focus();
        if (!copied) throw new Error("not copied");
      }
      showStatus(`${name} was copied.`);
    } catch {
      showError(`${name} could not be copied. It is selected: press Ctrl+C.`);
      field.focus();
      field.select();
    }
  }

  function wipe() {
    for (const value of VALUES) byId(value).value = "";
    byId("token-title").textContent = "Token";
  }

  function closeToken() {
    wipe();
    show("devices");
    showStatus("The values were removed from this page.");
    (returnField || byId("devices-title")).focus();
    returnField = null;
  }

  // Removes all data of the session from the page.
  function reset() {
    bearer = null;
    returnField = null;
    wipe();
    byId("rows").replaceChildren();
    byId("person").textContent = "";
    byId("password").value = "";
    show("login");
  }

  function endSession() {
    reset();
    showError("Your session has ended. Log in again.");
    byId("login-title").focus();
  }

  async function logOut() {
    const response = await call("POST", "logout");
    reset();
    byId("user").value = "";
    if (response.status === 200 || response.status === 401) showStatus("You are logged out.");
    else showError("You are logged out here. The server could not be reached; your session there ends within 15 minutes.");
    byId("login-title").focus();
  }

  byId("login-form").addEventListener("submit", (event) => {
    event.preventDefault();
    runExclusive(byId("enter"), logIn);
  });
  byId("leave").addEventListener("click", () => runExclusive(byId("leave"), logOut));
  byId("done").addEventListener("click", closeToken);
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.addEventListener("click", () => copy(button.dataset.copies));
  }
  byId("user").focus();
  // a page restored from the browser's history must be in its initial state
  addEventListener("pagehide", reset);
})();
