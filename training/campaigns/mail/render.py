"""The renderer: subject, HTML and plain text of a mail, from a template that a marketer may edit.

The template is data: it runs in Jinja's sandbox, sees nothing but the mail, and escapes all that it writes. What comes
from the catalogue is sanitized before (`training.campaigns.mail.sanitize`).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import PackageLoader, StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from recommender.campaigns.documents import LinkMaker, Links
from recommender.errors import MailError
from recommender.settings import MailSettings
from recommender.slate.slate import Item
from recommender.storage.campaign import Campaign, Picks
from training.campaigns.mail.locale import MailLocale, find_locale, get_locale
from training.campaigns.mail.sanitize import clean_text

TEMPLATE = "mail.html.jinja"
_TEXT_TEMPLATE = "mail.txt.jinja"
LONGEST_SUBJECT = 200
_IN_THE_TEXT = ("greeting", "headline", "intro", "closing")
"""Blocks that the text/plain part repeats; a template may lack any of them."""
_SET_BY_A_TEMPLATE = ("sender", "postal_address", "unsubscribe_url")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered mail, without addresses.

    Attributes:
        subject: one line without control characters, at most LONGEST_SUBJECT long.
        html: a whole document.
        text: the same for readers without HTML; lines end with a line feed.
        unsubscribe_url: for `List-Unsubscribe`; None where neither settings nor template have one.
    """

    subject: str
    html: str
    text: str
    unsubscribe_url: str | None = None


@dataclass(frozen=True, slots=True)
class Pick:
    """A product for the template: sanitized, not escaped yet.

    Attributes:
        title: never empty.
        price: in the customer's own notation; None where the catalogue has none.
        url, image_url: http or https; None where there is none.
        reason: one sentence in the mail's language.
        code, kind: of the reason and the product, see `recommender.slate.slate.Item`.
        action: what its button says.
        rank: from 1.
    """

    title: str
    price: str | None
    url: str | None
    image_url: str | None
    reason: str
    code: str
    kind: str
    action: str
    rank: int


class Renderer:
    """Renderer of one shop's mails; the template is compiled once. Safe to share between threads.

    Args:
        settings: whether links are signed, and where they lead.
        shop: name of the shop.
        template: a marketer's own, which may extend TEMPLATE; None is the packaged one.
        locale: of customers who have none, such as `de` or `pt-BR`.
        currency: of prices whose product has none of its own, ISO 4217; None writes them as plain numbers.

    Raises:
        MailError: the template cannot be read or is none, or the locale is not known.
    """

    def __init__(
        self,
        settings: MailSettings,
        shop: str,
        template: Path | None = None,
        locale: str = "en",
        currency: str | None = None,
        *,
        hosts: Collection[str] = (),
    ) -> None:
        self._settings = settings
        self._maker = LinkMaker(settings, shop, hosts)
        self._locale = get_locale(locale)
        self._currency = currency
        self._name = str(template or TEMPLATE)
        self._html = _environment().get_template(TEMPLATE) if template is None else _compile(template)
        self._text = _environment().get_template(_TEXT_TEMPLATE)

    def render(
        self, campaign: Campaign, picks: Picks, *, name: str | None = None, locale: str | None = None
    ) -> Rendered:
        """The mail of one customer; the same arguments give the same bytes.

        Args:
            campaign: what it is about.
            picks: what it shows.
            name: how the customer is greeted; None greets without one.
            locale: of this customer; None, or one that is not known, stands for the renderer's own.

        Raises:
            MailError: the template has no subject, or cannot be filled.
        """
        mail_locale = (find_locale(locale) if locale else None) or self._locale
        values = self._values(campaign, picks, mail_locale, name)
        try:
            return self._fill(values)
        except MailError:
            raise
        except Exception as error:  # whatever a marketer's template does
            raise MailError(f"template {self._name}: {error}; edit it and look at one mail first") from error

    def _values(self, campaign: Campaign, picks: Picks, locale: MailLocale, name: str | None) -> dict[str, Any]:
        links = self._maker.links(campaign, picks)
        shown = [self._pick(item, slot, links, locale) for slot, item in enumerate(picks.items, start=1)]
        common = {key: locale.language.words[key] for key in ("why", "unsubscribe")}
        sentences = locale.audience(campaign.audience, shown[0].title)
        return {
            "sender": self._settings.sender,
            "postal_address": self._settings.postal_address,
            "campaign": campaign,
            "name": clean_text(name or ""),
            "language": locale.language.tag,
            "direction": locale.language.notation.direction,
            "words": {**common, **sentences, "greeting": locale.greet(name)},
            "picks": shown,
            "unsubscribe_url": links.unsubscribe_url,
        }

    def _pick(self, item: Item, slot: int, links: Links, locale: MailLocale) -> Pick:
        product = item.product
        return Pick(
            title=clean_text(product.title or "") or clean_text(product.product_id) or "-",
            price=locale.price(product.price, product.currency or self._currency),
            url=links.url(slot),
            image_url=links.image_url(slot),
            reason=locale.reason(item),
            code=item.reason.code,
            kind=item.kind,
            action=locale.action(item),
            rank=item.rank,
        )

    def _fill(self, values: dict[str, Any]) -> Rendered:
        context = self._html.new_context(values)
        html = "".join(self._html.root_render_func(context))
        if "subject" not in context.blocks:
            raise MailError(f"template {self._name} has no subject; add {{% block subject %}}…{{% endblock %}}")
        settled: dict[str, Any] = {name: context.resolve(name) for name in _SET_BY_A_TEMPLATE}
        blocks = {name: _text_of(context, name) for name in _IN_THE_TEXT}
        text = self._text.render(values | settled | blocks)
        subject = clean_text(_text_of(context, "subject"), LONGEST_SUBJECT)
        return Rendered(subject, html, text, settled["unsubscribe_url"])


def _text_of(context: Context, block: str) -> str:
    """A template's block as plain text; "" where the template lacks it."""
    found: Iterator[str] = context.blocks[block][0](context) if block in context.blocks else iter(())
    return Markup("".join(found)).striptags()  # noqa: S704 - its tags are taken out, it enters no HTML


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    loader = PackageLoader("training.campaigns.mail", "templates")
    return ImmutableSandboxedEnvironment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _compile(template: Path) -> Template:
    try:
        return _environment().from_string(template.read_text("utf-8"))
    except TemplateSyntaxError as error:
        raise MailError(f"template {template}, line {error.lineno}: {error.message}; correct it") from None
    except (TemplateError, UnicodeDecodeError, OSError) as error:
        raise MailError(f"template {template} cannot be read: {error}") from None
