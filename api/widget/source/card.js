// One card: ours, or one of the page's own <template>.

const create = (tag, part, attributes, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries({ part, ...attributes })) if (value != null) made.setAttribute(name, value);
  made.append(...children);
  return made;
};

const formats = {};
const priceOf = ({ price, currency }) => {
  if (price == null) return "";
  const locale = language();
  try {
    return (formats[locale + currency] ??= new Intl.NumberFormat(
      locale,
      currency ? { style: "currency", currency } : {},
    )).format(price);
  } catch {
    return `${price} ${currency ?? ""}`;
  }
};

const draw = ({ image, title, price, reason, button, link }, lang) => {
  const picture = create("img", "image", { alt: "", loading: "lazy", decoding: "async", src: image });
  picture.onerror = () => picture.removeAttribute("src");
  return [
    create("div", "picture", {}, picture),
    create(link ? "a" : "span", "title", { href: link, dir: "auto" }, title),
    create("span", "price", {}, price),
    create("span", "reason", { dir: "auto", lang }, reason),
    ...(button ? [create("button", "button add", { type: "button", lang }, button)] : []),
  ];
};

// What has data-field="title", "price", "reason", "image", "link" or "button" is filled, and goes where there is nothing.
const fill = (template, fields) => {
  const parts = template.content.cloneNode(true);
  for (const element of parts.querySelectorAll("[data-field]")) {
    const name = element.dataset.field;
    const value = fields[name];
    if (!value) element.remove();
    else element[{ image: "src", link: "href" }[name] ?? "textContent"] = value;
  }
  return [parts];
};
