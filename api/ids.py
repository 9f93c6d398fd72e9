"""Ids at the edge: the shop's own in a path, and those that Reprise gives to requests and answers."""

import hashlib
import random
import re
from base64 import b32encode
from collections.abc import Callable
from datetime import datetime
from itertools import product

from werkzeug.routing import BaseConverter

from recommender.storage.campaign import CAMPAIGN_ID

MAX_ID_LENGTH = 512
_CROCKFORD = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits to the base of 32 that sort as the numbers do and have no letters that look alike."""
_PAIRS = [bytes(pair) for pair in product(_CROCKFORD, repeat=2)]
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class ShopId(BaseConverter):
    """A product or customer id in a path: anything, slashes and line ends included, as servers decode %2F early."""

    regex = r"(?s:.+?)"
    part_isolating = False


class CampaignId(BaseConverter):
    """A campaign id in a path."""

    regex = CAMPAIGN_ID


def fresh_recommendation_id(clock: Callable[[], datetime]) -> str:
    """`rec_` and 26 characters: 48 bits of milliseconds since 1970, then 80 random bits (the layout of a ULID)."""
    milliseconds = int(clock().timestamp() * 1000)
    first, last = _PAIRS[milliseconds >> 40 & 1023], _PAIRS[milliseconds & 1023]
    middle = _PAIRS[milliseconds >> 30 & 1023] + _PAIRS[milliseconds >> 20 & 1023] + _PAIRS[milliseconds >> 10 & 1023]
    return "rec_" + (first + middle + last + random.getrandbits(128).to_bytes(16).translate(_CROCKFORD * 8)).decode()


def derived_recommendation_id(*parts: str) -> str:
    """`rec_` and 26 characters that depend on `parts` alone: an answer that caches may share keeps its id."""
    digest = hashlib.blake2b("\n".join(parts).encode("utf-8", "backslashreplace"), digest_size=16).digest()
    return "rec_" + b32encode(digest).decode().rstrip("=")


def request_id(offered: str | None) -> str:
    """The caller's own X-Request-ID where it is fit for a log line, else a new one."""
    return offered if offered and _SANE_REQUEST_ID.fullmatch(offered) else f"{random.getrandbits(128):032x}"
