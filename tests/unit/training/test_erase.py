from dataclasses import replace

import polars as pl
import pytest

from recommender.data_dir import DataDirectory, training_lock
from recommender.errors import BusyError, HomeError
from recommender.person import digest_of_person
from tests.support.event_files import archive, event
from tests.support.profiles import make_profile, make_table
from training.artifacts import load, save
from training.erase import Forgotten, forget
from training.quarantine import write_quarantine

ANNA = {digest_of_person("ANNA", None)}
LISTS = {"buy_again": {"ANNA": [1, 2], "BEN": [0]}, "discover": {"ANNA": [3]}, "similar": {"ANNA": [4]}}


@pytest.fixture
def home(tmp_path) -> DataDirectory:
    return DataDirectory(tmp_path)


def test_an_empty_home_has_nothing_to_forget(home):
    assert forget(home, "default", ANNA) == Forgotten(0, (), 0, 0)


def test_archived_events_go(home):
    archived = archive(home.ledger, event("1"), event("2", "BEN"))
    assert forget(home, "default", ANNA).archived_events == 1
    assert archived.values("customer_id") == {"BEN"}


def test_lists_go_from_saved_versions_and_products_of_that_name_stay(home, make_publication):
    save(make_publication("v1", LISTS), home)
    save(make_publication("v2", {"discover": {"BEN": [1]}}), home)
    before = (home.models / "v2" / "lists.npz").stat().st_ino
    assert forget(home, "default", ANNA).versions == ("v1",)
    found = load("v1", home)
    assert [list(found.tables[name].owner_ids) for name in ("buy_again", "discover", "similar")] == [
        ["BEN"],
        [],
        ["ANNA"],
    ]
    assert found.tables["buy_again"].records["product_index"].tolist() == [0]
    assert found.manifest.lists["buy_again"] == 1
    assert (home.models / "v2" / "lists.npz").stat().st_ino == before
    assert forget(home, "default", ANNA).versions == ()


def test_profiles_go_from_saved_versions(home, make_publication):
    described = make_table(make_profile("ANNA"), make_profile("BEN"))
    save(replace(make_publication("v1", {}), profiles=described), home)
    assert forget(home, "default", ANNA).versions == ("v1",)
    assert load("v1", home).profiles.customer_ids == ["BEN"]


def test_bad_rows_go_wherever_the_id_stands(home):
    home.quarantine.mkdir()
    file = home.quarantine / "purchases.csv"
    file.write_text("file,line,reason,customer_id,product_id\nf,2,r,ANNA,x\nf,3,r,BEN,x\nf,4,broken,x,ANNA\nf,5,r,,\n")
    assert forget(home, "default", ANNA).quarantined_rows == 2
    assert pl.read_csv(file)["line"].to_list() == [3, 5]


def test_a_quarantine_without_any_other_row_goes(home):
    home.quarantine.mkdir()
    file = home.quarantine / "purchases.csv"
    file.write_text("line,customer_id\n2,ANNA\n")
    forget(home, "default", ANNA)
    assert not file.exists()


def test_what_an_interrupted_save_left_goes(home):
    leftover = home.models / ".unfinished-x"
    leftover.mkdir(parents=True)
    forget(home, "default", ANNA)
    assert not leftover.exists()


def test_with_nobody_erased_nothing_is_touched(home, make_publication):
    save(make_publication("v1", LISTS), home)
    archive(home.ledger, event("1"))
    assert forget(home, "default", frozenset()) == Forgotten(0, (), 0, 0)


def test_a_training_at_work_is_waited_for_by_trying_again(home):
    with training_lock(home), pytest.raises(BusyError):
        forget(home, "default", ANNA)


def test_a_damaged_version_is_told(home, make_publication):
    save(make_publication("v1", LISTS), home)
    (home.models / "v1" / "lists.npz").write_bytes(b"x")
    with pytest.raises(HomeError, match="damaged"):
        forget(home, "default", ANNA)


def test_a_bad_row_goes_whose_id_is_a_formula(home):
    file = home.quarantine / "purchases.csv"
    write_quarantine(file, pl.DataFrame({"line": [2, 3], "customer_id": ["=ANNA", "BEN"]}))
    assert "'=ANNA" in file.read_text()
    assert forget(home, "default", {digest_of_person("=ANNA", None)}).quarantined_rows == 1
    assert "ANNA" not in file.read_text()
