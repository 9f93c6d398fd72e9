"""Digests of ids, and ids as bytes: how customers, sessions and all else that a shop names stand in keys."""

from hashlib import blake2b


def encode_id(id_: str) -> bytes:
    """An id in UTF-8. Half a surrogate pair, which JSON can carry, is an id like any other."""
    return id_.encode("utf-8", "surrogatepass")


def decode_id(wire: bytes) -> str:
    """The inverse of `encode_id`. Raises UnicodeDecodeError where `wire` is no id."""
    return wire.decode("utf-8", "surrogatepass")


def digest(id_: str) -> str:
    """128 bits, in hex, that stand for an id in a key: no id, whatever it holds, can name another key."""
    return blake2b(encode_id(id_), digest_size=16).hexdigest()


def digest_of_person(customer_id: str | None, session_id: str | None) -> str:
    """The digest of a customer, or else of a session."""
    return digest(f"c:{customer_id}" if customer_id is not None else f"s:{session_id}")
