"""More parts than files may be open."""

import os
import resource

import numpy as np
import pytest

from recommender.publication.lists import OWN, RANKED, ListTable
from training.parts.checkpoints import Checkpoints
from training.parts.part_lists import join_lists, pack_lists

PARTS = 300
ROOM = 12


def table_of(owner, length, dtype):
    records = np.zeros(length, dtype)
    records["product_index"] = np.arange(length)
    return ListTable((owner,), np.array([0, length]), records, np.zeros(1, np.uint8))


@pytest.fixture
def few_files():
    """Room for a dozen files beside those that are open; the limit is seen to hold."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    opened: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + ROOM, limits[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            opened.extend(os.open(os.devnull, os.O_RDONLY) for _ in range(ROOM + 1))
        for each in opened:
            os.close(each)
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_there_may_be_more_parts_than_files_may_be_open(tmp_path, few_files):
    checkpoints = Checkpoints(tmp_path / "training", "key")
    for i in range(PARTS):
        lists = pack_lists((table_of(f"C{i}", 2, OWN), table_of(f"C{i}", 3, RANKED)))
        checkpoints.keep(f"lists-{i}", lists)
    found = (checkpoints.find(f"lists-{i}") for i in range(PARTS))
    joined = join_lists((part for part in found if part is not None), tmp_path / "joined")
    assert [len(table.owner_ids) for table in joined.values()] == [PARTS, PARTS]
    assert [len(table.records) for table in joined.values()] == [2 * PARTS, 3 * PARTS]
