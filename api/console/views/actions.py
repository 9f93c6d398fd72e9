"""The log of what was changed here, by whom, and the way back."""

import json
from collections.abc import Sequence
from typing import Any

from api.console.changing.actions import can_undo
from api.console.page import Button, Column, Page, Table
from api.console.visit import Visit
from recommender.storage.shops import MOST_ACTIONS, Action

_COLUMNS = (
    Column("at", "moment"), Column("key", "id"), Column("action"), Column("subject", "id"), Column("before"),
    Column("after"),
)  # fmt: skip
_LONGEST = 400


def show(visit: Visit) -> Page:
    """The latest actions, newest first."""
    actions = visit.service.shops.storage.actions(visit.shop)
    buttons = {
        index: Button("undo", "undo", {"action_id": one.action_id})
        for index, one in enumerate(actions)
        if can_undo(one)
    }
    rows = [_row(visit, one) for one in actions]
    note = visit.t("actions.note", n=MOST_ACTIONS)
    return Page("actions", blocks=[Table("actions", _COLUMNS, rows, visit.t("actions.none"), note, buttons=buttons)])


def _row(visit: Visit, one: Action) -> Sequence[Any]:
    before, after = _difference(one.before, one.after)
    who = one.key_id or visit.t("frame.local")
    return one.at, who, visit.t(f"what.{one.what}"), one.subject, before, after


def _difference(before: Any, after: Any) -> tuple[str | None, str | None]:
    """Both sides, as JSON; of objects only the fields that differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = [name for name in (before | after) if before.get(name) != after.get(name)]
        before = {name: before.get(name) for name in names}
        after = {name: after.get(name) for name in names}
    return _text(before), _text(after)


def _text(side: Any) -> str | None:
    if side is None or isinstance(side, str):
        return side
    text = json.dumps(side, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
