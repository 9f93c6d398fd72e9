"""What forms of the console do: each gives the address to go on to, or a page to show."""

from collections.abc import Callable, Mapping

from flask import request

from api.console.campaigns.mails import FIELDS
from api.console.campaigns.planning import read_wanted
from api.console.changing import actions, campaigns
from api.console.changing.rules import changed
from api.console.page import Page
from api.console.session import SESSION_S
from api.console.views import merchandising
from api.console.visit import Visit, address
from recommender.slate.placements import Placement, find_placement

Done = str | Callable[[Visit], Page]


def end_session(visit: Visit) -> None:
    """Have no worker take this session's cookie any more."""
    visit.service.shops.storage.end_session(visit.session.session_id, SESSION_S)


def _activate(visit: Visit) -> Done:
    actions.activate(visit, request.form.get("version", ""), request.form.get("before", ""))
    return address("versions", done="activated")


def _undo(visit: Visit) -> Done:
    actions.undo(visit, request.form.get("action_id", ""))
    return address("actions", done="undone")


def _block(visit: Visit) -> Done:
    product_id = request.form.get("product", "")
    actions.block_product(visit, product_id, blocked=request.form.get("blocked") == "yes")
    return address("products", product=product_id, done="changed")


def _preview(visit: Visit) -> Done:
    name = request.form.get("placement", "")
    before = _placement(visit, name)
    after, form = changed(before, request.form), request.form.to_dict()
    actions.expect(actions.digest_of(before.model_dump(mode="json")), form.get("before"))
    return lambda visit: merchandising.preview(visit, name, before, after, form)


def _place(visit: Visit) -> Done:
    name = request.form.get("placement", "")
    after = changed(_placement(visit, name), request.form)
    actions.place(visit, name, after, request.form.get("before", ""))
    return address("merchandising", placement=name, done="changed")


def _campaign(visit: Visit) -> Done:
    """Have a campaign's picks made, as POST /v1/campaigns/ID/picks does."""
    campaigns.begin(visit, read_wanted(request.form))
    return address("campaigns", done="campaign")


def _cancel(visit: Visit) -> Done:
    name = request.form.get("campaign", "")
    campaigns.cancel(visit, name)
    return address("campaigns", campaign=name, done="cancelled")


def _test_mail(visit: Visit) -> Done:
    asked = {name: request.form.get(name, "") for name in FIELDS}
    campaigns.send_test(visit, asked)
    return address("mails", asked, done="test_mail")


def _placement(visit: Visit, name: str) -> Placement:
    now = actions.placement_now(visit, name)
    return find_placement({} if now is None else {name: Placement.model_validate(now)}, name)


POSTS: Mapping[str, Callable[[Visit], Done]] = {
    "activate": _activate,
    "undo": _undo,
    "block": _block,
    "preview": _preview,
    "place": _place,
    "campaign": _campaign,
    "cancel": _cancel,
    "test-mail": _test_mail,
}
"""By their names in addresses; all need somebody who may act."""
