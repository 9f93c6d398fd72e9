"""What a daily visitor may discover changes from day to day, and stays likely."""

import struct
from hashlib import shake_128
from math import isnan

from recommender.person import encode_id
from recommender.publication.lists import PublishedList

SPREAD = 2.0
"""No product passes one that is more than this many times as likely."""


def rotate(published: PublishedList, person: str, day: int) -> PublishedList:
    """A list of probabilities in the order of one day.

    Each probability p counts as p · SPREAD^-u, with u in [0, 1) drawn for each place on the list from a hash of the
    person and the day: the same day gives the same order, and what is about as likely takes turns. The probabilities
    themselves stay as they are.

    Args:
        published: falling; the very same comes back where a score is not known.
        person: tells people apart.
        day: days since 1970-01-01.
    """
    scores = [record.score for record in published.ranked()]
    if any(map(isnan, scores)):
        return published
    seed = encode_id(f"{day} {person}")
    drawn = struct.unpack(f"<{len(scores)}I", shake_128(seed).digest(4 * len(scores)))
    counted = [-score * SPREAD ** (number / -(2**32)) for score, number in zip(scores, drawn, strict=True)]
    return published.reorder(sorted(range(len(scores)), key=counted.__getitem__))
