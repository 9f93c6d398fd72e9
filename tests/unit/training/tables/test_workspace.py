"""Where copies lie while they are read."""

import pytest

from recommender.errors import HomeError
from training.tables.workspace import Workspace


def test_nothing_is_made_where_nothing_is_needed(tmp_path):
    with Workspace(tmp_path / "home"):
        pass
    assert not (tmp_path / "home").exists()


def test_files_are_private_and_gone_at_the_end_whatever_happens(tmp_path):
    def use():
        with Workspace(tmp_path) as work:
            file = work.new_file(".csv")
            assert file.is_relative_to(tmp_path / "work")
            assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()
    assert list((tmp_path / "work").iterdir()) == []


def test_what_a_killed_process_left_is_deleted_and_what_is_in_use_is_not(tmp_path):
    left = tmp_path / "work" / "left"
    left.mkdir(parents=True)
    (left / "copy.csv").write_text("x")
    with Workspace(tmp_path) as one, Workspace(tmp_path) as other:
        first = one.new_file(".csv")
        assert not left.exists()
        other.new_file(".csv")
        assert first.exists()


def test_a_home_that_cannot_be_written(tmp_path):
    (tmp_path / "work").write_text("a file")
    with pytest.raises(HomeError, match="set REPRISE_HOME"), Workspace(tmp_path) as work:
        work.new_file(".csv")
