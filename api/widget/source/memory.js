// What is known from one page to the next: the visitor's session, and which products were clicked in which row.
// localStorage keeps it. Where it is forbidden, links carry it in the parameter `reprise`, and it ends with the page.

const KEPT_MS = 7 * 864e5;
const MOST_CLICKS = 50;
let kept = {}; // { session, at, clicks: [{ product_id, recommendation_id, rank, placement, at }, …] }
let lasting; // whether it outlives the page

const newId = () => crypto.getRandomValues(new Uint32Array(4)).join("-"); // `randomUUID` wants https

const recall = () => {
  const now = Date.now();
  let found = kept;
  try {
    if (said.storage !== "none") found = JSON.parse(localStorage.reprise);
  } catch {
    // forbidden, or not there
  }
  const { session = newId(), clicks } = now - found?.at < KEPT_MS ? found : {};
  kept = { session, clicks: [].concat(clicks).filter((click) => now - click?.at < KEPT_MS), at: now };
};

const keep = () => {
  try {
    lasting = said.storage !== "none" && !!(localStorage.reprise = JSON.stringify(kept));
  } catch {
    lasting = false;
  }
};

const remember = (shown) => {
  recall(); // other tabs write, too
  kept.clicks = [...kept.clicks, { ...shown, at: Date.now() }].slice(-MOST_CLICKS);
  keep();
};

const withoutTime = ({ at, ...shown }) => shown;
const findClick = (product) => {
  const click = kept.clicks?.findLast((one) => one.product_id === product);
  return click && withoutTime(click);
};

// The address of a product as a link shows it; none that is no web address.
const linkTo = (url, { product_id, recommendation_id, rank, placement }) => {
  try {
    const address = new URL(url, document.baseURI);
    if (!lasting) address.searchParams.set("reprise", [recommendation_id, rank, placement, product_id].join("~"));
    if (/^http/.test(address.protocol)) return address.href;
  } catch {
    // a card without a link
  }
};

// Whoever is sent the address of this page later did not click: the parameter goes.
const arrive = () => {
  const address = new URL(location);
  const [recommendation_id, rank, placement, ...product] = address.searchParams.get("reprise")?.split("~") ?? [];
  if (!product.length) return;
  remember({ product_id: product.join("~"), recommendation_id, rank: +rank || undefined, placement });
  address.searchParams.delete("reprise");
  history.replaceState(history.state, "", address);
};

const begin = () => {
  recall();
  keep();
  arrive();
};
