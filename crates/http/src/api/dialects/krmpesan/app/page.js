// krmpesan's page: logs in, lists devices, generates tokens of those that are selected, and shows them once. Secrets
// are only in variables and fields, never in the URL, a cookie or the browser's storage. Text is always set as text,
// never as HTML.
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

  // the texts in the language of the page
  const TEXTS = JSON.parse(byId("texts").textContent);

  // Returns a text with its placeholders replaced.
  const t = (key, values = {}) => TEXTS[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);

  function show(view) {
    for (const each of VIEWS) byId(each).hidden = each !== view;
    byId("who").hidden = view === "login";
    document.title = `${t(`${view}.title`)} – ${t("title")}`;
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
      case 0: return t("failed.unreachable");
      case 429: return t("failed.limited", { seconds: wait || 60 });
      case 503: return t("failed.unavailable");
      default: return t("failed.other", { status, trace });
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
    if (!user.value.trim()) return showError(t("login.no_user"), user);
    if (!password.value) return showError(t("login.no_password"), password);
    showStatus(t("login.busy"));
    const response = await call("POST", "login", { login: user.value, password: password.value });
    if (response.status === 401) {
      password.value = "";
      return showError(t("login.mismatch"), password);
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
    byId("devices-form").hidden = devices.length === 0;
    byId("none").hidden = devices.length !== 0;
    // tells a password manager which user's password is required
    byId("confirming").value = byId("user").value;
    byId("all").checked = false;
    show("devices");
    showStatus(t("devices.count", { count: devices.length }));
    byId("devices-title").focus();
  }

  function element(name, attributes, ...children) {
    const node = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value);
    node.append(...children);
    return node;
  }

  // Builds the row of a device.
  function row(device, number) {
    const id = `device-${number}`;
    const box = element("input", { id, type: "checkbox", value: device.name });
    box.addEventListener("change", () => { byId("all").checked = boxes().every((each) => each.checked); });
    const name = element("span", { class: "choice" }, box, element("label", { for: id }, device.name));
    const note = element("span", { class: "note" }, t("devices.has_token"));
    note.hidden = !device.has_token;
    return element("tr", { role: "row" },
      element("th", { scope: "row", role: "rowheader" }, name),
      element("td", { role: "cell" }, t(`kind.${device.environment}`)),
      element("td", { role: "cell" }, device.description),
      element("td", { role: "cell" }, note));
  }

  const boxes = () => [...byId("rows").querySelectorAll("input")];

  function visuallyHidden(text) {
    return element("span", { class: "unseen" }, text);
  }

  // Generates the tokens of the selected devices one after another. After a failure that could befall the next device,
  // too, it stops; the tokens that were generated are shown in any case, since their predecessors are invalid.
  async function generate() {
    const password = byId("confirmation");
    const selected = boxes().filter((each) => each.checked);
    if (selected.length === 0) return showError(t("devices.no_device"), boxes()[0]);
    if (!password.value) return showError(t("login.no_password"), password);
    const typed = password.value;
    password.value = "";
    const made = [];
    let problem = null;
    for (const [done, box] of selected.entries()) {
      const device = box.value;
      showStatus(t("devices.busy", { count: done + 1, total: selected.length }));
      const response = await call("POST", "generate", { device, password: typed });
      if (response.status === 200) {
        made.push({ device, ...response.data });
        box.checked = false;
        box.closest("tr").querySelector(".note").hidden = false;
        continue;
      }
      problem = await explain(response, device);
      // a password that was right is right for the next device, too
      if (response.status !== 401 || problem === null || made.length === 0) break;
    }
    byId("all").checked = false;
    if (made.length > 0) showTokens(made, selected.filter((each) => each.checked), problem);
    else if (problem === null) endSession();
    else showError(problem, password);
  }

  // Returns why no token was generated for a device; null if the session has ended.
  async function explain(response, device) {
    if (response.status === 0) return t("devices.lost", { device });
    if (response.status !== 401) return describeFailure(response);
    // either the password is wrong or the session has ended; the list of devices requires only the session
    const check = await call("GET", "devices");
    if (check.status === 401) return null;
    return check.status === 200 ? t("devices.mismatch", { device }) : describeFailure(check);
  }

  function showTokens(made, left, problem) {
    byId("results").replaceChildren(...made.map(result));
    const cells = [["", ...VALUES], ...made.map((each) => [each.device, ...VALUES.map((value) => each[value])])];
    byId("everything").value = cells.map((line) => line.join("\t")).join("\n");
    byId("table-of-all").hidden = made.length === 1;
    const names = left.map((each) => each.value).join(", ");
    byId("missing").textContent = names && `${t("token.missing")} ${names} – ${problem ?? t("login.ended")}`;
    show("token");
    showStatus(t("token.made", { devices: made.map((each) => each.device).join(", ") }));
    byId("token-title").focus();
  }

  // Builds the values of a device, each with its button.
  function result(made, number) {
    const values = VALUES.map((name) => {
      const id = `${name}-${number}`;
      const field = element("textarea", { id, readonly: "", rows: "2", autocomplete: "off", spellcheck: "false" });
      field.value = made[name];
      const hint = visuallyHidden(` ${name}, ${made.device}`);
      const button = element("button", { type: "button" }, t("token.copy"), hint);
      button.addEventListener("click", () => copy(name, field));
      return element("div", { class: "value" }, element("label", { for: id }, name), field, button);
    });
    const id = `result-${number}`;
    const title = element("h2", { id }, t("token.device", { device: made.device }));
    return element("section", { "aria-labelledby": id }, title, ...values);
  }

  async function copy(name, field) {
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
      showStatus(t("token.copied", { name }));
    } catch {
      showError(t("token.not_copied", { name }));
      field.focus();
      field.select();
    }
  }

  function wipe() {
    byId("everything").value = "";
    byId("missing").textContent = "";
    byId("results").replaceChildren();
  }

  function closeTokens() {
    wipe();
    show("devices");
    showStatus(t("token.removed"));
    byId("devices-title").focus();
  }

  // Removes all data of the session from the page.
  function reset() {
    bearer = null;
    wipe();
    byId("rows").replaceChildren();
    byId("person").textContent = "";
    for (const field of ["password", "confirmation", "confirming"]) byId(field).value = "";
    show("login");
  }

  function endSession() {
    reset();
    showError(t("login.ended"));
    byId("login-title").focus();
  }

  async function logOut() {
    const response = await call("POST", "logout");
    reset();
    byId("user").value = "";
    if (response.status === 200 || response.status === 401) showStatus(t("login.left"));
    else showError(t("login.left_here"));
    byId("login-title").focus();
  }

  byId("login-form").addEventListener("submit", (event) => {
    event.preventDefault();
    runExclusive(byId("enter"), logIn);
  });
  byId("leave").addEventListener("click", () => runExclusive(byId("leave"), logOut));
  byId("devices-form").addEventListener("submit", (event) => {
    event.preventDefault();
    runExclusive(byId("generate"), generate);
  });
  byId("all").addEventListener("change", () => boxes().forEach((each) => { each.checked = byId("all").checked; }));
  byId("copy-all").addEventListener("click", () => copy(t("token.all"), byId("everything")));
  byId("done").addEventListener("click", closeTokens);
  byId("user").focus();
  // a page restored from the browser's history must be in its initial state
  addEventListener("pagehide", reset);
})();
