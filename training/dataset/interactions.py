"""The interaction matrix of customers and products that collaborative filtering learns from."""

import numpy as np
from scipy.sparse import csr_matrix

from recommender.settings import AlsSettings
from training.dataset.snapshot import Snapshot


def build_interactions(snapshot: Snapshot, als: AlsSettings, last_day: int | None = None) -> csr_matrix:
    """The strength of every pair of customer and product with a purchase before `snapshot.as_of`.

    A purchase counts 1 on the shop's last day and half as much every `als.half_life_days` before; `log` weighting takes
    log(1 + the sum), `binary` takes 1 whatever the sum. `training.models.als` multiplies the strength by `als.alpha`;
    the product is the confidence c of Hu, Koren, Volinsky 2008 ("Collaborative Filtering for Implicit Feedback
    Datasets") in c · (1 - prediction)², where a product never bought has confidence 1 in being unwanted. Their
    1 + alpha · strength is not used on purpose: a faded purchase (c near 0) then says neither yes nor no, whereas
    with their formula it would for ever say yes as loudly as an absence says no.

    Args:
        snapshot: of everybody or of some customers.
        als: `half_life_days` and `weighting` are read.
        last_day: the shop's, in days since 1970-01-01; None: that of the snapshot.

    Returns:
        (n_customers, n_products) csr_matrix of float32, indices sorted. Its stored entries are exactly what was
        bought, even where the strength has faded to 0. Without purchases it has no entries.
    """
    # not from as_of: a shop that was closed for a year has not forgotten everything
    age_days = (snapshot.day.max(initial=0) if last_day is None else last_day) - snapshot.day
    decayed = (0.5 ** (age_days / als.half_life_days)).astype(np.float32)
    shape = (len(snapshot.customers), len(snapshot.products))
    matrix = csr_matrix((decayed, (snapshot.customer_index, snapshot.product_index)), shape=shape)
    matrix.data = np.log1p(matrix.data) if als.weighting == "log" else np.ones_like(matrix.data)
    return matrix
