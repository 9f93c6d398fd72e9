"""Trained versions on disk, one folder each under `home.models`, in files that anyone can read and nothing can run.

    lists.npz        per table: owner ids as UTF-8 bytes with their starts, starts, records, basis; the product factors;
                     the profiles: customer ids likewise, records; no pickle
    products.jsonl   one product a line, by product_index
    manifest.json    what the version is
    insights.json    what the version tells about the shop; absent in versions of earlier releases
    checksums.json   sha256 of the others

The same publication gives the same bytes. A folder is written under a temporary name and renamed: it is there whole or
not at all.
"""

import hashlib
import json
import os
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib.format import read_array_header_1_0, read_magic, write_array
from numpy.typing import NDArray

from recommender.data_dir import DataDirectory, home_errors, make_folder, write_whole
from recommender.errors import HomeError, VersionNotFoundError
from recommender.person import decode_id, encode_id
from recommender.publication.factors import ProductFactors
from recommender.publication.insights import Insights
from recommender.publication.lists import LIST_NAMES, ListName, ListTable
from recommender.publication.manifest import Manifest, Publication
from recommender.publication.mapped_records import map_records, release
from recommender.publication.product import Product
from recommender.publication.profile_blocks import ProfileTable

_PARTS = ("lists.npz", "products.jsonl", "manifest.json")
_INSIGHTS = "insights.json"
_CHECKSUMS = "checksums.json"
_UNFINISHED = ".unfinished-"
_LENGTHS_IN_HEADER = 26
"""Where the header of an entry says how long its name and its extra field are (APPNOTE.TXT, 4.3.7)."""


def save(publication: Publication, home: DataDirectory) -> Path:
    """Save a version whole, in place of one of the same name.

    What an interrupted save left behind is deleted first, so callers that may run at once hold `training_lock`.

    Returns:
        The folder of the version.

    Raises:
        HomeError: the disk is full or the folder cannot be written; nothing of the version is there then, and one of
            the same name that was there before still is.
    """
    make_folder(home.models)
    for leftover in home.models.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    folder = home.models / publication.manifest.version
    with (
        home_errors(f"write {folder}"),
        tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=home.models, ignore_cleanup_errors=True) as temporary,
    ):
        _write_parts(publication, Path(temporary, "new"))
        _replace_folder(Path(temporary, "new"), folder, aside=Path(temporary, "old"))
    return folder


def load(version: str, home: DataDirectory) -> Publication:
    """The saved version of a name, checked against its checksums.

    Raises:
        VersionNotFoundError: it was never saved.
        HomeError: a file is missing, cannot be read or differs from its checksum.
    """
    saved = saved_versions(home)
    if version not in saved:
        raise VersionNotFoundError(
            f"version {version!r} is not in {home.models}; there is {', '.join(saved) or 'none: run `reprise train`'}"
        )
    folder = home.models / version
    _check_parts(folder)
    manifest = Manifest.from_json(_read(folder / "manifest.json"))
    lines = _read(folder / "products.jsonl").split(b"\n")[:-1]
    arrays = _map_arrays(folder / "lists.npz")
    tables = {name: _unpack(name, arrays) for name in LIST_NAMES}
    factors = ProductFactors.from_bytes(arrays["factors"].tobytes()) if "factors" in arrays else None
    profiles = _unpack_profiles(arrays) if "profiles.records" in arrays else None
    products = [Product.from_json(line) for line in lines]
    return Publication(manifest, products, tables, factors, profiles, _load_insights(folder))


def saved_versions(home: DataDirectory) -> list[str]:
    """Names of the saved versions in the order in which they were trained, the newest last; [] where there is none."""
    folders = [path for path in home.models.glob("*") if path.is_dir() and not path.name.startswith(".")]
    return [folder.name for folder in sorted(folders, key=_trained)]


def _trained(folder: Path) -> tuple[str, str]:
    """Sorts versions by age; one whose manifest is damaged counts as the oldest, for `load` to complain of."""
    try:
        return str(json.loads(_read(folder / "manifest.json"))["created_at"]), folder.name
    except (HomeError, ValueError, KeyError, TypeError):
        return "", folder.name


