"""What is saved comes back the same; what cannot be saved or was damaged is said, and never half there."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender.data_dir import DataDirectory
from recommender.errors import HomeError, VersionNotFoundError
from recommender.publication.lists import LIST_NAMES
from recommender.publication.manifest import Publication
from recommender.publication.product import Product
from tests.support.profiles import make_newcomer, make_profile, make_table
from training.artifacts import load, save, saved_versions

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PARTS = ["checksums.json", "lists.npz", "manifest.json", "products.jsonl"]
LISTS = {
    "similar": {"p0": [1, 2], "p1": [], "p2": [0]},
    "buy_again": {"ann": [2], "ben/7 é\n\u2028 ": [0, 1], "": []},
    "popular": {"": [0, 1, 2]},
}


@pytest.fixture
def home(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path)


@pytest.fixture
def publication(make_publication) -> Publication:
    return make_publication("v1", LISTS, n_products=3)


def assert_same(one: Publication, other: Publication) -> None:
    assert one.manifest.to_json() == other.manifest.to_json()
    assert list(one.products) == list(other.products)
    for name in LIST_NAMES:
        ours, theirs = one.tables[name], other.tables[name]
        assert list(ours.owner_ids) == list(theirs.owner_ids)
        for part in ("starts", "records", "basis"):
            left, right = getattr(ours, part), getattr(theirs, part)
            assert left.dtype == right.dtype
            assert left.tobytes() == right.tobytes()
    assert (one.profiles is None) == (other.profiles is None)
    if one.profiles is not None and other.profiles is not None:
        assert list(one.profiles.encode()) == list(other.profiles.encode())
        assert list(one.profiles.customer_ids) == list(other.profiles.customer_ids)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_comes_back_the_same(home, publication):
    folder = save(publication, home)
    assert folder == home.models / "v1"
    assert sorted(bytes_of(folder)) == PARTS
    assert_same(load("v1", home), publication)


def test_profiles_come_back_the_same(home, publication):
    people = [make_newcomer("zoe\n\0"), make_profile(""), make_profile("\ud800 é"), make_profile("ann")]
    for profiles in (make_table(*people), make_table()):
        described = replace(publication, profiles=profiles)
        with np.load(save(described, home) / "lists.npz", allow_pickle=False) as arrays:
            assert len([arrays[name] for name in arrays.files]) == 5 * len(LIST_NAMES) + 3
        assert_same(load("v1", home), described)


def test_an_empty_shop_comes_back_the_same(home, make_publication):
    publication = make_publication("v1", {}, n_products=0)
    save(publication, home)
    assert_same(load("v1", home), publication)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.lists(TEXT, unique=True, max_size=5), title=st.none() | TEXT)
def test_any_ids_and_titles_come_back(home, make_publication, ids, title):
    publication = make_publication("v1", {"discover": {id_: [0] for id_ in ids}}, n_products=1)
    publication = replace(publication, products=[Product("p\n0", title=title)])
    save(publication, home)
    assert_same(load("v1", home), publication)


def test_one_very_long_id_does_not_widen_the_others(home, make_publication):
    publication = make_publication("v1", {"discover": {"x" * 10_000: [0], **{str(i): [0] for i in range(1000)}}})
    folder = save(publication, home)
    assert (folder / "lists.npz").stat().st_size < 50_000
    assert_same(load("v1", home), publication)


def test_the_same_publication_gives_the_same_bytes(tmp_path, publication):
    assert bytes_of(save(publication, DataDirectory(tmp_path / "a"))) == bytes_of(
        save(publication, DataDirectory(tmp_path / "b"))
    )


def test_nothing_in_it_is_pickled(home, publication):
    with np.load(save(publication, home) / "lists.npz", allow_pickle=False) as arrays:
        assert len([arrays[name] for name in arrays.files]) == 5 * len(LIST_NAMES)


def test_saving_again_replaces(home, publication):
    save(publication, home)
    forced = replace(publication, manifest=replace(publication.manifest, gate={"verdict": "forced"}))
    save(forced, home)
    assert load("v1", home).manifest.gate == {"verdict": "forced"}
    assert [path.name for path in home.models.iterdir()] == ["v1"]


def test_versions_are_listed_by_age(home, make_publication):
    assert saved_versions(home) == []
    for version, created_at in (("a", "2026-11-03"), ("b", "2026-11-01"), ("c", "2026-11-02")):
        save(make_publication(version, {}, created_at=created_at), home)
    assert saved_versions(home) == ["b", "c", "a"]


def test_a_damaged_version_counts_as_the_oldest(home, make_publication):
    for version in ("a", "b"):
        save(make_publication(version, {}), home)
    (home.models / "b" / "manifest.json").write_text("{")
    assert saved_versions(home) == ["b", "a"]


def test_a_missing_version_names_those_there_are(home, publication):
    with pytest.raises(VersionNotFoundError, match=r"'v0' is not in .* run `reprise train`"):
        load("v0", home)
    save(publication, home)
    with pytest.raises(VersionNotFoundError, match=r"'v0' is not in .*; there is v1"):
        load("v0", home)


@pytest.mark.parametrize("name", ["../v1", ".", "", "v1/../v1"])
def test_a_name_is_not_a_path(home, publication, name):
    save(publication, home)
    with pytest.raises(VersionNotFoundError):
        load(name, home)


@pytest.mark.parametrize("part", PARTS)
def test_a_changed_byte_is_found_and_its_file_named(home, publication, part):
    path = save(publication, home) / part
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    # a digit changed inside a checksum blames the file that it belongs to
    named = "" if part == "checksums.json" else part
    with pytest.raises(HomeError, match=f"{named} is damaged"):
        load("v1", home)


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", "\xff"])
def test_a_broken_list_of_checksums(home, publication, content):
    (save(publication, home) / "checksums.json").write_text(content, encoding="latin-1")
    with pytest.raises(HomeError, match=r"checksums\.json is damaged"):
        load("v1", home)


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_file_is_named(home, publication, part):
    (save(publication, home) / part).unlink()
    with pytest.raises(HomeError, match=f"cannot read .*{part}"):
        load("v1", home)


def test_what_a_killed_save_left_is_cleaned_up_and_never_listed(home, publication):
    leftover = home.models / ".unfinished-abc" / "new"
    leftover.mkdir(parents=True)
    assert saved_versions(home) == []
    save(publication, home)
    assert [path.name for path in home.models.iterdir()] == ["v1"]


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be made durable any more."""

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)


def test_a_full_disk_leaves_nothing_of_the_version(home, publication, full_disk):
    with pytest.raises(HomeError, match=r"cannot write .*lists\.npz: .*; free the disk or set REPRISE_HOME"):
        save(publication, home)
    assert list(home.models.iterdir()) == []


def test_a_full_disk_keeps_the_version_that_was_there(home, publication, request):
    save(publication, home)
    request.getfixturevalue("full_disk")
    with pytest.raises(HomeError):
        save(replace(publication, products=[]), home)
    assert_same(load("v1", home), publication)


def test_a_rename_that_fails_keeps_the_version_that_was_there(home, publication, monkeypatch):
    save(publication, home)
    rename = Path.rename

    def refuse_new(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse_new)
    with pytest.raises(HomeError, match="cannot write"):
        save(replace(publication, products=[]), home)
    assert_same(load("v1", home), publication)


def test_a_home_that_is_a_file(tmp_path, publication):
    (tmp_path / "home").write_text("")
    with pytest.raises(HomeError, match="cannot create"):
        save(publication, DataDirectory(tmp_path / "home"))
