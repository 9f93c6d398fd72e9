"""Encoding of ids as bytes, and digests of ids, which stand for customers, sessions and the like in keys."""

from hashlib import blake2b


def encode_id(id_: str) -> bytes:
    """UTF-8 form of an id. It may hold half a surrogate pair, which JSON can carry."""
    return id_.encode("utf-8", "surrogatepass")


def decode_id(wire: bytes) -> str:
    """The inverse of `encode_id`. Raises UnicodeDecodeError where `wire` is no id."""
    return wire.decode("utf-8", "surrogatepass")


def digest(id_: str) -> str:
    """Digest of an id, 128 bits in hex, for use in a key: no id, whatever it holds, can name another key."""
    return blake2b(encode_id(id_), digest_size=16).hexdigest()


def digest_of_person(customer_id: str | None, session_id: str | None) -> str:
    """Digest of a customer, or else of a session."""
    return digest(f"c:{customer_id}" if customer_id is not None else f"s:{session_id}")
