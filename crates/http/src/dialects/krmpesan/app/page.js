// krmpesan's page: logs in, lists devices, generates a token and shows it once. What is secret stands in variables and fields
// alone: never in the address, a cookie or a store of the browser. Text is only ever set as text.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const VIEWS = ["login", "devices", "token"];
  const VALUES = ["IdToken", "RefreshToken", "DeviceId"];
  const PATIENCE = 20000;

  // of the session; null where nobody is logged in
  let bearer = null;
  // whether a call is under way: a second press of a button does nothing until it has been answered
  let busy = false;
  // the field to go back to from the token
  let cameFrom = null;

  const TITLES = { login: "Log in", devices: "Devices", token: "Token" };

  function show(view) {
    for (const each of VIEWS) byId(each).hidden = each !== view;
    byId("who").hidden = view === "login";
    document.title = `${TITLES[view]} – krmpesan tokens`;
  }

  // what is about to be told
  let pending = 0;

  // Tells by a live region. It is emptied first, so that the same words are told again. What was about to be told is not any more.
  function tell(region, text) {
    clearTimeout(pending);
    byId("alert").textContent = "";
    byId("status").textContent = "";
    for (const field of document.querySelectorAll("[aria-invalid]")) {
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    }
    if (text) pending = setTimeout(() => { byId(region).textContent = text; }, 30);
  }

  const say = (text) => tell("status", text);

  // Tells what went wrong, and leads back to the field where it is mended.
  function complain(text, field) {
    tell("alert", text);
    if (!field) return;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", "alert");
    field.focus();
  }

  // Calls the server. What comes back is its status and its data; a status of 0 means that there was no answer.
  async function call(method, path, body) {
    const headers = {};
    if (bearer) headers.Authorization = `Bearer ${bearer}`;
    if (body) headers["Content-Type"] = "application/json";
    try {
      const answer = await fetch(`app/${path}`, {
        method,
        headers,
        body: body && JSON.stringify(body),
        credentials: "omit",
        cache: "no-store",
        redirect: "error",
        signal: AbortSignal.timeout(PATIENCE),
      });
      const { data } = await answer.json();
      const header = (name) => answer.headers.get(name);
      return { status: answer.status, data, wait: header("Retry-After"), trace: header("X-Request-Id") };
    } catch {
      return { status: 0 };
    }
  }

  // What is said of an answer that is neither good nor about the password.
  function otherwise({ status, wait, trace }) {
    switch (status) {
      case 0: return "The server cannot be reached. Check the connection and try again.";
      case 429: return `Too many attempts. Try again in ${wait || 60} seconds.`;
      case 503: return "The server cannot answer now. Try again in a moment.";
      default: return `That did not work (${status}). The server's log has it under ${trace}.`;
    }
  }

  // Runs what a button starts, unless something is under way.
  async function once(button, work) {
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
    if (!user.value.trim()) return complain("Type your user name or e-mail.", user);
    if (!password.value) return complain("Type your password.", password);
    say("Logging in …");
    const answer = await call("POST", "login", { login: user.value, password: password.value });
    if (answer.status === 401) {
      password.value = "";
      return complain("The user name or the password is wrong, or the password must be changed first.", password);
    }
    if (answer.status !== 200) return complain(otherwise(answer), password);
    password.value = "";
    bearer = answer.data.token;
    byId("person").textContent = answer.data.name;
    await list();
  }

  async function list() {
    const answer = await call("GET", "devices");
    if (answer.status === 401) return over();
    if (answer.status !== 200) {
      forget();
      return complain(otherwise(answer), byId("password"));
    }
    const devices = answer.data;
    byId("rows").replaceChildren(...devices.map(row));
    byId("list").hidden = devices.length === 0;
    byId("none").hidden = devices.length !== 0;
    show("devices");
    say(devices.length === 1 ? "One device." : `${devices.length} devices.`);
    byId("devices-title").focus();
  }

  function made(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
    element.append(...children);
    return element;
  }

  // A device in the list, with the field for the password in its token column.
  function row(device, number) {
    const id = `password-${number}`;
    const password = made("input", { id, type: "password", autocomplete: "current-password", required: "" });
    const button = made("button", { type: "submit" }, "Generate", unseen(` a token for ${device.name}`));
    const label = made("label", { for: id }, "Password", unseen(` for ${device.name}`));
    // never seen: it tells a password manager whose password is asked for
    const user = made("input", { type: "text", autocomplete: "username", value: byId("user").value, hidden: "" });
    const form = made("form", { method: "post", novalidate: "" }, user, made("p", {}, label, password), button);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      once(button, () => generate(device, password));
    });
    return made("tr", { role: "row" },
      made("th", { scope: "row", role: "rowheader" }, device.name),
      made("td", { role: "cell" }, device.environment),
      made("td", { role: "cell" }, device.description),
      made("td", { role: "cell" }, form));
  }

  function unseen(text) {
    return made("span", { class: "unseen" }, text);
  }

  async function generate(device, password) {
    if (!password.value) return complain(`Type your password beside ${device.name}.`, password);
    say("Generating …");
    const typed = password.value;
    password.value = "";
    const answer = await call("POST", "generate", { device: device.name, password: typed });
    if (answer.status === 401) {
      // either the password is wrong or the session is over: the list of devices asks for the session alone
      const still = await call("GET", "devices");
      if (still.status === 401) return over();
      if (still.status !== 200) return complain(otherwise(still), password);
      return complain(`The password is wrong, or you may not log in on ${device.name} any more.`, password);
    }
    if (answer.status === 0) {
      return complain("The server did not answer. If it generated a token, the earlier one is over: generate again.", password);
    }
    if (answer.status !== 200) return complain(otherwise(answer), password);
    for (const value of VALUES) byId(value).value = answer.data[value];
    byId("token-title").textContent = `Token of ${device.name}`;
    cameFrom = password;
    show("token");
    say(`The token of ${device.name} is generated. Copy all three values now.`);
    byId("token-title").focus();
  }

  async function copy(name) {
    const field = byId(name);
    try {
      if (navigator.clipboard) {
        await navigator.clipboard.writeText(field.value);
      } else {
        // without TLS browsers have the old way alone
        const focused = document.activeElement;
        field.select();
        const copied = document.execCommand("copy");
        focused.focus();
        if (!copied) throw new Error("not copied");
      }
      say(`${name} is copied.`);
    } catch {
      complain(`${name} could not be copied. It is selected: press Ctrl+C.`);
      field.focus();
      field.select();
    }
  }

  function wipe() {
    for (const value of VALUES) byId(value).value = "";
    byId("token-title").textContent = "Token";
  }

  function done() {
    wipe();
    show("devices");
    say("The values are gone from this page.");
    (cameFrom || byId("devices-title")).focus();
    cameFrom = null;
  }

  // Forgets who was here.
  function forget() {
    bearer = null;
    cameFrom = null;
    wipe();
    byId("rows").replaceChildren();
    byId("person").textContent = "";
    byId("password").value = "";
    show("login");
  }

  function over() {
    forget();
    complain("Your session is over. Log in again.");
    byId("login-title").focus();
  }

  async function leave() {
    const answer = await call("POST", "logout");
    forget();
    byId("user").value = "";
    if (answer.status === 200 || answer.status === 401) say("You are logged out.");
    else complain("You are logged out here; the server did not hear of it, and ends your session within 15 minutes.");
    byId("login-title").focus();
  }

  byId("login-form").addEventListener("submit", (event) => {
    event.preventDefault();
    once(byId("enter"), logIn);
  });
  byId("leave").addEventListener("click", () => once(byId("leave"), leave));
  byId("done").addEventListener("click", done);
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.addEventListener("click", () => copy(button.dataset.copies));
  }
  byId("user").focus();
  // whoever comes back to the page by the browser's history finds it as it was opened
  addEventListener("pagehide", forget);
})();
