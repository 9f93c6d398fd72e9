import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from recommender.errors import BusyError, HomeError
from tests.support.small_shop import NOW
from training.campaigns.mail.outbox import (
    Outbox,
    Settled,
    forget_customers,
    forget_old_campaigns,
    open_outbox,
    outbox_path,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return outbox_path(tmp_path, "corner", "reorder")


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    with open_outbox(path) as outbox:
        yield outbox


def test_what_was_settled_stays_when_it_is_claimed_again(outbox: Outbox):
    outbox.claim(0, ["A", "B"])
    outbox.mark("A", "sent", NOW)
    outbox.claim(0, ["A", "B", "C"])
    assert outbox.states(0) == {"A": "sent", "B": "claimed", "C": "claimed"}
    assert {state: n for state, n in outbox.counts().items() if n} == {"claimed": 2, "sent": 1}


def test_a_mail_that_was_on_its_way_is_unknown_when_it_is_opened_again(path: Path):
    with open_outbox(path) as outbox:
        outbox.claim(0, ["A", "B"])
        outbox.mark("A", "sending", NOW)
    with open_outbox(path) as outbox:
        assert outbox.states(0) == {"A": "unknown", "B": "claimed"}
        assert outbox.unknown(10) == ["A"]


def test_a_block_is_done_once_all_of_it_is_settled(outbox: Outbox):
    outbox.claim(3, ["A", "B"])
    outbox.mark("A", "bounced", NOW, "550 5.1.1")
    outbox.mark("B", "deferred", NOW, "450")
    outbox.finish(3, {"too_often": 2})
    outbox.finish(4, {})
    assert outbox.unfinished([3, 4, 5]) == [3, 5]
    assert outbox.deferred() == [3]
    outbox.mark("B", "sent", NOW)
    outbox.finish(3, {"too_often": 1})
    assert outbox.unfinished([3, 4, 5]) == [5]
    assert outbox.reasons() == {"too_often": 1}
    assert outbox.details() == {"550 5.1.1": 1}


def test_what_is_told_is_told_once(outbox: Outbox):
    outbox.claim(0, ["A", "B", "C"])
    outbox.mark("A", "sent", NOW)
    outbox.mark("B", "bounced", NOW)
    assert sorted(outbox.unlogged(10)) == [Settled("A", "sent", NOW), Settled("B", "bounced", NOW)]
    outbox.mark_logged(["A", "B"])
    assert outbox.unlogged(10) == []


def test_who_is_forgotten_leaves_no_trace(tmp_path: Path, path: Path):
    for campaign_id in ("reorder", "other"):
        with open_outbox(outbox_path(tmp_path, "corner", campaign_id)) as outbox:
            outbox.claim(0, ["ANNA", "BOB"])
    assert forget_customers(tmp_path, "corner", lambda one: one == "ANNA") == 2
    assert forget_customers(tmp_path, "corner", lambda one: one == "ANNA") == 0
    assert forget_customers(tmp_path, "empty", lambda _: True) == 0
    files = [file.read_bytes() for file in path.parent.iterdir()]
    assert any(b"BOB" in file for file in files)
    assert not any(b"ANNA" in file for file in files)


def test_old_campaigns_go(tmp_path: Path, path: Path):
    other = outbox_path(tmp_path, "corner", "other")
    for one in (path, other):
        with open_outbox(one):
            pass
    os.utime(other, (NOW.timestamp() - 91 * 86_400,) * 2)
    os.utime(path, (NOW.timestamp() - 89 * 86_400,) * 2)
    forget_old_campaigns(tmp_path, "corner", NOW)
    assert (path.exists(), other.exists()) == (True, False)


def test_one_process_at_a_time(outbox: Outbox, path: Path):
    with pytest.raises(BusyError, match="another process"), open_outbox(path):
        pass
    assert outbox.customer_ids() == []


def test_a_file_that_is_no_outbox(path: Path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"something else" * 100)
    with pytest.raises(HomeError, match=r"reorder\.sqlite"), open_outbox(path):
        pass
