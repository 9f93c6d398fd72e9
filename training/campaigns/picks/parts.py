"""Parts of a picks file: each holds some blocks of customers and is written whole, so that a run can resume."""

import fcntl
import json
import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recommender.data_dir import DataDirectory, home_errors, make_folder, write_whole
from recommender.errors import BusyError, HomeError
from recommender.person import digest
from recommender.publication.profile_blocks import block_of
from training.campaigns.picks.file_formats import forget_mail

MADE_FROM = "made-from.json"
BLOCKS_PER_PART = 64
"""About four thousand customers: what a kill costs."""


@dataclass(frozen=True)
class PickCounts:
    """Numbers of customers: considered, selected, and left out by reason.

    Attributes:
        considered: customers of the version, or those of a list whom it knows.
        in_audience: of these, those in the audience.
        mails: of these, those who get a mail.
        without: number of the others by reason.
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
        """The fields as plain JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class Parts:
    """The parts of one picks file.

    Attributes:
        folder: hidden, beside the file; deleted once the file is whole.
        blocks: blocks of customers, in the order of the file.
        n_blocks: number of blocks of the version.
        size: number of blocks in a part.
    """

    folder: Path
    blocks: Sequence[int]
    n_blocks: int
    size: int

    @property
    def numbers(self) -> range:
        """Numbers of all parts, from 0."""
        return range(-(-len(self.blocks) // self.size))

    def blocks_of(self, number: int) -> Sequence[int]:
        """Blocks of one part; the last part may have fewer than `size`."""
        return self.blocks[number * self.size : (number + 1) * self.size]

    def path(self, number: int) -> Path:
        """Path of the rows of one part."""
        return self.folder / f"{number:06}.part"

    def commit(self, number: int, counts: PickCounts) -> None:
        """Mark a part as whole; its rows are written before."""
        with write_whole(self._marker(number)) as file:
            file.write(json.dumps(counts.to_dict()).encode())

    def missing(self) -> list[int]:
        """Numbers of the parts that are not whole yet."""
        return [number for number in self.numbers if not self._marker(number).exists()]

    def counts(self) -> PickCounts:
        """The sum over all parts. All must be whole."""
        each = (PickCounts(**json.loads(self._marker(number).read_bytes())) for number in self.numbers)
        return sum(each, start=PickCounts())

    def settle(self, identity: Mapping[str, Any], erased: Collection[str]) -> bool:
        """Discard the parts of another `identity`, and those with a customer who was erased since.

        Args:
            identity: everything that the bytes of the file follow from.
            erased: `digest_of_person` of all erased customers.

        Returns:
            Whether a customer was erased since the last call.
        """
        path = self.folder / MADE_FROM
        known = json.loads(path.read_bytes()) if path.exists() else {}
        if known.get("identity") != identity:
            self.clear()
            known = {"identity": dict(identity), "erased": sorted(erased)}
        new = set(erased) - set(known["erased"])
        for person in new:
            self._forget(person)
        with write_whole(path) as file:
            file.write(json.dumps(known | {"erased": sorted(erased)}).encode())
        return bool(new)

    def clear(self) -> None:
        """Delete everything in the folder but the lock."""
        with home_errors(f"empty {self.folder}"):
            for path in self.folder.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path.name != "lock":
                    path.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock of the folder, which is made; the kernel frees it when the process dies. Raises BusyError, HomeError."""
        make_folder(self.folder)
        with home_errors(f"lock {self.folder}"):
            file = (self.folder / "lock").open("w")
        with file as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError(f"another run makes the same file in {self.folder}; wait for it") from None
            yield

    def _marker(self, number: int) -> Path:
        return self.folder / f"{number:06}.json"

    def _forget(self, digest: str) -> None:
        block = block_of(digest, self.n_blocks)
        if block in self.blocks:
            number = self.blocks.index(block) // self.size
            with home_errors(f"delete {self.path(number)}"):
                forget_mail(self.path(number), digest)
                self._marker(number).unlink(missing_ok=True)
                self.path(number).unlink(missing_ok=True)


@contextmanager
def remembered(parts: Parts, home: DataDirectory) -> Iterator[None]:
    """A note in `home` where the parts are, which stays where the block is left by an error or a kill."""
    note = home.unfinished_picks / digest(str(parts.folder.resolve()))
    with write_whole(note) as file:
        file.write(str(parts.folder.resolve()).encode("utf-8", "surrogateescape"))
    yield
    note.unlink(missing_ok=True)


def forget_in_parts(home: DataDirectory, erased: Collection[str]) -> int:
    """Discard parts of unfinished picks files that were made before somebody of `erased` was erased; how many files.

    The next run makes them again. A run that is at work looks after its own.

    Raises:
        HomeError: they cannot be deleted.
    """
    discarded = 0
    for note in sorted(home.unfinished_picks.glob("*")):
        folder = Path(note.read_bytes().decode("utf-8", "surrogateescape"))
        try:
            discarded += _discard(folder, erased)
            if not folder.exists():
                note.unlink()
        except BusyError:
            continue
        except OSError as error:
            raise HomeError(f"parts of picks cannot be deleted: {error}; see {note}") from None
    return discarded


def _discard(folder: Path, erased: Collection[str]) -> bool:
    made_from = folder / MADE_FROM
    if not folder.is_dir():
        return False
    with Parts(folder, (), 0, BLOCKS_PER_PART).locked():
        known = json.loads(made_from.read_bytes())["erased"] if made_from.exists() else ()
        outdated = bool(set(erased) - set(known))
        if outdated:
            shutil.rmtree(folder)
    return outdated


def parts_of(out: Path, blocks: Sequence[int], n_blocks: int) -> Parts:
    """The parts of the file `out`. Raises HomeError where `out` has no file name."""
    if not out.name:
        raise HomeError(f"{out} is no place for a file; name one")
    return Parts(out.parent / f".{out.name}.parts", blocks, n_blocks, BLOCKS_PER_PART)
