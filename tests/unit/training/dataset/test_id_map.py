import numpy as np
import pytest

from training.dataset.id_map import IdMap

IDS = IdMap(["b", "00123", "a/b", ""])


def test_ids_keep_their_order_and_their_text():
    assert IDS.ids == ("b", "00123", "a/b", "")
    assert [IDS[index] for index in range(len(IDS))] == list(IDS)
    assert "00123" in IDS
    assert "123" not in IDS
    assert 123 not in IDS


def test_indices_and_ids_are_each_others_inverse():
    indices = IDS.indices(["", "b", "b"], unknown="raise")
    assert indices.dtype == np.int32
    assert indices.tolist() == [3, 0, 0]
    assert [IDS[index] for index in indices] == ["", "b", "b"]


@pytest.mark.parametrize(("unknown", "expected"), [("drop", [0, 1]), ("mark", [0, -1, 1])])
def test_what_happens_to_an_unknown_id_is_said_by_the_caller(unknown, expected):
    assert IDS.indices(["b", "nobody", "00123"], unknown=unknown).tolist() == expected


def test_an_unknown_id_can_be_an_error():
    with pytest.raises(KeyError, match="nobody"):
        IDS.indices(["b", "nobody"], unknown="raise")


@pytest.mark.parametrize("unknown", ["raise", "drop", "mark"])
def test_no_ids_give_an_empty_array(unknown):
    indices = IdMap([]).indices([], unknown=unknown)
    assert (indices.shape, indices.dtype) == ((0,), np.int32)


def test_rows_of_known_ids_rise():
    assert IdMap("cab").rows(["b", "c", "nobody", "b"]).tolist() == [0, 2]
    assert IdMap("cab").rows([]).dtype == np.int64


def test_repeated_ids_are_refused():
    with pytest.raises(ValueError, match="2 ids are repeated"):
        IdMap(["a", "b", "a", "a"])


def test_any_iterable_will_do_and_is_not_looked_at_again():
    ids = ["a", "b"]
    frozen = IdMap(iter(ids))
    ids.append("c")
    assert list(frozen) == ["a", "b"]
