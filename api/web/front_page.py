"""The page at `/`: what answers here, for a person who opens the service in a browser."""

from importlib.metadata import version

from markupsafe import Markup, escape

from api.web.page import render_page
from recommender import DISTRIBUTION

_LINKS = (
    ("/console", "The console: what is going on and what came of it, for people without a terminal"),
    ("/docs", "The routes, to read and to try"),
    ("/openapi.json", "The OpenAPI document, for programs"),
    ("/docs/widget", "The widget for shop pages, to read and to try"),
    ("/docs/pages/api", "Manual: routes, events and keys"),
    ("/docs/pages/deploy", "Manual: running it"),
    ("/docs/pages/training", "Manual: training and measuring"),
    ("/docs/pages/campaigns", "Manual: e-mail"),
    ("/docs/pages/recommender", "Manual: placements, settings, Redis"),
    ("/health/live", "Whether the service answers"),
    ("/health/ready", "Whether it has a version to answer with"),
    ("/metrics", "Metrics for Prometheus; they want a key with scope admin"),
)
"""Address → what is there."""


def front_page(release: str = version(DISTRIBUTION)) -> bytes:
    """The page of a release, as HTML."""
    links = Markup("\n").join(Markup('<li><a href="{}">{}</a></li>').format(*link) for link in _LINKS)
    return render_page(
        "Reprise",
        f"""<p>Here a shop's programs ask for product recommendations for repeat purchases: what a customer will want
again, and when. This is version {escape(release)}.</p>
<ul>
{links}
</ul>""",
    )
