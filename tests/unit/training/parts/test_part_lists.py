import numpy as np

from recommender.publication.lists import OWN, RANKED, ListTable
from training.parts.part_lists import LISTS, pack_lists, unpack_lists


def table_of(owners, lengths, dtype):
    records = np.zeros(sum(lengths), dtype)
    records["product_index"], records["score"] = np.arange(len(records)), np.nan
    return ListTable(tuple(owners), np.cumsum([0, *lengths]), records, np.zeros(len(owners), np.uint8))


def test_lists_of_parts_come_back_in_order():
    first = (table_of("AB", [2, 0], OWN), table_of("AB", [0, 3], RANKED))
    second = (table_of("C", [1], OWN), table_of("C", [2], RANKED))
    back = unpack_lists([pack_lists(first), pack_lists(second)])
    for name, one, two in zip(("buy_again", "discover"), first, second, strict=True):
        assert back[name].owner_ids == ("A", "B", "C")
        assert back[name].starts.tolist() == [*one.starts, *(one.starts[-1] + two.starts[1:])]
        assert back[name].records.tobytes() == one.records.tobytes() + two.records.tobytes()


def test_no_part_no_list():
    assert [len(table) for table in unpack_lists([]).values()] == [0, 0]
    assert [len(table) for table in unpack_lists([LISTS.to_frame()]).values()] == [0, 0]
