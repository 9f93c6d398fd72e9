"""What may be changed in the console: each change is noted with its author, what was before and what is since."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from api.console.changing.campaigns import cancel
from api.console.changing.noting import note
from api.console.refusals import RefusedError
from api.console.visit import Visit
from recommender.catalogue.overrides import ProductChange, read_record
from recommender.errors import ChangedMeanwhileError, UnknownProductError
from recommender.slate.placements import Placement
from recommender.storage.shops import Action


def activate(visit: Visit, version: str, before: str) -> None:
    """Make a version the one that answers. Raises VersionNotFoundError, or ChangedMeanwhileError."""
    current = visit.store.current()
    expect(current, before or None)
    visit.store.activate(version)
    note(visit, "activate", version, current, version)


def place(visit: Visit, name: str, after: Placement, before: str) -> None:
    """Set a placement. Raises ChangedMeanwhileError where its digest (`digest_of`) is not `before` any more."""
    stored = visit.store.placement(name)
    current = _shown(visit, name, stored)
    expect(digest_of(current), before)
    visit.store.replace_placement(name, stored, after)
    note(visit, "place", name, current, after.model_dump(mode="json"))


def block_product(visit: Visit, product_id: str, *, blocked: bool) -> None:
    """Hide a product everywhere, or show it again. Raises UnknownProductError where nobody ever told of it."""
    change = {"blocked": True if blocked else None}
    before = product_now(visit, product_id)
    if not before and not visit.store.find_products(visit.version or "", [product_id]):
        raise UnknownProductError(f"no product is called {product_id[:100]!r}")
    (after,) = visit.store.update_products([ProductChange(product_id, "patch", change)])
    note(visit, "product", product_id, before, None if after is None else dict(read_record(after)))


def undo(visit: Visit, action_id: str) -> None:
    """Take an action back, which is an action again.

    Raises:
        RefusedError: it is not kept any more, or cannot be undone.
        ChangedMeanwhileError: the same thing was changed since.
    """
    found = next((one for one in visit.service.shops.storage.actions(visit.shop) if one.action_id == action_id), None)
    if found is None or not can_undo(found):
        raise RefusedError("cannot_undo")
    _UNDO[found.what](visit, found)


def can_undo(action: Action) -> bool:
    """Whether there is a way back from an action."""
    return action.what in _UNDO and (action.before is not None or action.what == _BEGUN)


def digest_of(document: Any) -> str:
    """A short name of plain JSON: what a form carries of the state that its reader saw."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:32]


def placement_now(visit: Visit, name: str) -> dict[str, Any] | None:
    """A placement as it stands now, asked of Redis, as plain JSON; None where there is none."""
    return _shown(visit, name, visit.store.placement(name))


def _shown(visit: Visit, name: str, stored: Placement | None) -> dict[str, Any] | None:
    found = stored or visit.service.settings.placements.get(name)
    return None if found is None else found.model_dump(mode="json")


def product_now(visit: Visit, product_id: str) -> dict[str, Any]:
    """What is said of a product, as this worker followed it a moment ago; {} for nothing."""
    said = visit.cache.state.position.overrides.said(product_id)
    return {} if said is None else dict(read_record(said))


def _undo_activate(visit: Visit, action: Action) -> None:
    activate(visit, action.before, action.after)


def _undo_place(visit: Visit, action: Action) -> None:
    place(visit, action.subject, Placement.model_validate(action.before), digest_of(action.after))


def _undo_product(visit: Visit, action: Action) -> None:
    """Set back the block alone: the shop's own programs say stock and prices of the same product all the time."""
    before, after, current = (
        bool((said or {}).get("blocked")) for said in (action.before, action.after, product_now(visit, action.subject))
    )
    expect(current, after)
    block_product(visit, action.subject, blocked=before)


def _undo_campaign(visit: Visit, action: Action) -> None:
    cancel(visit, action.subject)


_BEGUN = "campaign"
"""An action before which there was nothing."""
_UNDO: Mapping[str, Callable[[Visit, Action], None]] = {
    "activate": _undo_activate,
    "place": _undo_place,
    "product": _undo_product,
    _BEGUN: _undo_campaign,
}


def expect(current: Any, before: Any) -> None:
    """Raise ChangedMeanwhileError where what stands now is not what its reader saw before."""
    if current != before:
        raise ChangedMeanwhileError("somebody has changed this since the page was opened; look at it again")
