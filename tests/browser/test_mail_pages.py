"""Mails as a real browser lays them out, with pictures and links that go through a real service."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from babel.numbers import format_currency
from pydantic import SecretStr

from api import create_app
from recommender.campaigns.mail.render import Renderer
from recommender.events.event import Event
from recommender.settings import MailSettings, Settings
from recommender.storage.campaign import Picks
from tests.browser.chromium import Chromium, start_chromium
from tests.fakes.shops import MemoryShopStorage
from tests.fakes.versions import MemoryVersionStore
from tests.support import small_shop
from tests.support.mail_samples import CAMPAIGN, COFFEE, KETTLE, MILK, SECRET, other, own, picks
from tests.support.needs import find_program
from tests.support.wsgi_server import listen

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
]
LOOKS = [(width, dark) for width in (360, 800) for dark in (False, True)]
PICTURES = {"coffee": ("#8b5a2b", 300, 300), "milk": ("#7ab8e0", 300, 200), "tea": ("#5a8f3d", 200, 300)}
LONG = "Averylongnamewithoutanyspaces" * 20
TEMPLATE = """\
{% extends "mail.html.jinja" %}
{% set sender = "Tea & Bean Co." %}
{% set postal_address = "12 High Street\\nLondon" %}
{% block closing %}See you soon!{% endblock %}
"""
CONTRASTS = """
(() => {
  const parse = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return {rgb: [r, g, b], a}; };
  const light = rgb => rgb.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const found = parse(getComputedStyle(node).backgroundColor);
      if (found.a === 1) return found.rgb;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
    if (!text || !parent.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(parent).color).rgb), light(behind(parent))].sort((x, y) => y - x);
    found.push([text, (a + .05) / (b + .05)]);
  }
  return found;
})()
"""
"""Each text with its contrast to what is behind it: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio."""


class Site:
    """A shop's web site, its service under another host name, and the mails in a folder."""

    def __init__(self, folder: Path, until_the_end: ExitStack) -> None:
        self.folder = folder
        handler = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
        shop = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
        self.address = f"http://127.0.0.1:{shop.server_port}"
        self.store = MemoryVersionStore()
        for name, (colour, width, height) in PICTURES.items():
            shape = f'<rect width="{width}" height="{height}" fill="{colour}"/><circle cx="50%" cy="50%" r="70"/>'
            svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{shape}</svg>'
            (folder / f"{name}.svg").write_text(svg)
            (folder / f"{name}.html").write_text(f"<!doctype html><title>{name}</title>")
        self.picks = self._picks()
        products = [item.product for item in self.picks.items]
        self.store.publish(small_shop.publication(products=[*products, *small_shop.PRODUCTS[4:]]), keep=1)
        secret = MailSettings(secret=SecretStr(SECRET))
        self.app = create_app(Settings(mail=secret, log_level="error"), MemoryShopStorage({"default": self.store}))
        service = listen(self.app, until_the_end)
        self.mail = MailSettings(secret=SecretStr(SECRET), link_base=f"http://localhost:{service.server_port}")
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        until_the_end.callback(shop.server_close)
        until_the_end.callback(shop.shutdown)

    def _picks(self) -> Picks:
        coffee, milk, tea = (
            replace(product, url=f"{self.address}/{name}.html", image_url=f"{self.address}/{name}.svg")
            for product, name in (
                (COFFEE, "coffee"),
                (MILK, "milk"),
                (replace(KETTLE, product_id="TEA", title="Earl Grey"), "tea"),
            )
        )
        bare = replace(KETTLE, product_id="BARE", title="A gift card", url=f"{self.address}/coffee.html", price=None)
        return picks(own(coffee), own(milk, days_ago=6, purchases=20, every_days=7), other(tea), other(bare))

    def write(self, locale: str = "en", audience: str = "due_soon", shown: Picks | None = None) -> str:
        """Render a mail into the folder; its address."""
        (self.folder / "mine.jinja").write_text(TEMPLATE)
        renderer = Renderer(self.mail, "default", self.folder / "mine.jinja", currency="EUR")
        mail = renderer.render(replace(CAMPAIGN, audience=audience), shown or self.picks, name="Anna", locale=locale)
        (self.folder / "mail.html").write_text(mail.html)
        return f"{self.address}/mail.html"

    def retitle(self, title: str) -> Picks:
        """The picks, the first under another title."""
        first, *rest = self.picks.items
        return picks(first._replace(product=replace(first.product, title=title)), *rest)

    def events(self) -> list[Event]:
        """What readers did since this was asked last."""
        self.app.extensions["reprise_mail_links"].events.flush()
        entries = self.store.event_log.queue.take("test")
        self.store.event_log.queue.settle([entry.entry_id for entry in entries])
        return [Event.from_json(entry.wire) for entry in entries]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with start_chromium(find_program("browser") or "", tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as until_the_end:
        yield Site(tmp_path_factory.mktemp("site"), until_the_end)


@pytest.mark.parametrize("mail", [("en", "due_soon"), ("ar", "win_back"), ("de", "overdue")])
@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_a_mail_can_be_read(browser, site, tmp_path, mail, width, dark):  # noqa: PLR0917
    browser.open(site.write(*mail), width, dark=dark)
    browser.screenshot(tmp_path / "mail.png")
    assert (tmp_path / "mail.png").stat().st_size > 5_000
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("document.querySelector('.card').getBoundingClientRect().width") == min(width - 16, 600)
    contrasts = browser.evaluate(CONTRASTS)
    assert len(contrasts) > 15
    assert [one for one in contrasts if one[1] < 4.5] == []
    backdrop = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, backdrop[4:-1].split(","))) < 200) == dark


