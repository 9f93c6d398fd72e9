// A page may load the script twice, and another version of it: the first one counts.

if (!customElements.get("reprise-products")) {
  if (allowed) begin();
  addEventListener("pagehide", send);
  document.addEventListener("visibilitychange", send);
  window.reprise = {
    version: VERSION,
    consent(given) {
      if (given === allowed) return;
      allowed = given;
      waiting = [];
      if (given) begin();
      else {
        kept = { clicks: [] };
        keep();
      }
      wake();
    },
    token(value) {
      token = value;
      askAnew();
      send();
    },
    tell: (event_type, product_id) => note(event_type, product_id),
    attribution: (product) => (product == null ? (kept.clicks ?? []).map(withoutTime) : findClick(product)),
    refresh: askAnew,
  };
  customElements.define("reprise-products", RepriseProducts);
}
