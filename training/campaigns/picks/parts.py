"""Parts of a file that is being made: each is some blocks of customers, written whole, so that a run can go on."""

import fcntl
import json
import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recommender.data_dir import make_folder, write_whole
from recommender.errors import BusyError, HomeError
from recommender.publication.profile_blocks import block_of
from training.campaigns.picks.file_formats import forget_mail

BLOCKS_PER_PART = 64
"""About four thousand customers: what a kill costs."""


@dataclass(frozen=True)
class PickCounts:
    """What became of customers.

    Attributes:
        considered: customers looked at.
        in_audience: of these.
        mails: of these, who get one.
        without: why the others get none → how many.
    """

    considered: int = 0
    in_audience: int = 0
    mails: int = 0
    without: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "PickCounts") -> "PickCounts":
        return PickCounts(
            self.considered + other.considered,
            self.in_audience + other.in_audience,
            self.mails + other.mails,
            dict(sorted((Counter(self.without) + Counter(other.without)).items())),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class Parts:
    """The parts of one file.

    Attributes:
        folder: beside the file, hidden; it goes when the file is there.
        blocks: of customers, in the order of the file.
        n_blocks: of the version.
        size: blocks in a part.
    """

    folder: Path
    blocks: Sequence[int]
    n_blocks: int
    size: int

    @property
    def numbers(self) -> range:
        """Of all parts."""
        return range(-(-len(self.blocks) // self.size))

    def blocks_of(self, number: int) -> Sequence[int]:
        """The blocks of one part."""
        return self.blocks[number * self.size : (number + 1) * self.size]

    def path(self, number: int) -> Path:
        """Where its rows are."""
        return self.folder / f"{number:06}.part"

    def commit(self, number: int, tally: PickCounts) -> None:
        """Say that a part is whole; its rows are written before."""
        with write_whole(self._mark(number)) as file:
            file.write(json.dumps(tally.to_dict()).encode())

    def missing(self) -> list[int]:
        """The parts that are not whole yet."""
        return [number for number in self.numbers if not self._mark(number).exists()]

    def tally(self) -> PickCounts:
        """The sum over all parts."""
        tallies = (PickCounts(**json.loads(self._mark(number).read_bytes())) for number in self.numbers)
        return sum(tallies, start=PickCounts())

    def settle(self, identity: Mapping[str, Any], erased: Collection[str]) -> bool:
        """Keep what is whole already, as far as it is of `identity` and of nobody who was erased since.

        Args:
            identity: what the file is made from; parts of another one are thrown away.
            erased: `digest_of_person` of everybody who was erased.

        Returns:
            Whether somebody was erased since this was last called.
        """
        path = self.folder / "made-from.json"
        known = json.loads(path.read_bytes()) if path.exists() else {}
        if known.get("identity") != identity:
            self.clear()
            known = {"identity": dict(identity), "erased": sorted(erased)}
        new = set(erased) - set(known["erased"])
        for digest in new:
            self._forget(digest)
        with write_whole(path) as file:
            file.write(json.dumps(known | {"erased": sorted(erased)}).encode())
        return bool(new)

    def clear(self) -> None:
        """Throw everything away, but for the lock."""
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "lock":
                path.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder, which is made; the kernel frees it when the process dies. Raises BusyError."""
        make_folder(self.folder)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError(f"another run makes the same file in {self.folder}; wait for it") from None
            yield

    def _mark(self, number: int) -> Path:
        return self.folder / f"{number:06}.json"

    def _forget(self, digest: str) -> None:
        block = block_of(digest, self.n_blocks)
        if block in self.blocks:
            number = self.blocks.index(block) // self.size
            forget_mail(self.path(number), digest)
            self._mark(number).unlink(missing_ok=True)
            self.path(number).unlink(missing_ok=True)


def parts_of(out: Path, blocks: Sequence[int], n_blocks: int) -> Parts:
    """The parts of the file `out`. Raises HomeError where no file can be there."""
    if not out.name:
        raise HomeError(f"{out} is no place for a file; name one")
    return Parts(out.parent / f".{out.name}.parts", blocks, n_blocks, BLOCKS_PER_PART)
