// A page with a form for a one-time token: enters the token that the address has as its fragment,
// and keeps it when the person chooses another language. Suggests the time zone of the browser, and
// shows the password if the person wants to see it.

const token = document.getElementById("token");
if (token instanceof HTMLInputElement && location.hash.length > 1) {
  token.value = location.hash.slice(1);
  for (const link of document.querySelectorAll(".auth-languages a")) {
    if (link instanceof HTMLAnchorElement) link.hash = location.hash;
  }
  history.replaceState(null, "", location.pathname + location.search);
  const zone = document.getElementById("zone");
  if (zone instanceof HTMLInputElement) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? zone.value;
}

for (const box of document.querySelectorAll("[data-reveals]")) {
  const input = document.getElementById(/** @type {HTMLElement} */ (box).dataset.reveals ?? "");
  box.closest("label")?.removeAttribute("hidden");
  box.addEventListener("change", () => {
    input?.setAttribute("type", /** @type {HTMLInputElement} */ (box).checked ? "text" : "password");
  });
}
