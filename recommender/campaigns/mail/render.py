"""The renderer: subject, HTML and plain text of a mail, from a template that a marketer may edit.

The template is data: it runs in Jinja's sandbox, sees nothing but the mail, and escapes all that it writes. What comes
from the catalogue is sanitized before (`recommender.campaigns.mail.sanitize`).
"""

import traceback
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import PackageLoader, StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.debug import rewrite_traceback_stack
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from recommender.campaigns.documents import LinkMaker, Links
from recommender.campaigns.mail.locale import MailLocale, find_locale, get_locale
from recommender.campaigns.mail.sanitize import clean_text
from recommender.errors import MailError
from recommender.settings import MailSettings, Settings
from recommender.slate.slate import Item
from recommender.storage.campaign import Campaign, Picks

TEMPLATE = "mail.html.jinja"
_TEXT_TEMPLATE = "mail.txt.jinja"
LONGEST_SUBJECT = 200
_IN_THE_TEXT = ("greeting", "headline", "intro", "closing")
"""Blocks that the text/plain part repeats; a template may lack any of them."""
_OWN = "<template>"
"""What Jinja calls a template that was read from no loader."""
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
        order_url: puts it into the basket; None where it was not bought before, or the shop names no address for that.
        action: what its button says.
        rank: from 1.
    """

    title: str
    price: str | None
    url: str | None
    image_url: str | None
    order_url: str | None
    reason: str
    code: str
    kind: str
    action: str
    rank: int


@dataclass(frozen=True, slots=True)
class Recipient:
    """The customer for the template: sanitized, not escaped yet.

    Attributes:
        customer_id: the shop's own.
        name: "" where the file of addresses has none.
        language: tag of the mail's language.
    """

    customer_id: str
    name: str
    language: str


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
        self._source = "" if template is None else _read(template)
        self._html = _environment().get_template(TEMPLATE) if template is None else _compile(template, self._source)
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
            raise MailError(f"template {self._name}{self._where(error, values)}") from error

    def _where(self, error: Exception, values: Mapping[str, Any]) -> str:
        """Line and text of the template at which it went wrong, and what could be meant."""
        told = str(error) or type(error).__name__
        if isinstance(error, UndefinedError):
            told += (
                f"; there are: {', '.join(sorted(values))}, as in {{{{ customer.name }}}} or {{{{ picks[0].title }}}}"
            )
        lines = [frame.lineno for frame in traceback.extract_tb(rewrite_traceback_stack().__traceback__)
                 if frame.filename == _OWN]  # fmt: skip
        return f"{_quote(self._source, lines[-1]) if lines and lines[-1] else ''}: {told}; correct it"

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
            "customer": Recipient(clean_text(picks.customer_id), clean_text(name or ""), locale.language.tag),
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
            order_url=links.order_url(slot) if item.kind == "buy_again" else None,
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


def make_renderer(
    settings: Settings, shop: str, template: Path | None = None, locale: str | None = None, *, signed: bool
) -> Renderer:
    """The renderer of a shop's mails as its settings say.

    Args:
        settings: whose `mail.template`, `locale` and `currency` count.
        shop: name of the shop.
        template: in place of the settings'.
        locale: in place of the settings'.
        signed: whether links go through the service, where they count; else what is clicked in a mail changes nothing.

    Raises MailError as `Renderer`.
    """
    mail = settings.mail if signed else settings.mail.model_copy(update={"secret": None})
    own = template or mail.template
    return Renderer(mail, shop, own, locale or settings.locale, settings.currency, hosts=settings.link_hosts)


def _text_of(context: Context, block: str) -> str:
    """A template's block as plain text; "" where the template lacks it."""
    found: Iterator[str] = context.blocks[block][0](context) if block in context.blocks else iter(())
    return Markup("".join(found)).striptags()  # noqa: S704 - its tags are taken out, it enters no HTML


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    loader = PackageLoader("recommender.campaigns.mail", "templates")
    return ImmutableSandboxedEnvironment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _read(template: Path) -> str:
    try:
        return template.read_text("utf-8")
    except (UnicodeDecodeError, OSError) as error:
        raise MailError(f"template {template} cannot be read: {error}") from None


def _compile(template: Path, source: str) -> Template:
    try:
        return _environment().from_string(source)
    except TemplateSyntaxError as error:
        where = _quote(source, error.lineno)
        raise MailError(
            f"template {template}{where}: {error.message}; correct it, as in {{% block subject %}}…{{% endblock %}}"
        ) from None
    except TemplateError as error:
        raise MailError(f"template {template} cannot be read: {error}") from None


def _quote(source: str, line: int) -> str:
    """A line of the template as a message quotes it."""
    lines = source.splitlines()
    text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    return f", line {line}" + (f" `{clean_text(text, LONGEST_SUBJECT)}`" if text else "")
