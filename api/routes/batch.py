"""Route of batches: many requests in one, for e-mail jobs and for the rows of a page."""

from flask import Blueprint, Response, g, request

from api.schemas.answers import BatchAnswer
from api.schemas.requests import MAX_ROWS, BatchBody
from api.security.auth import Permission, charge_rows
from api.serving.batch import answer_batch
from api.serving.list_routes import lists
from api.serving.service import service
from api.web.openapi import operation
from api.web.parsing import invalid
from api.web.responses import answer_plain

blueprint = Blueprint("batch", __name__, url_prefix="/v1")


@blueprint.post("/batch")
@operation(
    "answer_batch",
    tag="customers",
    access=Permission.SESSION,
    body=BatchBody,
    answer=BatchAnswer,
    problems=(408, 413, 415),
)
def batch(body: BatchBody) -> Response:
    """Up to 1,000 requests in one. Each gets the status and the body that it would get alone, in the same order.

    Allowed are the GET routes that answer with a list, with their query, and `/v1/recommendations` with its body.
    What is wrong with one request stops no other. Each may name its `locale`; the Accept-Language of the batch counts
    for those that do not.

    The rows of a page are up to 20 requests with a publishable key, each of which counts in the key's rate. The
    customer's token, for the lists of that customer, stands in its header or as `customer_token` in the body. Where
    the rows are `distinct`, no product comes twice: the first row that wants it keeps it, and later ones show the next
    products of their own lists.
    """
    n_rows = len(body.requests)
    if g.principal.kind == "publishable" and n_rows > MAX_ROWS:
        message = f"{n_rows} are too many with a publishable key: send {MAX_ROWS} at most, and the others after them"
        raise invalid([{"field": "requests", "message": message}])
    charge_rows(n_rows)
    accepted = request.headers.get("Accept-Language")
    response = answer_plain({"responses": answer_batch(service(), lists(), body, accepted)})
    response.headers["Content-Language"] = service().accepted(accepted).tag
    return response
