// What the page says: in the attributes of the script's element, and by `reprise`.

const script =
  [...document.querySelectorAll("script[src]")].find(({ src }) => src === import.meta.url) ??
  document.querySelector("script[data-key][src*='/widget']");
const said = script?.dataset ?? {};
const service = (said.api ?? new URL("/", import.meta.url).href).replace(/\/$/, "");
const pageLanguage = () => (document.documentElement.lang || navigator.language).replace(/_/g, "-");
let token = said.token;
let allowed = said.consent !== "required";

// The token names the customer, and the service checks it: <key id>.<base64url of the id>.<time>.<signature>
const customer = () => {
  try {
    const bytes = atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"));
    return decodeURIComponent(escape(bytes)); // UTF-8
  } catch {
    // nobody is logged in
  }
};

// As text, as a browser asks for permission to send JSON. Without any key the service is on this machine and wants JSON.
const post = (path, body, options) =>
  fetch(service + path + (said.key ? "?key=" + encodeURIComponent(said.key) : ""), {
    method: "POST",
    credentials: "omit",
    headers: { "Accept-Language": pageLanguage(), "Content-Type": said.key ? "text/plain" : "application/json" },
    body: JSON.stringify({ ...body, customer_token: token || undefined }),
    ...options,
  });

// False where a listener prevented what would follow.
const announce = (target, name, detail, cancelable) =>
  target.dispatchEvent(new CustomEvent("reprise:" + name, { bubbles: true, composed: true, cancelable, detail }));

// A page whose token was refused is asked for a new one: once a minute at most, however many rows there are.
const PATIENCE_MS = 6e4;
let askedForToken = -PATIENCE_MS;
const refuseToken = () => {
  if (!token || performance.now() - askedForToken < PATIENCE_MS) return;
  askedForToken = performance.now();
  announce(document, "token-expired");
};