def _write_parts(publication: Publication, folder: Path) -> None:
    with write_whole(folder / "lists.npz") as file, zipfile.ZipFile(file, "w") as archive:
        for name in LIST_NAMES:
            for part, array in _pack(publication.tables[name]):
                _write_array(archive, f"{name}.{part}", array)
        if publication.profiles is not None:
            for part, array in _pack_profiles(publication.profiles):
                _write_array(archive, f"profiles.{part}", array)
        if publication.factors is not None:
            _write_array(archive, "factors", np.frombuffer(publication.factors.to_bytes(), np.uint8))
    with write_whole(folder / "products.jsonl") as file:
        file.writelines(product.to_json() + b"\n" for product in publication.products)
    with write_whole(folder / "manifest.json") as file:
        file.write(publication.manifest.to_json().encode())
    parts: tuple[str, ...] = _PARTS
    if publication.insights is not None:
        with write_whole(folder / _INSIGHTS) as file:
            file.write(publication.insights.to_json().encode())
        parts += (_INSIGHTS,)
    checksums = {part: _sha256(folder / part) for part in parts}
    with write_whole(folder / _CHECKSUMS) as file:
        file.write(json.dumps(checksums, indent=2).encode())


def _write_array(archive: zipfile.ZipFile, name: str, array: NDArray[Any]) -> None:
    # a ZipInfo of its own is dated 1980, where numpy.savez writes the time of day
    with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
        write_array(entry, array, allow_pickle=False)
    release(array)


def _map_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an archive; records, which are most of it, stay in the file."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays, zipfile.ZipFile(file) as archive:
        return {
            name: _map_array(file, archive.getinfo(f"{name}.npy")) if name.endswith(".records") else arrays[name]
            for name in arrays
        }


def _map_array(file: BinaryIO, entry: zipfile.ZipInfo) -> NDArray[Any]:
    """The array of an entry that is stored as it is."""
    file.seek(entry.header_offset + _LENGTHS_IN_HEADER)
    name, extra = struct.unpack("<HH", file.read(4))
    file.seek(name + extra, os.SEEK_CUR)
    read_magic(file)
    (n,), _, dtype = read_array_header_1_0(file)
    return map_records(file, dtype, file.tell(), n)


def _replace_folder(new: Path, folder: Path, aside: Path) -> None:
    """Rename `new` to `folder`; a folder cannot be renamed onto another, so the old one steps aside first."""
    if folder.exists():
        folder.rename(aside)
    try:
        new.rename(folder)
    except OSError:
        if aside.exists():
            aside.rename(folder)
        raise


def _pack(table: ListTable) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """The arrays of one table."""
    yield from _pack_ids("owner", table.owner_ids)
    yield "starts", table.starts
    yield "records", table.records
    yield "basis", table.basis


def _pack_profiles(table: ProfileTable) -> Iterator[tuple[str, NDArray[np.generic]]]:
    yield from _pack_ids("customer", table.customer_ids)
    yield "records", table.records


def _pack_ids(whose: str, ids: Sequence[str]) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """Ids go as bytes: one id of 10 kB would make every row of a <U array as wide."""
    texts = [encode_id(one) for one in ids]
    yield f"{whose}_bytes", np.frombuffer(b"".join(texts), dtype=np.uint8)
    yield f"{whose}_starts", np.cumsum([0, *map(len, texts)], dtype=np.int64)


def _unpack_profiles(arrays: Mapping[str, NDArray[Any]]) -> ProfileTable:
    return ProfileTable(_unpack_ids("profiles.customer", arrays), arrays["profiles.records"])


def _unpack_ids(whose: str, arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    text, starts = arrays[f"{whose}_bytes"].tobytes(), arrays[f"{whose}_starts"].tolist()
    return [decode_id(text[first:last]) for first, last in pairwise(starts)]


def _unpack(name: ListName, arrays: Mapping[str, NDArray[Any]]) -> ListTable:
    return ListTable(
        owner_ids=_unpack_ids(f"{name}.owner", arrays),
        starts=arrays[f"{name}.starts"],
        records=arrays[f"{name}.records"],
        basis=arrays[f"{name}.basis"],
    )


def _check_parts(folder: Path) -> None:
    try:
        checksums = json.loads(_read(folder / _CHECKSUMS))
        parts = (*_PARTS, *({_INSIGHTS} & checksums.keys()))
        expected = [checksums[part] for part in parts]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise HomeError(_damaged(folder / _CHECKSUMS)) from None
    for part, checksum in zip(parts, expected, strict=True):
        if _sha256(folder / part) != checksum:
            raise HomeError(_damaged(folder / part))


def _load_insights(folder: Path) -> Insights | None:
    """The insights; None in a version of an earlier release."""
    file = folder / _INSIGHTS
    try:
        return Insights.from_json(_read(file)) if file.exists() else None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise HomeError(_damaged(file)) from None


def _damaged(path: Path) -> str:
    return f"{path} is damaged: it differs from what was saved; delete {path.parent} and train again"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise HomeError(f"cannot read {path}: {error.strerror}; train again") from None


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise HomeError(f"cannot read {path}: {error.strerror}; train again") from None
