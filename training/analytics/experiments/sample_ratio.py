"""Sample ratio mismatch: a test whether variants have as many customers as they should; if not, trust no figure."""

from collections.abc import Mapping
from dataclasses import dataclass

from scipy.stats import chisquare

from recommender.errors import UsageError

ALARM = 0.001
"""Below this p the report warns. Far lower than 0.05, as the check is made at every look (Fabijan et al. 2019,
"Diagnosing Sample Ratio Mismatch in Online Controlled Experiments")."""


@dataclass(frozen=True)
class SampleRatio:
    """Observed and expected customers by variant, with the test's p-value.

    Attributes:
        observed, expected: variant → customers.
        p: of a chi-square test; NaN without customers.
        mismatch: whether p is under ALARM.
    """

    observed: Mapping[str, int]
    expected: Mapping[str, float]
    p: float
    mismatch: bool


def check_sample_ratio(observed: Mapping[str, int], shares: Mapping[str, float]) -> SampleRatio:
    """The sample ratio test of counts against shares.

    Args:
        observed: variant → customers.
        shares: variant → expected share, above 0, summing to 1; a variant that is only here counts as without
            customers.

    Raises:
        UsageError: `observed` has a variant that `shares` does not have.
    """
    if strangers := sorted(observed.keys() - shares.keys()):
        raise UsageError(f"no weight is given for {', '.join(strangers)}; there are weights for {', '.join(shares)}")
    n = sum(observed.values())
    counts = {name: observed.get(name, 0) for name in shares}
    expected = {name: n * share for name, share in shares.items()}
    p = float(chisquare(list(counts.values()), list(expected.values())).pvalue) if n else float("nan")
    return SampleRatio(counts, expected, p, mismatch=p < ALARM)
