// One card: ours, or one of the page's own <template>.

const create = (tag, part, properties, ...children) => {
  const made = Object.assign(document.createElement(tag), { part, ...properties });
  made.append(...children);
  return made;
};

const formats = {};
const priceOf = ({ price, currency }) => {
  if (price == null) return "";
  const locale = pageLanguage();
  try {
    return (formats[locale + currency] ??= new Intl.NumberFormat(
      locale,
      currency ? { style: "currency", currency } : {},
    )).format(price);
  } catch {
    return `${price} ${currency ?? ""}`;
  }
};

const BLANK = { image: "", title: "", price: "", reason: "", button: " " };

const draw = ({ image, title, price, reason, button, link }, lang = "") => {
  const picture = create("img", "image", { alt: "", loading: "lazy", decoding: "async" });
  if (image) picture.src = image;
  const parts = [
    create("div", "picture", {}, picture),
    link ? create("a", "title", { href: link, dir: "auto" }, title) : create("span", "title", { dir: "auto" }, title),
    create("span", "price", {}, price),
    create("span", "reason", { dir: "auto", lang }, reason),
  ];
  if (button) parts.push(create("button", "button add", { type: "button", lang }, button));
  return parts;
};

// What has data-field="title", "price", "reason", "image", "link" or "button" is filled, and goes where there is nothing;
// a link stays and leads nowhere, as it may hold the others.
const fill = (template, fields, blank) => {
  const parts = template.content.cloneNode(true);
  for (const element of blank ? [] : parts.querySelectorAll("[data-field]")) {
    const name = element.dataset.field;
    if (fields[name]) element[{ image: "src", link: "href" }[name] ?? "textContent"] = fields[name];
    else if (name !== "link") element.remove();
  }
  return [parts];
};
