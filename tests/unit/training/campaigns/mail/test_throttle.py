import random
from itertools import pairwise

from training.campaigns.mail.throttle import LONGEST_PAUSE_S, Throttle, pause_s


class Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_no_second_holds_more_than_its_share():
    clock = Clock()
    pace = Throttle(5.0, lambda: clock.now, clock.sleep)
    moments = []
    for number in range(50):
        pace.wait()
        moments.append(clock.now)
        clock.now += 0.35 if number == 20 else 0.01  # one mail took long: what was missed is not caught up in a rush
    for first in moments:
        assert sum(first <= moment < first + 0.999 for moment in moments) <= 5
    assert moments[-1] - moments[0] < 49 * 0.2 + 0.35


def test_a_pace_faster_than_the_server_waits_for_nobody():
    clock = Clock()
    pace = Throttle(10.0, lambda: clock.now, clock.sleep)
    for _ in range(5):
        pace.wait()
        clock.now += 1.0
    assert clock.now == 105.0


def test_pauses_double_up_to_a_bound_and_the_same_seed_gives_the_same():
    pauses = [pause_s(failures, random.Random("campaign")) for failures in range(1, 1_000)]
    assert pauses == [pause_s(failures, random.Random("campaign")) for failures in range(1, 1_000)]
    ratios = [later / earlier for earlier, later in pairwise(pauses[:6])]
    assert all(abs(ratio - 2) < 1e-9 for ratio in ratios)
    assert 0.5 <= pauses[0] <= 1.5
    assert max(pauses) <= 1.5 * LONGEST_PAUSE_S
