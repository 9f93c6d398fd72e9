"""A request for each route of the service, which it answers, if with a 404, where all is well."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from api.widget.script import script
from recommender.campaigns.links import MailLink, sign
from tests.support.served import version_name

SECRET = "a secret of thirty-two characters"
SIGNED = sign(MailLink("default", "reorder", "ann", ("p1", "p2"), 1), SECRET)
CAMPAIGN = "reorder"


class Row(NamedTuple):
    """One request: `kind` is its lane, or `probes` where the loop answers it."""

    kind: str
    path: str
    body: Any = None


def event(number: int = 1) -> dict[str, Any]:
    """A view of this moment."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {
        "event_id": str(number),
        "event_type": "view",
        "customer_id": "bob",
        "product_id": "p1",
        "occurred_at": now,
    }


PLACEMENT = {"cap": 3, "default_limit": 2}
PRODUCT = {"in_stock": True}
ROUTES: dict[tuple[str, str], Row] = {
    ("GET", "/health/live"): Row("probes", "/health/live"),
    ("GET", "/health/ready"): Row("probes", "/health/ready"),
    ("GET", "/metrics"): Row("metrics", "/metrics"),
    ("GET", "/"): Row("pages", "/"),
    ("GET", "/docs"): Row("pages", "/docs"),
    ("GET", "/docs/<string:name>"): Row("pages", "/docs/docs.js"),
    ("GET", "/docs/pages/<string:name>"): Row("pages", "/docs/pages/api"),
    ("GET", "/openapi.json"): Row("pages", "/openapi.json"),
    ("GET", "/v1/html/<list_path:path>"): Row("pages", "/v1/html/popular"),
    ("GET", "/docs/widget"): Row("pages", "/docs/widget"),
    ("GET", "/docs/widget-examples.js"): Row("pages", "/docs/widget-examples.js"),
    ("GET", "/widget.js"): Row("pages", "/widget.js"),
    ("GET", "/widget-<string:digest>.js"): Row("pages", f"/{script().name}"),
    ("GET", "/widget-<string:digest>.js.map"): Row("pages", f"/{script().name}.map"),
    ("GET", "/widget.d.ts"): Row("pages", "/widget.d.ts"),
    ("GET", "/console"): Row("console", "/console"),
    ("GET", "/console/<string:name>"): Row("console", "/console/overview"),
    ("POST", "/console/<string:name>"): Row("console", "/console/language"),
    ("GET", "/console/assets/<string:name>"): Row("pages", "/console/assets/console.css"),
    ("GET", "/v1/products/<shop_id:product_id>/similar"): Row("pages", "/v1/products/p1/similar"),
    ("GET", "/v1/products/<shop_id:product_id>/bought-together"): Row("pages", "/v1/products/p2/bought-together"),
    ("GET", "/v1/popular"): Row("pages", "/v1/popular"),
    ("GET", "/v1/customers/<shop_id:customer_id>/recommendations"): Row("pages", "/v1/customers/ann/recommendations"),
    ("GET", "/v1/customers/<shop_id:customer_id>/buy-again"): Row("pages", "/v1/customers/ann/buy-again"),
    ("GET", "/v1/customers/<shop_id:customer_id>/profile"): Row("pages", "/v1/customers/ann/profile"),
    ("GET", "/v1/placements"): Row("pages", "/v1/placements"),
    ("GET", "/v1/placements/<string:name>"): Row("pages", "/v1/placements/home"),
    ("POST", "/v1/recommendations"): Row("pages", "/v1/recommendations", {"placement": "home", "customer_id": "ann"}),
    ("POST", "/v1/batch"): Row("pages", "/v1/batch", {"requests": [{"path": "/v1/customers/ann/recommendations"}]}),
    ("GET", "/v1/m/<string:signed>/<string:slot>/click"): Row("pages", f"/v1/m/{SIGNED}/1/click"),
    ("GET", "/v1/m/<string:signed>/<string:slot>/order"): Row("pages", f"/v1/m/{SIGNED}/1/order"),
    ("GET", "/v1/m/<string:signed>/<string:slot>/image"): Row("pages", f"/v1/m/{SIGNED}/1/image"),
    ("GET", "/v1/m/<string:signed>/unsubscribe"): Row("pages", f"/v1/m/{SIGNED}/unsubscribe"),
    ("POST", "/v1/m/<string:signed>/unsubscribe"): Row("events", f"/v1/m/{SIGNED}/unsubscribe"),
    ("POST", "/v1/m/<string:signed>/fewer-mails"): Row("events", f"/v1/m/{SIGNED}/fewer-mails"),
    ("POST", "/v1/m/<string:signed>/subscribe"): Row("events", f"/v1/m/{SIGNED}/subscribe"),
    ("POST", "/v1/events"): Row("events", "/v1/events", {"events": [event()]}),
    ("DELETE", "/v1/customers/<forgotten_id:customer_id>"): Row("administration", "/v1/customers/nobody"),
    ("PUT", "/v1/products/<told_id:product_id>"): Row("administration", "/v1/products/p9", PRODUCT),
    ("PATCH", "/v1/products/<told_id:product_id>"): Row("administration", "/v1/products/p9", PRODUCT),
    ("DELETE", "/v1/products/<told_id:product_id>"): Row("administration", "/v1/products/p9"),
    ("POST", "/v1/products"): Row("administration", "/v1/products", {"products": [{"product_id": "p9", **PRODUCT}]}),
    ("PUT", "/v1/placements/<string:name>"): Row(
        "administration", "/v1/placements/other", {"cap": 3, "default_limit": 2}
    ),
    ("GET", "/v1/models"): Row("administration", "/v1/models"),
    ("POST", "/v1/models/<string:version>/activate"): Row("administration", f"/v1/models/{version_name(1)}/activate"),
    ("POST", "/v1/campaigns/<campaign_id:campaign_id>/picks"): Row(
        "administration", f"/v1/campaigns/{CAMPAIGN}/picks", {"audience": "everyone", "slots": 1}
    ),
    ("GET", "/v1/campaigns/<campaign_id:campaign_id>"): Row("administration", f"/v1/campaigns/{CAMPAIGN}"),
    ("GET", "/v1/campaigns/<campaign_id:campaign_id>/results"): Row(
        "administration", f"/v1/campaigns/{CAMPAIGN}/results"
    ),
    ("GET", "/v1/campaigns/<campaign_id:campaign_id>/picks"): Row("administration", f"/v1/campaigns/{CAMPAIGN}/picks"),
}
"""Method and rule → its row."""
