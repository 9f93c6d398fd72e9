"""What is said of a product, and the facts behind it. Today is 20 November 2026, a Friday."""

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from recommender.days import date_of, day_of
from recommender.publication.lists import Own
from recommender.publication.product import Product
from recommender.slate.candidates import Candidate
from recommender.slate.due import due
from recommender.slate.reasons import Reason, explain
from recommender.words.language import get_language

AS_OF = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
COFFEE = Product("coffee", title="Coffee 1 kg")


def explain_own(*, days_ago: int, every: float, purchases: int = 6, sd: float = 0.3, as_of: datetime = AS_OF) -> Reason:
    last_day = (date(2026, 11, 20) - date(1970, 1, 1)).days - days_ago
    own = Own(0, 0.4, last_day, purchases, math.log(every), sd, 0.9)
    return explain(Candidate(COFFEE, "buy_again", 0.4, own), due(own, as_of), date_of(day_of(as_of.timestamp())))


def said(reason: Reason) -> str:
    return get_language("en").reason(*reason)


class TestOwnProducts:
    def test_due_soon_tells_the_interval(self):
        assert explain_own(days_ago=22, every=34) == Reason(
            code="DUE_SOON",
            evidence={"purchases": 6, "last_purchased_on": "2026-10-29", "interval_days": 34},
        )

    def test_overdue_tells_no_date(self):
        reason = explain_own(days_ago=60, every=30)
        assert (reason.code, said(reason)) == ("OVERDUE", "Time to restock")

    def test_neither_due_nor_overdue_tells_how_often_it_was_bought(self):
        reason = explain_own(days_ago=20, every=90, purchases=4)
        assert (reason.code, said(reason)) == ("BUY_AGAIN", "You bought this 4 times")

    @pytest.mark.parametrize("days_ago", [3, 30, 300])
    def test_one_purchase_is_no_rhythm(self, days_ago):
        reason = explain_own(days_ago=days_ago, every=30, purchases=1)
        assert (reason.code, said(reason)) == ("BUY_AGAIN", "You bought this before")

    @pytest.mark.parametrize(
        ("days_to_go", "code"), [(15, "BUY_AGAIN"), (14, "DUE_SOON"), (0, "DUE_SOON"), (-1, "OVERDUE")]
    )
    def test_soon_is_two_weeks_where_the_window_is_one_day(self, days_to_go, code):
        assert explain_own(days_ago=40, every=40 + days_to_go, sd=0).code == code

    def test_a_window_that_has_begun_is_soon_however_late_the_middle(self):
        # quartiles of ln-gap 100 days, sd 0.6: 67 to 150 days
        assert explain_own(days_ago=66, every=100, sd=0.6).code == "BUY_AGAIN"
        assert explain_own(days_ago=67, every=100, sd=0.6).code == "DUE_SOON"
        assert explain_own(days_ago=150, every=100, sd=0.6).code == "DUE_SOON"
        assert explain_own(days_ago=151, every=100, sd=0.6).code == "OVERDUE"

    def test_today_is_the_day_in_utc(self):
        in_auckland = AS_OF.astimezone(timezone(timedelta(hours=13)))  # there it is the 21st
        assert explain_own(days_ago=40, every=40, sd=0, as_of=in_auckland).code == "DUE_SOON"

    @pytest.mark.parametrize(
        ("every", "words"),
        [
            (1, "every day"),
            (2, "every 2 days"),
            (13, "every 13 days"),
            (14, "every 2 weeks"),
            (34, "every 5 weeks"),
            (69, "every 10 weeks"),
            (70, "every 2 months"),
            (365, "every 12 months"),
        ],
    )
    def test_the_interval_in_words(self, every, words):
        assert said(explain_own(days_ago=every, every=every)) == f"You usually reorder {words}"

    def test_without_history_there_is_nothing_to_tell(self):
        reason = explain(Candidate(COFFEE, "buy_again"), None, AS_OF.date())
        assert (reason, said(reason)) == (Reason("BUY_AGAIN", {}), "You bought this before")


class TestOtherProducts:
    @pytest.mark.parametrize(
        ("kind", "because", "code", "text"),
        [
            ("discover", None, "CHOSEN_FOR_YOU", "Chosen from what you bought before"),
            ("complement", "Mug", "BOUGHT_TOGETHER", "Often bought together with Mug"),
            ("complement", None, "BOUGHT_TOGETHER", "Often bought together"),
            ("similar", "Tea", "SIMILAR", "Similar to Tea"),
            ("similar", None, "SIMILAR", "Similar to what you looked at"),
            ("popular", None, "BEST_SELLER", "Best seller"),
        ],
    )
    def test_each_kind_has_its_words(self, kind, because, code, text):
        evidence = {"because": because} if because else {}
        reason = explain(Candidate(COFFEE, kind, because=because), None, AS_OF.date())
        assert (reason, said(reason)) == (Reason(code, evidence), text)

    @pytest.mark.parametrize(
        ("fallback", "source", "code"),
        [
            ("trending", None, "TRENDING"),
            (None, "trending", "TRENDING"),
            ("popular", None, "BEST_SELLER"),
            (None, "popular", "BEST_SELLER"),
            (None, "similar", "BEST_SELLER"),
        ],
    )
    def test_the_list_tells_what_is_trending(self, fallback, source, code):
        candidate = Candidate(COFFEE, "popular", source=source)
        assert explain(candidate, None, AS_OF.date(), fallback).code == code
