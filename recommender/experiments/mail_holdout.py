"""Hold-outs of mails: a share of who would get a campaign's mail gets none, and a share gets none for a quarter.

Both are experiments like those of the settings, so that assignment, exposures and analysis are the same.
"""

import re
from datetime import UTC, datetime

from recommender.experiments.experiment import MAIL_PLACEMENT, Experiment
from recommender.person import digest
from recommender.results.campaigns import MAILED

QUARTER = r"^mails-\d{4}-q[1-4]$"
"""What the hold-out of all mails of a quarter is called."""
_LONGEST_NAME = 63


def name_of_holdout(campaign_id: str) -> str:
    """The name of the experiment that a campaign's own hold-out is: `reprise experiment CAMPAIGN` reports it."""
    return campaign_id[:_LONGEST_NAME]


def holdout_of_campaign(campaign_id: str, share: float) -> Experiment:
    """The experiment that holds a share of a campaign's customers out."""
    return Experiment(
        name=name_of_holdout(campaign_id),
        salt=f"mail-{digest(campaign_id)}",
        variants={MAILED: 1},
        holdout=share,
        campaigns=(campaign_id,),
    )


def holdout_of_quarter(at: datetime, share: float) -> Experiment:
    """The experiment that holds a share of all customers out from all mails of the quarter (UTC) that holds `at`."""
    moment = at.astimezone(UTC)
    name = f"mails-{moment.year}-q{(moment.month + 2) // 3}"
    return Experiment(name=name, variants={MAILED: 1}, holdout=share, placements=(MAIL_PLACEMENT,))


def end_of_quarter(name: str) -> datetime | None:
    """The moment at which the quarter of a hold-out ends, aware; None where it is the name of something else."""
    if not re.fullmatch(QUARTER, name):
        return None
    year, quarter = int(name[6:10]), int(name[-1])
    return datetime(year + quarter // 4, quarter % 4 * 3 + 1, 1, tzinfo=UTC)
