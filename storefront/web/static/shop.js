// What the shop's pages do beside the widget: three answers to its events. Without scripts they are whole, too.

// A card of the widget says why it is shown, in the words that the page has brought along.
addEventListener("reprise:load", ({ target, detail }) => {
  const cards = target.shadowRoot.querySelectorAll("li");
  detail.items.forEach(({ product_id }, i) => {
    const why = target.querySelector(`[data-product="${CSS.escape(product_id)}"] .why`);
    if (why) cards[i].append(why.cloneNode(true));
  });
});

addEventListener("reprise:add-to-cart", ({ detail }) => {
  const field = Object.assign(document.createElement("input"), { name: "product", value: detail.product_id });
  const form = Object.assign(document.createElement("form"), { method: "post", action: "/cart", hidden: true });
  form.append(field);
  document.body.append(form);
  form.submit();
});

addEventListener("reprise:token-expired", async () => reprise.token(await (await fetch("/token")).text()));
