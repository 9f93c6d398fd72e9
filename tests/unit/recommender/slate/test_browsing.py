"""A customer who browses for a week: many page loads a day, several rows a page, each product shown an impression."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from recommender.catalogue.catalogue import Catalogue
from recommender.events.event import Event, EventType
from recommender.events.recent import RecentActivity
from recommender.person import digest_of_person
from recommender.publication.lists import PublishedList
from recommender.publication.product import Product
from recommender.slate.placements import DEFAULT_PLACEMENTS, Mix, Placement, clamp_limit
from recommender.slate.plans import personal_plan
from recommender.slate.reading import FetchedLists
from recommender.slate.slate import Context, build_slate
from tests.fakes.event_log import MemoryEventLog
from tests.support.small_shop import model, table

MORNING = datetime(2026, 11, 20, 8, tzinfo=UTC)
TODAY = (MORNING - datetime(1970, 1, 1, tzinfo=UTC)).days
ANNA = digest_of_person("ANNA", None)
HOME = DEFAULT_PLACEMENTS["home"]
ROW = Placement(cap=8, default_limit=8)
OWN = [f"own{i}" for i in range(6)]
NEW = [f"new{i}" for i in range(60)]
PRODUCTS = Catalogue({index: Product(product_id).to_json() for index, product_id in enumerate([*OWN, *NEW])})

chances = st.integers(1, 99).map(lambda percent: percent / 100)
falling = st.lists(chances, min_size=len(OWN), max_size=len(OWN)).map(lambda one: sorted(one, reverse=True))
new_chances = st.lists(chances, min_size=len(NEW), max_size=len(NEW)).map(lambda one: sorted(one, reverse=True))
weeks = settings(max_examples=5, deadline=None, phases=[Phase.generate])  # to shrink a week takes minutes
Page = dict[Mix, list[str]]


class Browser:
    """ANNA in front of a page of three rows; what she does is kept and read as in the service."""

    def __init__(self, own: Sequence[float], new: Sequence[float], placement: Placement = ROW, loads: int = 20) -> None:
        month = math.log(30)
        self.lists = {
            "buy_again": _listed("buy_again", [(i, p, TODAY - 30, 9, month, 0.5, 0.9) for i, p in enumerate(own)]),
            "discover": _listed("discover", list(enumerate(new, len(OWN)))),
        }
        self.rows: dict[Mix, Placement] = {"auto": HOME, "buy_again": placement, "discover": placement}
        self.loads, self.log, self.ids = loads, MemoryEventLog(), count()

    def load(self, now: datetime, *, seen: bool = True) -> Page:
        """The rows of one page; `seen` ones become impressions, of a session that lasts two hours."""
        orders, session, shown, hidden, _ = self.log.read_person(ANNA)
        live = {ANNA: RecentActivity(orders, session, shown, hidden, indices={one: i for i, one in enumerate(OWN)})}
        page: Page = {}
        for mix, placement in self.rows.items():
            plan = personal_plan("ANNA", mix)
            lists = {key: self.lists.get(key.name) for key in plan.keys}
            choice = plan.choose(FetchedLists("20261120T020000Z-3f2a", lists, PRODUCTS, live), placement, now)
            context = Context(clamp_limit(placement, None), not_interested=choice.live.hidden)
            slate = build_slate(choice.candidates, placement, context, now)
            page[mix] = [item.product.product_id for item in slate.items]
        for product_id in [one for row in page.values() for one in row] if seen else ():
            self.tell("impression", product_id, now, session_id=f"{now:%d}-{now.hour // 2}")
        return page

    def day(self, day: int) -> list[Page]:
        """The pages of one day, from eight in the morning to eight in the evening."""
        start = MORNING + timedelta(days=day)
        return [self.load(start + timedelta(hours=12) * i / self.loads) for i in range(self.loads)]

    def week(self) -> list[list[Page]]:
        """The pages of seven days."""
        return [self.day(day) for day in range(7)]

    def tell(self, event_type: EventType, product_id: str, at: datetime, **fields: str) -> None:
        """One event of ANNA."""
        event_id = str(next(self.ids))
        known = {"event_id": event_id, "customer_id": "ANNA", "product_id": product_id, "occurred_at": at}
        self.log.accept([Event(event_type=event_type, **known, **fields)], at, 10**9)


def _listed(name: str, records: Sequence[tuple[float, ...]]) -> PublishedList:
    ((_, wire),) = table(name, {"ANNA": model(*records)}).encode(0, 1)
    return PublishedList(name, wire)


def own_of(row: Sequence[str]) -> list[str]:
    return [product_id for product_id in row if product_id in OWN]


@weeks
@given(falling, new_chances)
def test_own_products_keep_their_order_and_the_likeliest_stays_first(own, new):
    pages = [page for day in Browser(own, new).week() for page in day]
    assert all(page["buy_again"] == OWN for page in pages)
    assert all(own_of(page["auto"]) == OWN[: len(own_of(page["auto"]))] for page in pages)
    if own[0] >= new[0]:
        assert {page["auto"][0] for page in pages} == {"own0"}


@pytest.mark.parametrize("event_type", ["purchase", "not_interested"])
def test_until_it_is_bought_or_refused(event_type):
    browser = Browser([0.97, 0.6, 0.5, 0.4, 0.3, 0.2], [0.02] * len(NEW))
    assert {page["auto"][0] for day in range(3) for page in browser.day(day)} == {"own0"}
    browser.tell(event_type, "own0", MORNING + timedelta(days=2, hours=13))
    assert {page["auto"][0] for page in browser.day(3)} == {"own1"}
    assert not any("own0" in row for page in browser.day(4) for row in page.values())


@weeks
@given(falling, new_chances)
def test_the_order_is_the_same_all_day(own, new):
    for day in Browser(own, new).week():
        assert all(page == day[0] for page in day)


@weeks
@given(falling, new_chances)
def test_page_loads_count_once_a_day(own, new):
    often, once = Browser(own, new, loads=20).week(), Browser(own, new, loads=1).week()
    assert [day[0] for day in often] == [day[0] for day in once]


@weeks
@given(falling, new_chances)
def test_discovery_turns_over(own, new):
    days = [day[0]["discover"] for day in Browser(own, new).week()]
    assert days[0] == days[1] == days[2] == NEW[:8]
    assert not set(days[3]) & set(days[0])
    assert not set(days[6]) & {*days[0], *days[3]}


def test_what_is_tired_comes_back():
    browser = Browser([0.5] * len(OWN), [0.4] * len(NEW))
    days = [browser.day(day)[0]["discover"] for day in range(12)]
    assert days[7] != NEW[:8]
    assert days[9] == NEW[:8]


def test_a_placement_may_be_left_as_it_is():
    days = Browser([0.5] * len(OWN), [0.4] * len(NEW), ROW.model_copy(update={"tire": False})).week()
    assert all(page["discover"] == NEW[:8] for day in days for page in day)


def test_many_products_of_a_day_do_not_make_those_of_the_days_before_forgotten():
    browser = Browser([0.5] * len(OWN), [0.4] * len(NEW))
    for day in range(3):
        browser.day(day)
    before = browser.load(MORNING + timedelta(days=3), seen=False)
    for number in range(300):
        browser.tell("impression", f"similar{number}", MORNING + timedelta(days=3))
    assert browser.load(MORNING + timedelta(days=3), seen=False) == before
    assert not set(before["discover"]) & set(NEW[:8])
