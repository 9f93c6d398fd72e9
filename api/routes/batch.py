"""Many requests in one, for e-mail jobs and pages that are built on a server."""

from flask import Blueprint, Response, g

from api.access import Access
from api.answer_schemas import BatchAnswer
from api.batches import answer_batch
from api.lists import lists
from api.openapi import operation
from api.request_schemas import BatchBody
from api.responses import answer_plain
from api.service import service

blueprint = Blueprint("batch", __name__, url_prefix="/v1")


@blueprint.post("/batch")
@operation(
    "answer_batch", tag="customers", access=Access.SERVER, body=BatchBody, answer=BatchAnswer, problems=(408, 413, 415)
)
def batch(body: BatchBody) -> Response:
    """Up to 1,000 requests in one. Each gets the status and the body that it would get alone, in the same order.

    Allowed are the GET routes that answer with a list, with their query, and `/v1/recommendations` with its body.
    What is wrong with one request stops no other.
    """
    return answer_plain({"responses": answer_batch(service(), g.caller, lists(), body.requests)})
