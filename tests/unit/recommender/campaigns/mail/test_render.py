import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError
from pydantic import SecretStr

from recommender.campaigns.links import read_link
from recommender.campaigns.mail.locale import find_locale
from recommender.campaigns.mail.render import Renderer
from recommender.errors import MailError
from recommender.settings import MailSettings
from recommender.words.language import LANGUAGES, get_language
from tests.support.mail_samples import CAMPAIGN, COFFEE, KETTLE, SECRET, SHOP_SITE, other, own, picks

PLAIN = MailSettings()
SIGNED = MailSettings(secret=SecretStr(SECRET), link_base="https://mail.shop.example/")
MINE = """\
{% extends "mail.html.jinja" %}
{% set sender = "Tea & Co." %}
{% set postal_address = "12 High Street\\nLondon" %}
{% set unsubscribe_url = "https://shop.example/bye" %}
{% block subject %}{% if campaign.audience == "win_back" %}Come back!{% else %}{{ super() }}{% endif %}{% endblock %}
{% block closing %}Yours, <b>Tea &amp; Co.</b>{% endblock %}
"""


class Tags(HTMLParser):
    """The tags of a document with their attributes, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture
def template(tmp_path):
    file = tmp_path / "mine.html.jinja"
    file.write_text(MINE)
    return file


def test_a_mail_says_what_why_and_for_how_much():
    coffee, kettle = (find_locale("en").price(price, "EUR") for price in ("12.90", "1299"))
    mail = Renderer(PLAIN, "default", currency="EUR").render(CAMPAIGN, picks(), name="Anna")
    assert mail.subject == "Running low on Coffee beans?"
    assert mail.text.splitlines()[:12] == [
        "Time to restock",
        "",
        "Hello Anna,",
        "Going by your past orders, you will soon want these again.",
        "",
        "* Coffee beans",
        "  You usually reorder every 5 weeks",
        f"  {coffee}",
        "  https://shop.example/coffee",
        "",
        "* Whole milk, 1 l",
        "  You usually reorder every 7 days",
    ]
    for text in ("Hello Anna,", "Coffee beans", "You usually reorder every 5 weeks", coffee, kettle):
        assert text in mail.html


def test_the_same_arguments_give_the_same_bytes():
    mails = [Renderer(SIGNED, "default").render(CAMPAIGN, picks(), name="Anna") for _ in range(2)]
    assert mails[0] == mails[1]


def test_without_a_secret_links_lead_straight_to_the_shop():
    mail = Renderer(PLAIN, "default").render(CAMPAIGN, picks())
    page = Tags(mail.html)
    assert {link["href"] for link in page.all("a")} == {COFFEE.url, f"{SHOP_SITE}/milk?a=1&b=2", f"{SHOP_SITE}/kettle"}
    assert [one["src"] for one in page.all("img")] == [f"{SHOP_SITE}/i/coffee.svg", f"{SHOP_SITE}/i/milk.svg"]
    assert mail.unsubscribe_url is None


def test_with_a_secret_they_lead_through_the_service():
    mail = Renderer(SIGNED, "default").render(CAMPAIGN, picks(spares=["TEA"]))
    links = {link["href"] for link in Tags(mail.html).all("a")}
    token = mail.unsubscribe_url.split("/")[-2]
    base = f"https://mail.shop.example/v1/m/{token}"
    assert links == {f"{base}/{path}" for path in ("1/click", "2/click", "3/click", "unsubscribe")}
    assert [one["src"] for one in Tags(mail.html).all("img")] == [f"{base}/1/image", f"{base}/2/image"]
    assert read_link(token, SECRET) == ("default", "2026-w47", "ANNA", ("COFFEE", "MILK", "KETTLE", "TEA"), 3)
    assert mail.unsubscribe_url in mail.text


def test_every_picture_has_a_text_and_no_layout_table_is_read_out():
    page = Tags(Renderer(PLAIN, "default").render(CAMPAIGN, picks()).html)
    assert [one["alt"] for one in page.all("img")] == ["Coffee beans", "Whole milk, 1 l"]
    assert {table["role"] for table in page.all("table")} == {"presentation"}


@pytest.mark.parametrize(
    ("locale", "language", "direction"),
    [("de-AT", "de-AT", "ltr"), ("ar", "ar", "rtl"), ("fa-IR", "fa-IR", "rtl"), ("ru", "ru", "ltr")],
)
def test_the_customers_language_and_its_direction(locale, language, direction):
    mail = Renderer(PLAIN, "default").render(CAMPAIGN, picks(), locale=locale)
    (html,) = Tags(mail.html).all("html")
    assert html == {"lang": language, "dir": direction}
    assert ('align="right"' in mail.html) == (direction == "rtl")


@pytest.mark.parametrize("language", LANGUAGES)
def test_subject_html_and_text_are_in_one_language(language):
    mail = Renderer(PLAIN, "default").render(CAMPAIGN, picks(own(COFFEE, days_ago=80, every_days=30)), locale=language)
    words = get_language(language).words
    assert mail.subject == words["audiences"]["due_soon"]["subject"].format(product="Coffee beans")
    for sentence in (words["greeting_unnamed"], words["why"], words["reasons"]["OVERDUE"]):
        assert sentence in mail.text
        assert sentence in mail.html


def test_a_price_is_in_the_products_own_currency():
    items = own(replace(COFFEE, currency="USD")), other(KETTLE)
    mail = Renderer(PLAIN, "default", currency="EUR").render(CAMPAIGN, picks(*items))
    assert "$12.90" in mail.text
    assert "€1,299.00" in mail.text


def test_a_locale_that_nobody_knows_is_the_renderers_own():
    renderer = Renderer(PLAIN, "default", locale="de")
    for locale in ("", "xx", "../../etc/passwd", "d" * 5_000, "de\0"):
        assert renderer.render(CAMPAIGN, picks(), locale=locale).subject == "Geht Coffee beans zur Neige?"
    with pytest.raises(MailError, match=r"'xx' is not known; give a language"):
        Renderer(PLAIN, "default", locale="xx")


def test_a_marketer_changes_what_a_template_says(template):
    renderer = Renderer(SIGNED, "default", template)
    mail = renderer.render(CAMPAIGN, picks())
    assert mail.subject == "Running low on Coffee beans?"
    assert "<bdi>Tea &amp; Co.</bdi>" in mail.html
    assert "<bdi>12 High Street</bdi><br><bdi>London</bdi>" in mail.html
    assert mail.unsubscribe_url == "https://shop.example/bye"
    assert mail.text.endswith(
        "Yours, Tea & Co.\n\n-- \nTea & Co.\nYou receive this mail because you are our customer.\n12 High Street\n"
        "London\nUnsubscribe: https://shop.example/bye\n"
    )
    assert renderer.render(CAMPAIGN.__class__("w", "win_back", 4, "v", CAMPAIGN.begun_at), picks()).subject == (
        "Come back!"
    )


def test_the_sender_and_the_address_of_the_settings_are_those_of_every_mail(template):
    settings = MailSettings(sender="Bean & Co.", postal_address="1 Low Street\nLeeds")
    mail = Renderer(settings, "default").render(CAMPAIGN, picks())
    assert "<bdi>Bean &amp; Co.</bdi>" in mail.html
    assert "<bdi>1 Low Street</bdi><br><bdi>Leeds</bdi>" in mail.html
    assert "Bean & Co." not in Renderer(settings, "default", template).render(CAMPAIGN, picks()).text


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("{% block subject %}", TemplateSyntaxError),
        ("{% extends 'other.jinja' %}", TemplateNotFound),
        ("{% block subject %}{{ nobody }}{% endblock %}", UndefinedError),
        ("{% block subject %}{{ 1 / 0 }}{% endblock %}", ZeroDivisionError),
        ("{% block subject %}{{ ().__class__.__bases__ }}{% endblock %}", SecurityError),
        ("{% block subject %}{{ picks.append(1) }}{% endblock %}", SecurityError),
        ("{% include '/etc/passwd' %}", TemplateNotFound),
        ("{% block subject %}{{ range(10000000) }}{% endblock %}", OverflowError),
    ],
)
def test_a_template_that_cannot_be_filled_is_named_with_its_fault(tmp_path, source, fault):
    file = tmp_path / "mine.jinja"
    file.write_text(source)
    with pytest.raises(MailError) as raised:
        Renderer(PLAIN, "default", file).render(CAMPAIGN, picks())
    cause = raised.value.__context__
    assert isinstance(cause, fault)
    what = cause.message if isinstance(cause, TemplateSyntaxError) else cause
    assert f"template {file}, line 1 `{source}`: {what}; " in str(raised.value)


def test_a_fault_is_named_with_its_line_and_what_could_be_meant(tmp_path):
    file = tmp_path / "mine.jinja"
    lines = ['{% extends "mail.html.jinja" %}', "{% block closing %}", "  Yours, {{ custmer.name }}", "{% endblock %}"]
    file.write_text("\n".join(lines))
    with pytest.raises(MailError) as raised:
        Renderer(PLAIN, "default", file).render(CAMPAIGN, picks())
    said = str(raised.value)
    assert (
        "mine.jinja, line 3 `Yours, {{ custmer.name }}`: 'custmer' is undefined; there are: campaign, customer," in said
    )
    assert "as in {{ customer.name }} or {{ picks[0].title }}; correct it" in said
    lines[2] = "  Yours, {{ customer.naam }}"
    file.write_text("\n".join(lines))
    with pytest.raises(MailError, match=r"line 3 .*has no attribute 'naam'"):
        Renderer(PLAIN, "default", file).render(CAMPAIGN, picks())
    file.write_text('{% extends "mail.html.jinja" %}\n{% block subject %}Hi\n{% if name %}')
    with pytest.raises(MailError, match=r"line 3 `\{% if name %\}`: .*as in \{% block subject %\}…\{% endblock %\}"):
        Renderer(PLAIN, "default", file)


def test_the_customer_may_be_named_anywhere(tmp_path):
    file = tmp_path / "mine.jinja"
    file.write_text(
        '{% extends "mail.html.jinja" %}{% block subject %}{{ customer.name or "You" }}, {{ customer.customer_id }}'
        "{% endblock %}{% block closing %}{{ customer.language }}{% endblock %}"
    )
    renderer = Renderer(PLAIN, "default", file)
    assert renderer.render(CAMPAIGN, picks(), name="Anna <b>").subject == "Anna <b>, ANNA"
    assert renderer.render(CAMPAIGN, picks(), locale="de-AT").subject == "You, ANNA"
    assert "de-AT" in renderer.render(CAMPAIGN, picks(), locale="de-AT").text


def test_buttons_to_order_again_fill_the_basket_where_the_shop_names_its_address():
    cart = {"cart_url": "https://shop.example/cart/add?id={product_id}&n=1", "utm_source": "reprise mails"}
    page = Tags(Renderer(MailSettings(**cart), "default").render(CAMPAIGN, picks()).html)
    links = [link["href"] for link in page.all("a")]
    utm = "utm_source=reprise+mails&utm_medium=email&utm_campaign=2026-w47"
    assert f"https://shop.example/cart/add?id=COFFEE&n=1&{utm}" in links
    assert f"{SHOP_SITE}/coffee?{utm}" in links, "the title leads to its page"
    assert f"{SHOP_SITE}/kettle?{utm}" in links
    assert not any("KETTLE" in link for link in links), "what was never bought is looked at first"
    signed = Renderer(MailSettings(secret=SecretStr(SECRET), **cart), "default").render(CAMPAIGN, picks())
    slots = {link["href"].partition("/v1/m/")[2].partition("/")[2] for link in Tags(signed.html).all("a")}
    assert slots == {"1/click", "1/order", "2/click", "2/order", "3/click", "unsubscribe"}
    assert "/1/order" in signed.text


def test_a_template_without_a_subject_is_named(tmp_path):
    file = tmp_path / "mine.jinja"
    file.write_text("<p>Hello</p>")
    with pytest.raises(MailError, match=re.escape(f"{file} has no subject; add {{% block subject %}}")):
        Renderer(PLAIN, "default", file).render(CAMPAIGN, picks())


def test_a_template_that_is_not_there_or_no_text_is_named(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("absent", "binary"):
        with pytest.raises(MailError, match=f"{name} cannot be read"):
            Renderer(PLAIN, "default", tmp_path / name)


def test_the_secret_is_out_of_a_templates_reach(tmp_path):
    file = tmp_path / "mine.jinja"
    file.write_text("{% block subject %}{{ self }} {{ campaign }} {{ picks }} {{ words }}{% endblock %}")
    assert SECRET not in Renderer(SIGNED, "default", file).render(CAMPAIGN, picks()).html


def test_a_product_that_the_shop_says_little_of():
    bare = COFFEE.__class__("SKU-1")
    mail = Renderer(PLAIN, "default").render(CAMPAIGN, picks(own(bare), other(bare)))
    page = Tags(mail.html)
    assert (page.all("a"), page.all("img")) == ([], [])
    assert "* SKU-1" in mail.text
    assert "None" not in mail.html + mail.text
