import threading
from collections.abc import Mapping

import pytest

from api.security.callers import Principal
from api.security.rate_limits import FORGOTTEN_S, MAX_DEBT_S, RateLimits
from recommender.errors import StoreUnavailableError

KEY = Principal("shop", "secret", frozenset({"read"}), "k1", rate_per_s=10)
"""Twenty requests in a row, then ten a second."""


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Sums:
    """What Redis adds up for all workers."""

    def __init__(self) -> None:
        self.totals: dict[str, int] = {}

    def add(self, counts: Mapping[str, int]) -> Mapping[str, int]:
        for key_id, n in counts.items():
            self.totals[key_id] = self.totals.get(key_id, 0) + n
        return dict(self.totals)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sums() -> Sums:
    return Sums()


@pytest.fixture
def limits(clock) -> RateLimits:
    return RateLimits({"secret": 100, "publishable": 1}, clock)


def n_passed(limits: RateLimits, n: int, principal: Principal = KEY) -> int:
    return sum(limits.take(principal).retry_after_s == 0 for _ in range(n))


class TestOneWorker:
    def test_two_seconds_worth_pass_at_once_and_then_none(self, limits):
        assert n_passed(limits, 100) == 20

    def test_time_brings_them_back_at_the_rate_up_to_the_burst(self, limits, clock):
        n_passed(limits, 100)
        clock.now += 0.5
        assert n_passed(limits, 100) == 5
        clock.now += 3_600
        assert n_passed(limits, 100) == 20

    def test_one_who_is_refused_is_told_when_to_come_back_and_may_pass_then(self, clock):
        slow = Principal("shop", "secret", frozenset(), "k1", rate_per_s=0.5)
        limits = RateLimits({}, clock)
        assert limits.take(slow).retry_after_s == 0
        assert limits.take(slow).retry_after_s == 2
        clock.now += 2
        assert limits.take(slow).retry_after_s == 0

    def test_the_headers_say_how_many_are_left_and_when_all_are_back(self, limits):
        assert limits.take(KEY).headers() == [
            ("RateLimit-Limit", "20"),
            ("RateLimit-Remaining", "19"),
            ("RateLimit-Reset", "1"),
        ]
        n_passed(limits, 19)
        assert dict(limits.take(KEY).headers()) == {
            "RateLimit-Limit": "20",
            "RateLimit-Remaining": "0",
            "RateLimit-Reset": "2",
        }

    def test_one_key_does_not_use_up_anothers(self, limits):
        n_passed(limits, 100)
        assert n_passed(limits, 100, Principal("other", "secret", frozenset(), "k2", rate_per_s=10)) == 20

    @pytest.mark.parametrize(("kind", "passes"), [("secret", 200), ("publishable", 2)])
    def test_a_key_without_a_rate_has_that_of_its_kind(self, limits, kind, passes):
        assert n_passed(limits, 300, Principal("shop", kind, frozenset(), "k3")) == passes

    def test_what_a_batch_had_too_much_is_waited_for(self, limits, clock):
        assert n_passed(limits, 18) == 18
        assert limits.charge(KEY, 12).headers()[1:] == [("RateLimit-Remaining", "0"), ("RateLimit-Reset", "3")]
        assert limits.take(KEY).retry_after_s == 2  # 1.1 s, in whole ones
        clock.now += 1.2
        assert n_passed(limits, 100) == 1 + 1

    def test_threads_count_right_together(self, limits):
        passed: list[int] = []
        threads = [threading.Thread(target=lambda: passed.append(n_passed(limits, 50))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(passed) == 20


class TestSeveralWorkers:
    def test_what_one_lets_pass_is_taken_from_the_others(self, clock, sums):
        one, other = RateLimits({}, clock), RateLimits({}, clock)
        for limits in (one, other):
            limits.exchange(sums.add)
        assert n_passed(other, 1) == 1  # it knows the key
        assert n_passed(one, 15) == 15
        for limits in (one, other):
            limits.exchange(sums.add)
        assert n_passed(other, 100) == 20 - 1 - 15
        assert sums.totals == {"k1": 16}

    def test_rows_of_a_batch_are_taken_from_the_others_too(self, clock, sums):
        one, other = RateLimits({}, clock), RateLimits({}, clock)
        for limits in (one, other):
            limits.exchange(sums.add)
        assert n_passed(other, 1) == n_passed(one, 1) == 1
        assert one.charge(KEY, 14).remaining == 20 - 15
        for limits in (one, other):
            limits.exchange(sums.add)
        assert n_passed(other, 100) == 20 - 1 - 15
        assert sums.totals == {"k1": 16}

    @pytest.mark.parametrize("n_workers", [1, 2, 8])
    def test_over_time_a_key_gets_its_rate_however_many_workers_there_are(self, clock, sums, n_workers):
        workers = [RateLimits({}, clock) for _ in range(n_workers)]
        passed = []
        for _ in range(4 * 120):  # two minutes in quarters of a second, far more asked for than may pass
            for worker in workers:
                worker.exchange(sums.add)
            passed.append(sum(n_passed(worker, 50) for worker in workers))
            clock.now += 0.25
        assert sum(passed[:4]) <= 20 * n_workers + 10
        last_minute = sum(passed[240:])
        assert 0.95 * 600 <= last_minute <= 1.05 * 600

    def test_the_debt_is_bounded(self, clock, sums, limits):
        limits.exchange(sums.add)
        n_passed(limits, 1)
        sums.totals["k1"] = 1_000_000
        limits.exchange(sums.add)
        assert limits.take(KEY).retry_after_s == pytest.approx(MAX_DEBT_S, abs=1)

    def test_what_could_not_be_told_is_told_later_and_nothing_is_lost(self, clock, sums, limits):
        def down(_: Mapping[str, int]) -> Mapping[str, int]:
            raise StoreUnavailableError("down")

        n_passed(limits, 5)
        with pytest.raises(StoreUnavailableError):
            limits.exchange(down)
        n_passed(limits, 2)
        limits.exchange(sums.add)
        limits.exchange(sums.add)
        assert sums.totals == {"k1": 7}

    def test_after_a_long_silence_old_sums_are_no_debt(self, clock, sums, limits):
        limits.exchange(sums.add)
        n_passed(limits, 1)
        sums.totals["k1"] = 500
        clock.now += FORGOTTEN_S + 1
        limits.exchange(sums.add)
        assert n_passed(limits, 100) == 20

    def test_an_emptied_redis_gives_nobody_more(self, clock, sums, limits):
        n_passed(limits, 15)
        limits.exchange(sums.add)
        sums.totals.clear()
        limits.exchange(sums.add)
        assert n_passed(limits, 100) == 5
