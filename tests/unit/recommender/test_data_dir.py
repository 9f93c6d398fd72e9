import errno
import multiprocessing
import os

import pytest

from recommender.data_dir import DataDirectory, make_folder, training_lock, write_whole
from recommender.errors import BusyError, HomeError


def test_everything_lies_under_the_root(tmp_path):
    home = DataDirectory(tmp_path)
    folders = (home.models, home.redis, home.quarantine, home.shop)
    assert all(folder.parent == tmp_path for folder in folders)
    assert len(set(folders)) == 4
    assert list(tmp_path.iterdir()) == []


def test_folders_are_made_with_their_parents_and_may_be_there(tmp_path):
    assert make_folder(tmp_path / "a" / "b").is_dir()
    assert make_folder(tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_made_is_told_with_the_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match=r"cannot create .*file/a: .*set REPRISE_HOME"):
        make_folder(tmp_path / "file" / "a")


def test_a_file_is_there_only_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "file"
    with write_whole(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_midway_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write() -> None:
        with write_whole(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told_and_leaves_the_old_file(tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(HomeError, match=f"cannot write .*file: {os.strerror(errno.ENOSPC)}.*free the disk"),
        write_whole(path) as file,
    ):
        file.write(b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_second_training_is_told_which_process_is_at_work(tmp_path):
    home = DataDirectory(tmp_path)
    with training_lock(home), pytest.raises(BusyError, match=f"process {os.getpid()}"), training_lock(home):
        pass


def test_the_lock_is_free_after_a_training_and_after_its_error(tmp_path):
    home = DataDirectory(tmp_path)

    def fail() -> None:
        with training_lock(home):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    with training_lock(home):
        assert (tmp_path / "training.lock").read_text() == str(os.getpid())


def _train_and_die(home: DataDirectory) -> None:
    with training_lock(home):
        os._exit(9)


def test_the_lock_of_a_process_that_died_is_free(tmp_path):
    child = multiprocessing.get_context("spawn").Process(target=_train_and_die, args=(DataDirectory(tmp_path),))
    child.start()
    child.join()
    assert child.exitcode == 9
    with training_lock(DataDirectory(tmp_path)):
        assert (tmp_path / "training.lock").read_text() == str(os.getpid())


def test_trainings_of_two_homes_do_not_meet(tmp_path):
    with training_lock(DataDirectory(tmp_path / "a")), training_lock(DataDirectory(tmp_path / "b")):
        assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}
