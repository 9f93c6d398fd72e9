"""More parts than files may be open."""

import os
import resource
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path

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


def leave_room():
    """Let this process open a dozen files beside those that are open."""
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + ROOM, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with ExitStack() as opened, pytest.raises(OSError, match="Too many open files"):
        _ = [opened.enter_context(Path(os.devnull).open()) for _ in range(ROOM + 1)]


def keep_and_join(folder):
    """Owners and records of each list of the parts, after they were kept, found and joined."""
    leave_room()
    checkpoints = Checkpoints(folder / "training", "key")
    for i in range(PARTS):
        lists = pack_lists((table_of(f"C{i}", 2, OWN), table_of(f"C{i}", 3, RANKED)))
        checkpoints.keep(f"lists-{i}", lists)
    found = (checkpoints.find(f"lists-{i}") for i in range(PARTS))
    joined = join_lists((part for part in found if part is not None), folder / "joined")
    return [(len(table.owner_ids), len(table.records)) for table in joined.values()]


def test_there_may_be_more_parts_than_files_may_be_open(tmp_path):
    """In a process of its own: threads of others would open files in this one."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(keep_and_join, tmp_path).result() == [(PARTS, 2 * PARTS), (PARTS, 3 * PARTS)]
