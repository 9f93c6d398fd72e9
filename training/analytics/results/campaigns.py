"""Results of campaigns: who was mailed, what they did with the mail, and what they bought."""

import polars as pl

from training.analytics.results.purchases_after import followed, sales_of, sum_money

_DEEDS = {
    "sent": "mail_sent",
    "bounced": "mail_bounce",
    "opened": "mail_open",
    "clicked": "click",
    "complained": "mail_complaint",
    "unsubscribed": "unsubscribe",
}


def count_campaigns(events: pl.DataFrame, within_days: float) -> pl.DataFrame:
    """The results of each campaign.

    Args:
        events: of the archive, schema `training.events.archive.EVENTS`.
        within_days: longest time from a click in the mail, or from the mail itself, to a purchase.

    Returns:
        campaign_id, first_sent_at; customers: sent, bounced, opened, clicked, complained, unsubscribed, ordered
        (anything, after the mail) and bought (what they clicked in it); units and money of the latter, as in
        `count_placements`. The latest campaign first.
    """
    mails = events.filter(pl.col("campaign_id").is_not_null(), pl.col("event_type").is_in(list(_DEEDS.values())))
    done = {
        name: pl.col("customer_id").filter(pl.col("event_type") == event_type).n_unique()
        for name, event_type in _DEEDS.items()
    }
    sent_at = pl.col("occurred_at").filter(pl.col("event_type") == "mail_sent").min()
    figures = mails.group_by("campaign_id").agg(**done, first_sent_at=sent_at)
    sales = sales_of(events).drop("recommendation_id")
    sent, clicks = (
        mails.filter(pl.col("event_type") == event_type).select(
            "campaign_id", "customer_id", "product_id", shown_at="occurred_at"
        )
        for event_type in ("mail_sent", "click")
    )
    ordered = followed(sales, sent.drop("product_id"), ["customer_id"], within_days)
    bought = followed(sales, clicks, ["customer_id", "product_id"], within_days)
    for name, part in (("ordered", ordered), ("bought", bought)):
        counted = part.group_by("campaign_id").agg(pl.col("customer_id").n_unique().alias(name))
        figures = figures.join(counted, on="campaign_id", how="left").with_columns(pl.col(name).fill_null(0))
    figures = figures.join(sum_money(bought, ["campaign_id"]), on="campaign_id", how="left")
    return figures.sort("first_sent_at", "campaign_id", descending=[True, False], nulls_last=True).with_columns(
        pl.col("units").fill_null(0.0)
    )
