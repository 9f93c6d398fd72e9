"""Memory that a job may use: of the machine, or of the container that it runs in."""

import os
from collections.abc import Iterator
from pathlib import Path

from recommender.settings import Settings

_SHARE = 0.5
"""Of the memory there is, for a job without a limit of its own: others work on the machine, too."""


def memory_limit(settings: Settings) -> int:
    """Bytes that a job may use: `memory` of the settings, or half of what the machine or the container has."""
    return settings.memory or int(_SHARE * available_memory())


def available_memory(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes of memory that this process can have: those of the machine, or fewer where a control group says so.

    Args:
        proc: where the kernel tells of processes.
        cgroups: where control groups of either version are mounted.
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = (_read(file) for file in _limit_files(proc, cgroups))
    return min([machine, *(limit for limit in limits if limit)])


def _limit_files(proc: Path, cgroups: Path) -> Iterator[Path]:
    """Where the group of this process, and each one around it, has its limit.

    In a container the path of its group is often one of the machine, and the files of the group lie at the top.
    """
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root, name = (cgroups / "memory", "memory.limit_in_bytes") if controllers else (cgroups, "memory.max")
        group = root / path.strip("/")
        yield from (each / name for each in (group, *group.parents) if each.is_relative_to(root))


def _read(file: Path) -> int | None:
    """None where there is no limit; version 1 writes a number near 2^63 then, which is more than any machine has."""
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None
