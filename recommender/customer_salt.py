"""Salt of the digests that stand for customer ids, such as e-mail addresses, where a shop wants no such id kept."""

import hmac
import os
import re
import secrets
import tempfile
from contextlib import suppress

from recommender.data_dir import DataDirectory, home_errors, make_folder
from recommender.errors import HomeError

DIGEST_CHARACTERS = 32
_SALT_BYTES = 32
_DIGEST = re.compile(f"[0-9a-f]{{{DIGEST_CHARACTERS}}}")


def digest_of_customer(customer_id: str, salt: bytes) -> str:
    """Digest of a customer's id: the first 128 bits of its HMAC-SHA-256 under the salt, in hex."""
    return hmac.digest(salt, customer_id.encode("utf-8", "surrogatepass"), "sha256").hex()[:DIGEST_CHARACTERS]


def known_as(customer_id: str, salt: bytes | None) -> str:
    """What stands for a customer in a list: the id, or with a salt its digest; a digest stays."""
    if salt is None or _DIGEST.fullmatch(customer_id):
        return customer_id
    return digest_of_customer(customer_id, salt)


def salt_of_training(home: DataDirectory) -> bytes:
    """The salt by which the purchases were hashed.

    Raises:
        HomeError: there is none, or it cannot be read.
    """
    salt = find_salt(home)
    if salt is None:
        raise HomeError(
            f"{home.customer_salt} is not there, so no customer can be found by its digest; train with "
            "--hash-customers first, take the file along where the home moved, or leave the option away"
        )
    return salt


def find_salt(home: DataDirectory) -> bytes | None:
    """The salt of a home; None where none was made.

    Raises:
        HomeError: it cannot be read, or is cut.
    """
    path = home.customer_salt
    if not path.exists():
        return None
    with home_errors(f"read {path}"):
        salt = path.read_bytes().strip()
    if len(salt) != 2 * _SALT_BYTES:
        raise HomeError(f"{path} is not whole; restore it from a backup, or customers get other digests than before")
    return salt


def make_salt(home: DataDirectory) -> bytes:
    """The salt of a home, made where there is none: 64 hex digits in a file that only its owner reads.

    Raises:
        HomeError: it cannot be written or read.
    """
    path = home.customer_salt
    make_folder(path.parent)
    with home_errors(f"write {path}"), tempfile.NamedTemporaryFile(dir=path.parent, prefix=".customer-salt.") as file:
        file.write(secrets.token_hex(_SALT_BYTES).encode())
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):  # linked as a whole: of two trainings at once, one makes it and both read it
            os.link(file.name, path)
    return find_salt(home) or b""
