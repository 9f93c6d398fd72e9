"""The log of actions: who did what, what was before and what is since."""

import secrets
from typing import Any

from api.console.refusals import UnnotedError
from api.console.visit import Visit
from api.web.access_log import log
from recommender.errors import StoreError
from recommender.storage.shops import Action


def note(visit: Visit, what: str, subject: str, before: Any, after: Any) -> None:
    """Keep an action that was done. Raises UnnotedError where Redis goes in between; the service's log still has it."""
    at, key_id = visit.service.clock(), visit.session.principal.key_id
    action = Action(secrets.token_hex(8), f"{at:%Y-%m-%dT%H:%M:%SZ}", key_id, what, subject, before, after)
    log().warning("console_action", shop=visit.shop, key_id=key_id, action=what, subject=subject)
    try:
        visit.service.shops.storage.note_action(visit.shop, action)
    except StoreError as error:
        log().error("console_action_not_noted", shop=visit.shop, action=what, subject=subject, detail=str(error))
        raise UnnotedError("unnoted") from error
