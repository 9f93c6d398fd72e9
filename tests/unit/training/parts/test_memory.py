import os
from pathlib import Path

import pytest

from recommender.settings import Settings
from training.parts.memory import available_memory, memory_limit

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
MIB = 2**20


@pytest.fixture
def system(tmp_path: Path):
    """A function from lines of /proc/self/cgroup and files under /sys/fs/cgroup to the memory that there is."""

    def of(groups: str, files: dict[str, str]) -> int:
        (tmp_path / "proc" / "self").mkdir(parents=True)
        (tmp_path / "proc" / "self" / "cgroup").write_text(groups)
        for name, text in files.items():
            file = tmp_path / "cgroup" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return available_memory(tmp_path / "proc", tmp_path / "cgroup")

    return of


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/a/b\n", {"a/b/memory.max": f"{512 * MIB}\n", "a/memory.max": "max\n"}, 512 * MIB),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": f"{300 * MIB}\n"}, 300 * MIB),
        ("0::/../host/path\n", {"memory.max": f"{400 * MIB}\n"}, 400 * MIB),
        ("2:cpu:/x\n4:memory:/docker/1\n0::/\n", {"memory/docker/1/memory.limit_in_bytes": f"{256 * MIB}"}, 256 * MIB),
        ("4:memory:/docker/1\n", {"memory/memory.limit_in_bytes": f"{256 * MIB}"}, 256 * MIB),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, MACHINE),
        ("2:cpu:/x\n", {"memory.max": "1"}, MACHINE),
        ("0::/\n", {}, MACHINE),
    ],
    ids=["v2", "v2 around it", "v2 named as outside", "v1", "v1 named as outside", "v1 without", "no memory", "none"],
)
def test_the_least_of_the_machine_and_its_control_groups(system, groups, files, limit):
    assert system(groups, files) == limit


def test_a_machine_without_control_groups(tmp_path):
    assert available_memory(tmp_path, tmp_path) == MACHINE


def test_half_of_what_there_is_unless_the_settings_say(monkeypatch):
    assert memory_limit(Settings()) == available_memory() // 2
    monkeypatch.setenv("REPRISE_MEMORY", "3 GiB")
    assert memory_limit(Settings()) == 3 * 2**30
