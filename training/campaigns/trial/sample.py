"""Templates tried out with made-up products: what is wrong with one shows before a campaign begins."""

from datetime import date, datetime, timedelta

from recommender.campaigns.mail.render import Renderer
from recommender.publication.product import Product
from recommender.slate.due import Due
from recommender.slate.reasons import Reason
from recommender.slate.slate import Item
from recommender.storage.campaign import Campaign, Picks

CUSTOMER = "C-1042"
_SHOP = "https://shop.example"


def check_template(renderer: Renderer, campaign: Campaign) -> None:
    """Fill the template for somebody with a name and for somebody without.

    Raises:
        MailError: it cannot be filled; the message names the line and what to write.
    """
    for name in ("Anna", None):
        renderer.render(campaign, sample_picks(campaign), name=name)


def sample_picks(campaign: Campaign) -> Picks:
    """Picks of one made-up customer: something to buy again, something new, and something with neither price nor page.

    There is one of them at least, and as many as the campaign has slots.
    """
    day = campaign.begun_at.date()
    evidence = {"purchases": 6, "last_purchased_on": (day - timedelta(days=25)).isoformat(), "interval_days": 28}
    items = (
        Item(
            Product("SAMPLE-1", "Coffee beans 1 kg", "Coffee", "12.90", f"{_SHOP}/coffee", f"{_SHOP}/coffee.jpg"),
            1,
            "buy_again",
            0.8,
            _due(campaign.begun_at),
            Reason("DUE_SOON", evidence),
        ),
        Item(
            Product("SAMPLE-2", "Green tea", "Tea", "4.50", f"{_SHOP}/tea"),
            2,
            "discover",
            0.3,
            None,
            Reason("CHOSEN_FOR_YOU", {}),
        ),
        Item(Product("SAMPLE-3"), 3, "popular", None, None, Reason("BEST_SELLER", {})),
    )
    return Picks(CUSTOMER, items[: max(1, campaign.slots)])


def _due(at: datetime) -> Due:
    day: date = at.date()
    return Due(day + timedelta(days=3), day, day + timedelta(days=7), 28, {7: 0.5, 14: 0.7, 30: 0.9})
