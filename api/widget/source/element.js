// <reprise-products>: what stands inside stays until there is an answer, and for good where there is none.

const SETTLE_MS = 250;
const style = new CSSStyleSheet();
style.replaceSync(STYLE);

const nearly = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      target.near = isIntersecting;
      target.settle();
    }
    wake();
  },
  { rootMargin: "400px" },
);

// Observers hold no element that has left the page, and see it leave.
const half = new IntersectionObserver(
  (entries) => {
    for (const { target, intersectionRatio } of entries) {
      clearTimeout(target.timer);
      if (intersectionRatio >= 0.5) target.timer = setTimeout(target.seen, target.after);
    }
  },
  { threshold: 0.5 },
);
const told = new Set(); // answer and product of each impression

const resized = new ResizeObserver((entries) => entries.forEach(({ target }) => target.onscroll()));

class RepriseProducts extends HTMLElement {
  static observedAttributes =
    "heading list product cart limit placement category fallback exclude mix due-within".split(" ");

  due = true; // it is to ask
  near = false;
  turn = 0; // of its question
  products = 0; // that it shows

  constructor() {
    super();
    const button = (part, sign, way) =>
      create("button", "button " + part, { type: "button", onclick: () => this.page(way) }, sign);
    this.heading = create("h2", "heading", { dir: "auto" });
    this.buttons = [button("previous", "‹", -1), button("next", "›", 1)];
    this.turns = create("div", "turns", {}, ...this.buttons);
    this.list = create("ul", "list", { role: "list", onscroll: () => this.scrolled() });
    // on the list: a picture with a listener of its own, and never loaded, would be kept for good
    this.list.addEventListener("error", ({ target }) => target.removeAttribute("src"), true);
    this.list.onclick = this.list.onauxclick = this.list.oncontextmenu = (event) => this.clicked(event);
    this.section = create("section", "section", {}, create("header", "header", {}, this.heading, this.turns), this.list);
    this.box = create("div", "box", {}, create("slot"), this.section);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [style];
    root.append(this.box);
    nearly.observe(this);
    resized.observe(this.list);
  }

  connectedCallback() {
    rows.add(this);
    if (this.due) this.wait();
  }

  disconnectedCallback() {
    rows.delete(this);
  }

  attributeChangedCallback(name, before, now) {
    if (name === "heading") this.heading.textContent = this.section.ariaLabel = now;
    else if (before !== now) {
      this.turn++; // the answer on its way is to another question
      clearTimeout(this.timer);
      if (!this.due) this.timer = setTimeout(() => this.want(), SETTLE_MS);
    }
  }

  want() {
    this.due = true;
    wake();
  }

  wait() {
    const own = [...this.childNodes].some((one) => one.localName !== "template" && (one.localName || one.data.trim()));
    this.put(own || !allowed ? "" : "wait", this.getAttribute("limit") ?? 6);
  }

  fail(detail) {
    if (!this.products) this.put("");
    announce(this, "error", detail);
  }

  show(answer, language) {
    const { items } = answer;
    this.products = items.length;
    if (this.products) {
      const words = WORDS[language.split("-")[0]];
      this.buttons.forEach((button, i) => Object.assign(button, { lang: language, ariaLabel: words[i] }));
      this.put("full", 0, items.map((item) => this.card(item, answer, words[2], language)));
      this.list.scrollLeft = 0;
    } else this.put("");
    announce(this, this.products ? "load" : "empty", answer);
  }

  // Cards, or so many empty ones, at least one: it is as high as all.
  put(state, blanks = 1, cards = []) {
    for (let i = 0; i < Math.min(blanks, 50); i++) cards.push(this.draw(BLANK, true));
    this.box.className = state;
    this.section.ariaBusy = state === "wait";
    this.list.replaceChildren(...cards);
    this.settle();
    this.scrolled();
  }

  draw(fields, ariaHidden, language) {
    const template = this.querySelector(":scope > template");
    const used = { ...fields, button: this.hasAttribute("add-to-cart") && fields.button };
    const parts = template ? fill(template, used, ariaHidden) : draw(used, language);
    return create("li", "card", { ariaHidden }, ...parts);
  }

  // Gives back what was reserved and is not needed, where nobody sees it.
  settle() {
    if (!this.due && this.getBoundingClientRect().top >= innerHeight) this.box.classList.add("small");
  }

  card(item, { recommendation_id, placement }, button, language) {
    const { product_id, product, rank, kind, reason } = item;
    const shown = { product_id, recommendation_id, rank, placement, kind, reason: reason.code };
    const pattern = this.getAttribute("product-url") ?? said.productUrl;
    const url = pattern?.replace("{id}", encodeURIComponent(product_id)) ?? product.url;
    const card = this.draw(
      {
        image: product.image_url ?? "",
        title: product.title || product_id,
        price: priceOf(product),
        reason: reason.text,
        link: url && linkTo(url, shown),
        button,
      },
      null,
      language,
    );
    const after = this.getAttribute("impression-ms") ?? 1e3;
    half.observe(card);
    return Object.assign(card, { shown, detail: { ...shown, item }, after, seen: () => this.seen(card) });
  }

  seen(card) {
    const { shown, detail } = card;
    const name = shown.recommendation_id + shown.product_id;
    if (document.hidden) card.timer = setTimeout(card.seen, card.after);
    else half.unobserve(card);
    if (document.hidden || told.has(name)) return;
    told.add(name);
    note("impression", shown.product_id, shown);
    announce(this, "impression", detail);
  }

  clicked({ type, button, target }) {
    const { shown, detail } = target.closest("[part=card]") ?? {};
    const what = target.closest("a, button");
    if (!shown || !what || (type === "auxclick" && button !== 1)) return;
    const adds = what.localName === "button";
    if (adds && (type !== "click" || !announce(this, "add-to-cart", detail, true))) return;
    if (allowed) remember(shown);
    if (type === "contextmenu") return; // it may become a click in a new tab, and may not
    note("click", shown.product_id, shown);
    if (adds) note("add_to_cart", shown.product_id, shown);
    else announce(this, "click", detail);
    send();
  }

  page(way) {
    this.list.scrollBy({ left: this.list.clientWidth * 0.9 * (this.matches(":dir(rtl)") ? -way : way) });
  }

  scrolled() {
    const { scrollLeft, clientWidth, scrollWidth } = this.list;
    const rest = scrollWidth - clientWidth;
    this.buttons[0].ariaDisabled = Math.abs(scrollLeft) < 2;
    this.buttons[1].ariaDisabled = Math.abs(scrollLeft) > rest - 2;
    this.turns.hidden = rest < 2;
  }
}