@pytest.mark.parametrize(("locale", "direction"), [("en", "ltr"), ("ar", "rtl")])
def test_the_page_is_mirrored_where_the_language_is(browser, site, locale, direction):
    browser.open(site.write(locale), 360)
    found = browser.evaluate(
        "[...document.querySelectorAll('h1, p, .picture, .button')].map(one => getComputedStyle(one).direction)"
    )
    assert set(found) == {direction}
    left = "document.querySelector('%s').getBoundingClientRect().left"
    picture, button = browser.evaluate(left % ".picture"), browser.evaluate(left % ".button")
    assert (picture < button) == (direction == "ltr")


@pytest.mark.parametrize("title", [LONG, "語" * 500, "W" * 5_000])
def test_no_title_makes_a_phone_scroll_sideways(browser, site, title):
    browser.open(site.write(shown=site.retitle(title)), 360)
    assert browser.evaluate("document.documentElement.scrollWidth") == 360


def test_a_phone_needs_no_style_sheet(browser, site):
    """Some mail programs drop it."""
    address = site.write()
    file = site.folder / "mail.html"
    head, _, rest = file.read_text().partition("<style>")
    file.write_text(head + rest.partition("</style>")[2])
    browser.open(address, 360)
    assert browser.evaluate("document.styleSheets.length") == 0
    assert browser.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("locale", ["en", "ar", "de", "fr"])
@pytest.mark.parametrize("width", [360, 800])
def test_a_finger_hits_every_link(browser, site, locale, width):
    browser.open(site.write(locale), width)
    heights = browser.evaluate(
        "[...document.links].map(one => [one.href.split('/').pop(), one.getBoundingClientRect().height])"
    )
    assert [name for name, _ in heights] == ["click"] * 11 + ["unsubscribe"]
    assert [one for one in heights if one[1] < 44] == []


def test_pictures_are_shown_within_another_hosts_page_and_each_has_a_text(browser, site):
    browser.open(site.write(shown=site.picks._replace(customer_id="BEN")), 360)
    found = browser.evaluate("[...document.images].map(one => [one.alt, one.naturalWidth > 1, one.width])")
    assert found == [[title, True, 96] for title in ("Coffee beans", "Whole milk, 1 l", "Earl Grey")]
    assert [(one.event_type, one.customer_id) for one in site.events()][-1:] == [("mail_open", "BEN")]


@pytest.mark.parametrize("dark", [False, True])
def test_a_mail_says_all_with_pictures_off(browser, site, tmp_path, dark):
    browser.open(site.write(), 360, dark=dark, blocked=["*image"])
    browser.screenshot(tmp_path / "mail.png")
    assert browser.evaluate("[...document.images].map(one => one.naturalWidth)") == [0, 0, 0]
    text = browser.evaluate("document.body.innerText")
    price = format_currency(Decimal("12.90"), "EUR", locale="en")
    for said in ("Time to restock", "Coffee beans", "You usually reorder every 5 weeks", price, "Order again"):
        assert said in text
    assert browser.evaluate("document.documentElement.scrollWidth") == 360


def test_the_preheader_is_not_seen(browser, site):
    browser.open(site.write(), 360)
    assert "before it runs out" in browser.evaluate("document.body.textContent")
    assert "before it runs out" not in browser.evaluate("document.body.innerText")


@pytest.mark.parametrize(
    "title",
    [
        "<script>window.pwned = 1</script>",
        '"><img src=x onerror="window.pwned = 1">',
        "</style></title><svg onload='window.pwned = 1'>",
        "{{ 7*7 }}",
    ],
)
def test_a_title_runs_nothing_in_a_browser_that_would(browser, site, title):
    browser.open(site.write(shown=site.retitle(title)), 360)
    assert browser.evaluate("window.pwned === undefined")
    assert browser.evaluate("document.querySelectorAll('script, svg').length") == 0
    assert browser.evaluate("document.querySelector('.card span[dir=auto]').textContent") == title


def test_nothing_is_fetched_but_the_pictures(browser, site):
    browser.open(site.write(), 800)
    asked = {address.rsplit("/", 1)[-1] for address in browser.requests()}
    assert asked - {"favicon.ico"} == {"mail.html", "image", "coffee.svg", "milk.svg", "tea.svg"}


def test_a_click_ends_at_the_product_without_a_referrer_and_is_kept(browser, site):
    browser.open(site.write(), 360)
    site.events()
    browser.open(browser.evaluate("document.querySelectorAll('.button')[1].href"), 360)
    assert browser.evaluate("[location.href, document.referrer]") == [f"{site.address}/milk.html", ""]
    clicks = [(one.event_type, one.product_id, one.rank, one.campaign_id) for one in site.events()]
    assert clicks == [("click", "MILK", 2, CAMPAIGN.campaign_id)]
