"""Signer: signs and reads what callers keep, under the digest of an API key, at a moment that is passed in."""

import hashlib

from itsdangerous import TimestampSigner

from recommender.storage.api_keys import ApiKey


class Signer(TimestampSigner):
    """The signer of one key and one purpose: HMAC-SHA256, as itsdangerous writes it.

    Args:
        key: whose digest signs.
        salt: names the purpose; what is signed for one is of no use for another.
        now_s: seconds since 1970.
    """

    def __init__(self, key: ApiKey, salt: str, now_s: int) -> None:
        super().__init__(key.digest, salt, key_derivation="hmac", digest_method=hashlib.sha256)
        self._now_s = now_s

    def get_timestamp(self) -> int:
        """See TimestampSigner."""
        return self._now_s
