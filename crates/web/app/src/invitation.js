// @ts-check
// The page of an invitation: enters the token that the address has as its fragment.

const token = document.getElementById("token");
if (token instanceof HTMLInputElement && location.hash.length > 1) {
  token.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}
