"""What is kept of a file that is being made, and when it is not."""

import pytest

from recommender.errors import BusyError
from recommender.person import digest_of_person
from recommender.publication.profile_blocks import block_of
from training.campaigns.picks.file_formats import mail_name
from training.campaigns.picks.parts import BLOCKS_PER_PART, PickCounts, parts_of

N_BLOCKS = 3 * BLOCKS_PER_PART - 1
SAME = {"campaign": "c"}


@pytest.fixture
def parts(tmp_path):
    parts = parts_of(tmp_path / "out.csv", range(N_BLOCKS), N_BLOCKS)
    with parts.locked():
        parts.settle(SAME, set())
        for number in parts.numbers:
            parts.path(number).write_text("rows")
            parts.commit(number, PickCounts(10, 4, 3, {"too_often": 1}))
        yield parts


def test_all_blocks_are_in_a_part(parts):
    assert [len(parts.blocks_of(number)) for number in parts.numbers] == [64, 64, 63]


def test_a_part_without_its_mark_is_missing(parts):
    (parts.folder / "000001.json").unlink()
    assert parts.missing() == [1]


def test_the_counts_are_of_all_parts(parts):
    assert parts.counts() == PickCounts(30, 12, 9, {"too_often": 3})


def test_what_is_made_from_the_same_is_kept(parts):
    assert parts.settle(SAME, set()) is False
    assert parts.missing() == []


def test_what_was_made_from_something_else_goes(parts):
    parts.settle({"campaign": "d"}, set())
    assert parts.missing() == [0, 1, 2]
    assert not parts.path(0).exists()


def test_of_the_erased_nothing_is_kept(parts):
    gone = digest_of_person("ANNA", None)
    mail = parts.folder / "mails" / f"{mail_name(gone)}.html"
    mail.parent.mkdir(parents=True)
    mail.write_text("Dear Anna")
    assert parts.settle(SAME, {gone}) is True
    assert parts.missing() == [block_of(gone, N_BLOCKS) // BLOCKS_PER_PART]
    assert not mail.exists()
    assert parts.settle(SAME, {gone}) is False


def test_only_one_run_makes_a_file(parts, tmp_path):
    with (
        pytest.raises(BusyError, match="another run makes the same file"),
        parts_of(tmp_path / "out.csv", [], 1).locked(),
    ):
        pass


def test_a_list_that_meets_no_block_has_no_part(tmp_path):
    assert parts_of(tmp_path / "out.csv", [], 1).missing() == []
