"""Route of batches: many requests in one, for e-mail jobs and pages that are built on a server."""

from flask import Blueprint, Response, g, request

from api.schemas.answers import BatchAnswer
from api.schemas.requests import BatchBody
from api.security.permissions import Permission
from api.serving.batch import answer_batch
from api.serving.list_routes import lists
from api.serving.service import service
from api.web.openapi import operation
from api.web.responses import answer_plain

blueprint = Blueprint("batch", __name__, url_prefix="/v1")


@blueprint.post("/batch")
@operation(
    "answer_batch",
    tag="customers",
    access=Permission.SERVER,
    body=BatchBody,
    answer=BatchAnswer,
    problems=(408, 413, 415),
)
def batch(body: BatchBody) -> Response:
    """Up to 1,000 requests in one. Each gets the status and the body that it would get alone, in the same order.

    Allowed are the GET routes that answer with a list, with their query, and `/v1/recommendations` with its body.
    What is wrong with one request stops no other. Each may name its `locale`; the Accept-Language of the batch counts
    for those that do not.
    """
    accepted = request.headers.get("Accept-Language")
    return answer_plain({"responses": answer_batch(service(), g.principal, lists(), body.requests, accepted)})
