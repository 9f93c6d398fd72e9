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
    "list product cart limit heading placement category fallback exclude mix due-within".split(" ");

  due = true; // it is to ask
  near = false;
  turn = 0; // of its question
  products = []; // that it shows

  constructor() {
    super();
    const button = (part, sign, way) => {
      const made = create("button", "button " + part, { type: "button", "aria-controls": "list" }, sign);
      made.onclick = () => this.page(way);
      return made;
    };
    this.name = create("h2", "heading", { id: "heading", dir: "auto" });
    this.buttons = [button("previous", "‹", -1), button("next", "›", 1)];
    this.list = create("ul", "list", { id: "list", role: "list" });
    this.list.onclick = this.list.onauxclick = this.list.oncontextmenu = (event) => this.clicked(event);
    this.list.onscroll = () => this.scrolled();
    this.turns = create("div", "turns", {}, ...this.buttons);
    const header = create("header", "header", {}, this.name, this.turns);
    this.section = create("section", "section", { "aria-labelledby": "heading" }, header, this.list);
    this.box = create("div", "box", {}, create("slot"), this.section);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [style];
    root.append(this.box);
  }

  connectedCallback() {
    rows.add(this);
    if (this.due) this.wait();
    nearly.observe(this);
    resized.observe(this.list);
    this.watch();
  }

  disconnectedCallback() {
    rows.delete(this);
    clearTimeout(this.timer);
    nearly.unobserve(this);
    resized.unobserve(this.list);
    this.watch(false);
  }

  attributeChangedCallback(name, before, now) {
    if (name === "heading") this.name.textContent = now;
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

  // Cards count as seen while the page is.
  watch(on = !document.hidden) {
    for (const card of this.list.children) {
      clearTimeout(card.timer);
      half.unobserve(card);
      if (on && card.seen) half.observe(card);
    }
  }

  wait() {
    const own = [...this.childNodes].some((one) => one.localName !== "template" && (one.localName || one.data.trim()));
    this.put(own || !allowed ? "" : "wait", Array.from({ length: Math.min(this.getAttribute("limit") ?? 6, 50) || 1 }, blank));
  }

  fail(detail) {
    if (!this.products.length) this.put("", [blank()]);
    announce(this, "error", detail);
  }

  show(answer, spoken = "en") {
    const words = WORDS[spoken.split("-")[0]];
    this.buttons.forEach((button, i) => {
      button.lang = spoken;
      button.ariaLabel = i ? words.next : words.previous;
    });
    this.watch(false);
    this.products = answer.items.map((item) => item.product_id);
    const some = this.products.length;
    const cards = answer.items.map((item) => this.card(item, answer, words, spoken));
    this.put(some ? "full" : "", some ? cards : [blank()]);
    this.list.scrollLeft = 0;
    this.watch();
    announce(this, some ? "load" : "empty", answer);
  }

  put(state, cards) {
    this.box.className = state;
    this.section.ariaBusy = state === "wait";
    this.list.replaceChildren(...cards);
    this.settle();
  }

  // Gives back what was reserved and is not needed, where nobody sees it.
  settle() {
    const below = this.getBoundingClientRect().top >= innerHeight;
    if (below && !this.due && this.box.className !== "wait") this.box.classList.add("small");
  }

  card(item, { recommendation_id, placement }, words, spoken) {
    const { product_id, product, rank, reason } = item;
    const shown = { product_id, recommendation_id, rank, placement };
    const pattern = this.getAttribute("product-url") ?? said.productUrl;
    const url = pattern?.replace("{id}", encodeURIComponent(product_id)) ?? product.url;
    const fields = {
      image: product.image_url,
      title: product.title ?? product_id,
      price: priceOf(product),
      reason: reason.text,
      button: this.hasAttribute("add-to-cart") && words.add_to_cart,
      link: url && linkTo(url, shown),
    };
    const template = this.querySelector(":scope > template");
    const card = create("li", "card", {}, ...(template ? fill(template, fields) : draw(fields, spoken)));
    card.shown = shown;
    card.detail = { ...shown, item };
    card.after = this.getAttribute("impression-ms") ?? 1e3;
    card.seen = () => this.seen(card);
    return card;
  }

  seen(card) {
    const { shown, detail } = card;
    const name = shown.recommendation_id + shown.product_id;
    half.unobserve(card);
    card.seen = undefined;
    if (told.has(name)) return;
    told.add(name);
    tell("impression", shown.product_id, shown);
    announce(this, "impression", detail);
  }

  clicked({ type, button, target }) {
    const { shown, detail } = target.closest("li");
    const what = target.closest("a, button");
    if (!shown || !what || (type === "auxclick" && button !== 1)) return;
    const adds = what.localName === "button";
    if (adds && (type !== "click" || !announce(this, "add-to-cart", detail, true))) return;
    if (allowed) remember(shown);
    if (type === "contextmenu") return; // it may become a click in a new tab, and may not
    tell("click", shown.product_id, shown);
    if (adds) tell("add_to_cart", shown.product_id, shown);
    else announce(this, "click", detail);
    send();
  }

  page(way) {
    const { direction } = getComputedStyle(this.list);
    this.list.scrollBy({ left: this.list.clientWidth * 0.9 * (direction === "rtl" ? -way : way) });
  }

  scrolled() {
    const { scrollLeft, clientWidth, scrollWidth } = this.list;
    const at = Math.abs(scrollLeft);
    const rest = scrollWidth - clientWidth;
    this.buttons[0].ariaDisabled = at < 2;
    this.buttons[1].ariaDisabled = at > rest - 2;
    this.turns.hidden = rest < 2;
  }
}

const blank = () => create("li", "card", { "aria-hidden": true });
