"""What is kept of a file that is being made, and when it is not."""

import contextlib

import pytest

from recommender.data_dir import DataDirectory
from recommender.errors import BusyError
from recommender.person import digest_of_person
from recommender.publication.profile_blocks import block_of
from training.campaigns.picks.file_formats import mail_name
from training.campaigns.picks.parts import BLOCKS_PER_PART, Parts, PickCounts, forget_in_parts, parts_of, remembered

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


class TestForgetInParts:
    @pytest.fixture
    def home(self, tmp_path):
        return DataDirectory(tmp_path / "home")

    @pytest.fixture
    def killed(self, tmp_path, home):
        """The parts of a run that was ended in the middle, before BEN was erased."""
        parts = Parts(tmp_path / "elsewhere" / ".out.csv.parts", [0, 1], 2, 1)
        with contextlib.suppress(KeyboardInterrupt), parts.locked(), remembered(parts, home):
            parts.settle({"campaign": "c"}, ["anna"])
            parts.path(0).write_bytes(b"ben's products")
            raise KeyboardInterrupt
        return parts

    def test_what_was_made_before_an_erasure_goes(self, home, killed):
        assert forget_in_parts(home, ["anna", "ben"]) == 1
        assert not killed.folder.exists()
        assert list(home.unfinished_picks.iterdir()) == []
        assert forget_in_parts(home, ["anna", "ben"]) == 0

    def test_what_was_made_since_stays_and_is_looked_at_again(self, home, killed):
        assert forget_in_parts(home, ["anna"]) == 0
        assert killed.path(0).exists()
        assert forget_in_parts(home, ["ben"]) == 1

    def test_a_run_at_work_is_left_alone(self, home, killed):
        with killed.locked():
            assert forget_in_parts(home, ["ben"]) == 0
        assert killed.path(0).exists()

    def test_a_run_that_came_to_its_end_leaves_no_note(self, home, killed):
        with killed.locked(), remembered(killed, home):
            killed.clear()
        assert list(home.unfinished_picks.iterdir()) == []
