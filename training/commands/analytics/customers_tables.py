"""The tables that `reprise customers` prints."""

from dataclasses import dataclass
from typing import Any

from recommender.cli.console import echo, print_table
from training.analytics.customer_value.customer_profiles import CHURN_DAYS

_MONTHS = 13
_MONEY = ("revenue", "revenue_per_customer", "average_order_value", "predicted_clv")
Document = dict[str, Any]


def print_customers(document: Document, currency: str | None = None) -> None:
    """Everything in the document of `training.analytics.customer_value.customer_report` but the older months.

    `currency` is that of its money; None where it is not known.
    """
    said = _Labels(document["window_days"], f" ({currency})" if currency else "")
    _print_shop(document, said)
    for name, title in (("by_segment", "value by RFM segment"), ("by_lifecycle", "value by lifecycle")):
        _print_groups(document[name], title, said)
    _print_months(document["by_month"], said)
    _print_cohorts(document["cohorts"])
    if document["holdout"]:
        _print_holdout(document["holdout"])
    for note in document["notes"]:
        echo(f"Note: {note}")


@dataclass(frozen=True)
class _Labels:
    """Names of figures as they are read: churn with its days, money with its currency."""

    window_days: int
    currency: str

    def __getitem__(self, name: str) -> str:
        if name == "churn_rate":
            return f"churn in {self.window_days} days"
        if name == "churn_probability":
            return f"no order in {CHURN_DAYS} days"
        return f"{name.replace('_', ' ')}{self.currency if name in _MONEY else ''}"


def _print_shop(document: Document, said: _Labels) -> None:
    rows = [(said[name], _number(figure)) for name, figure in document["kpis"].items()]
    print_table(("shop", "figure"), rows, title=f"before {document['as_of']}")
    for name, model in document["models"].items():
        if model:
            figures = ", ".join(f"{key} {_number(figure)}" for key, figure in model.items())
            echo(f"{name}: {figures}")
    days = document["window_days"]
    echo(
        f"predicted: over {document['horizon_days']} days, discounted by {document['discount_rate']:.1%} a year; "
        f"churn rate: of those who ordered in the {days} days before the last {days}, who did not order in the last; "
        f"churn_probability: of no order in the coming {CHURN_DAYS} days\n"
    )


def _print_groups(groups: list[Document], title: str, said: _Labels) -> None:
    columns = ("customers", "customer_share", "revenue", "revenue_share", "churn_probability", "predicted_clv")
    rows = [(group["name"], *(_number(group[column]) for column in columns)) for group in groups]
    print_table(("", *(said[column] for column in columns)), rows, title=title)


def _print_months(months: list[Document], said: _Labels) -> None:
    columns = ("orders", "customers", "new_customers", "repeat_order_share", "revenue", "churn_rate")
    rows = [
        (month["month"] + ("" if month["whole"] else " (part)"), *(_number(month[column]) for column in columns))
        for month in months[-_MONTHS:]
    ]
    print_table(("month", *(said[column] for column in columns)), rows, title="by month")


def _print_cohorts(cohorts: Document) -> None:
    size = min(_MONTHS, len(cohorts["months"]))
    rows = [
        (month, customers, *(f"{share:.0%}" if share is not None else "-" for share in shares[1:size]))
        for month, customers, shares in zip(
            *(cohorts[key][-size:] for key in ("months", "customers", "retention")), strict=True
        )
    ]
    if size:
        columns = ("first order", "customers", *(f"+{month}" for month in range(1, size)))
        print_table(
            columns,
            [(*row, *[""] * (len(columns) - len(row))) for row in rows],
            title="share that ordered so many months later",
        )


def _print_holdout(holdout: Document) -> None:
    window = f"{holdout['days']} days from {holdout['from']}, {holdout['customers']:,} customers known before"
    for name in ("orders", "revenue"):
        if judged := holdout[name]:
            rows = [(method, *map(_number, figures.values())) for method, figures in judged["methods"].items()]
            title = f"{name} in the {window}; observed {_number(judged['observed'])}"
            print_table(("method", "MAE", "RMSE", "total"), rows, title=title)
    dates = holdout["next_order"]
    rows = [(method, *map(_number, figures.values())) for method, figures in dates["methods"].items()]
    title = f"date of the next order of the {dates['customers']:,} who came back"
    print_table(("method", "mean error, days", "median"), rows, title=title)
    _print_any(holdout["any_order"])
    rows = [tuple(_number(figure) for figure in state.values()) for state in holdout["by_lifecycle"]]
    print_table(("lifecycle at the cut", "customers", "came back", "orders each"), rows)


def _print_any(any_order: Document) -> None:
    bins = zip(*(any_order[key] for key in ("predicted", "observed", "counts")), strict=True)
    title = (
        f"probability of any order: calibration error {any_order['error']:.3f}, Brier {any_order['brier']:.3f} "
        f"(the last share for all: {any_order['brier_of_last_share']:.3f})"
    )
    print_table(("predicted", "observed", "customers"), [tuple(map(_number, each)) for each in bins], title=title)


def _number(figure: Any) -> str:
    if figure is None:
        return "-"
    if isinstance(figure, float):
        return f"{figure:,.3f}" if abs(figure) < 1000 else f"{figure:,.0f}"
    return f"{figure:,}" if type(figure) is int else str(figure)
