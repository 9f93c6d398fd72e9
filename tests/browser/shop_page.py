"""The web site of a shop: a page with rows of recommendations that tells what its visitors do."""

import threading
from contextlib import ExitStack
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROWS = {
    "similar": "/v1/products/p1/similar?limit=4",
    "together": "/v1/products/p2/bought-together?limit=4",
    "popular": "/v1/popular?limit=4",
}
"""Row of the page → list."""
PAGE = """\
<!doctype html>
<title>A shop</title>
<ul id="similar"></ul> <ul id="together"></ul> <ul id="popular"></ul>
<script>
const {api, key, rows} = SETTINGS, session = "visitor", waiting = [], answers = {};
const url = (path) => `${api}${path}${path.includes("?") ? "&" : "?"}key=${key}`;
const event = (event_type, product_id) => ({event_id: crypto.randomUUID(), event_type, product_id, session_id: session,
  occurred_at: new Date().toISOString()});
async function fill(row) {
  const answer = answers[row] = await (await fetch(url(rows[row]))).json();
  document.getElementById(row).replaceChildren(...answer.items.map((item) =>
    Object.assign(document.createElement("li"), {textContent: item.product.title ?? item.product_id})));
}
async function tell(...events) {  // what cannot be kept now is told again, under the same ids
  waiting.push(...events);
  const answer = await fetch(url("/v1/events"),
    {method: "POST", keepalive: true, body: JSON.stringify({events: waiting})});
  if (answer.status < 429) waiting.length = 0;
  return [answer.status, answer.headers.get("Retry-After") !== null];
}
const tellInPassing = (...events) => navigator.sendBeacon(url("/v1/events"), JSON.stringify({events}));
const filled = Promise.all(Object.keys(rows).map(fill));
</script>
"""


def start_site(folder: Path, until_the_end: ExitStack) -> str:
    """The address of a web site that shows the files of `folder`, until the end."""
    handler = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    site = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    threading.Thread(target=site.serve_forever, daemon=True).start()
    until_the_end.callback(site.server_close)
    until_the_end.callback(site.shutdown)
    return f"http://127.0.0.1:{site.server_port}"
