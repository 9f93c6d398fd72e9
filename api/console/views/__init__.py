"""Views of the console: each makes a page of one request, as data."""

from collections.abc import Callable, Mapping

from api.console.campaigns import mails
from api.console.campaigns import overview as campaigns_overview
from api.console.page import Page
from api.console.views import (
    actions,
    customers,
    due,
    experiments,
    merchandising,
    overview,
    placements,
    products,
    retention,
    value,
    versions,
)
from api.console.visit import Visit

VIEWS: Mapping[str, Callable[[Visit], Page]] = {
    "overview": overview.show,
    "placements": placements.show,
    "products": products.show,
    "customers": customers.show,
    "due": due.show,
    "retention": retention.show,
    "value": value.show,
    "experiments": experiments.show,
    "campaigns": campaigns_overview.show,
    "mails": mails.show,
    "merchandising": merchandising.show,
    "versions": versions.show,
    "actions": actions.show,
}
"""By their names in addresses."""
