import polars as pl
import pytest

from recommender.errors import HomeError
from training.dataset.coded_ids import code_ids
from training.parts.checkpoints import Checkpoints, hash_frame

FRAME = pl.DataFrame({"customer_id": ["A", "B"], "discover": [b"\x00\x01", b""]})


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "work" / "training"


def test_a_frame_comes_back_in_the_next_process(folder):
    assert Checkpoints(folder, "key").find("lists-0-1") is None
    Checkpoints(folder, "key").keep("lists-0-1", FRAME)
    found = Checkpoints(folder, "key").find("lists-0-1")
    assert found is not None
    assert found.equals(FRAME)


def test_what_was_made_for_another_key_is_deleted(folder):
    Checkpoints(folder, "key").keep("lists-0-1", FRAME)
    assert Checkpoints(folder, "another").find("lists-0-1") is None
    assert [path.name for path in folder.iterdir()] == ["key"]


def test_one_name_is_not_the_beginning_of_another(folder):
    checkpoints = Checkpoints(folder, "key")
    checkpoints.keep("lists-0-11", FRAME)
    assert checkpoints.find("lists-0-1") is None


@pytest.mark.parametrize("damage", [lambda wire: wire[:-40], lambda wire: wire.replace(b"A", b"Z"), lambda _: b""])
def test_what_cannot_be_read_back_as_it_was_written_is_not_there(folder, damage):
    checkpoints = Checkpoints(folder, "key")
    checkpoints.keep("lists-0-1", FRAME)
    (path,) = folder.glob("lists-*")
    path.write_bytes(damage(path.read_bytes()))
    assert checkpoints.find("lists-0-1") is None
    checkpoints.keep("lists-0-1", FRAME)
    assert checkpoints.find("lists-0-1").equals(FRAME)


def test_a_folder_that_is_removed_under_it_is_made_again(folder):
    checkpoints = Checkpoints(folder, "key")
    checkpoints.clear()
    assert checkpoints.find("lists-0-1") is None
    checkpoints.keep("lists-0-1", FRAME)
    assert checkpoints.find("lists-0-1").equals(FRAME)
    checkpoints.clear()
    checkpoints.clear()
    assert not folder.exists()


def test_a_file_in_its_place_is_a_plain_error(folder):
    folder.parent.parent.joinpath("work").write_text("a file")
    with pytest.raises(HomeError, match=r"work/training.*REPRISE_HOME"):
        Checkpoints(folder, "key")


def test_the_hash_of_a_frame_is_of_all_that_it_holds():
    ledger = code_ids(
        pl.DataFrame(
            {"customer_id": ["A", "B"], "order_id": ["1", "2"], "product_id": ["X", "X"], "price": [1.0, None]}
        )
    )
    others = [
        ledger.reverse(),
        ledger.head(1),
        ledger.with_columns(price=pl.lit(1)),
        ledger.rename({"price": "cost"}),
        code_ids(ledger.with_columns(customer_id=pl.Series(["A", "C"]))),
    ]
    assert hash_frame(ledger) == hash_frame(ledger.clone())
    assert hash_frame(ledger) not in {hash_frame(other) for other in others}


def test_one_id_of_many_changes_the_hash():
    ids = [f"C{number:05}" for number in range(20_000)]
    ledgers = [
        code_ids(pl.DataFrame({"customer_id": each, "order_id": ids, "product_id": ids}))
        for each in (ids, [*ids[:9_999], "C09999X", *ids[10_000:]])
    ]
    assert ledgers[0]["customer_id"].to_physical().equals(ledgers[1]["customer_id"].to_physical())
    assert hash_frame(ledgers[0]) != hash_frame(ledgers[1])
