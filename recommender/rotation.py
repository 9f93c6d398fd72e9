"""What a daily visitor may discover changes from day to day, and stays likely."""

from hashlib import shake_128

import numpy as np

from recommender.publication import RANKED, PublishedList

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
    records = np.frombuffer(published.wire, RANKED, offset=1)
    scores = records["score"].astype(float)
    if np.isnan(scores).any():
        return published
    seed = f"{day} {person}".encode("utf-8", "surrogatepass")
    drawn = np.frombuffer(shake_128(seed).digest(4 * len(scores)), "<u4")
    order = (-scores * SPREAD ** (drawn / -(2**32))).argsort(kind="stable")
    return PublishedList(published.name, published.wire[:1] + records.take(order).tobytes())
