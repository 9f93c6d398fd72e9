// What the shop's pages do beside the widget: a few answers to its events. Without scripts they are whole, too.

// A card of the widget says why it is shown, in the words that the page has brought along.
addEventListener("reprise:load", ({ target, detail }) => {
  const cards = target.shadowRoot.querySelectorAll("li");
  detail.items.forEach(({ product_id }, i) => {
    const why = target.querySelector(`[data-product="${CSS.escape(product_id)}"] .why`);
    if (why) cards[i].append(why.cloneNode(true));
  });
});

// What is put into the cart takes along which recommendation led to it: from a card, and on the page of what was clicked.
addEventListener("reprise:add-to-cart", ({ detail: { product_id, recommendation_id } }) => {
  const form = Object.assign(document.createElement("form"), { method: "post", action: "/cart", hidden: true });
  for (const [name, value] of Object.entries({ product: product_id, recommendation_id }))
    form.append(Object.assign(document.createElement("input"), { name, value }));
  document.body.append(form);
  form.submit();
});

document.querySelector("article.product")?.addEventListener("submit", ({ currentTarget, target }) => {
  const { product } = currentTarget.dataset;
  target.elements.recommendation_id.value = globalThis.reprise?.attribution(product)?.recommendation_id ?? "";
});

addEventListener("reprise:token-expired", async () => reprise.token(await (await fetch("/token")).text()));
