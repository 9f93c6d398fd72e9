"""JSON Schemas of events, one for each type, and a table of them, made from where the types are declared."""

from typing import Any

from api.schemas.examples import EVENT_FIELDS
from recommender.events.event import EVENT_TYPES, Event, EventType, fields_of

_ALWAYS = ("event_id", "event_type", "occurred_at")


def event_schemas() -> dict[str, dict[str, Any]]:
    """The schema of each event type, by its name in the OpenAPI document."""
    fields = Event.model_json_schema()["properties"]
    return {_name(event_type): _schema(event_type, fields) for event_type in EVENT_TYPES}


def any_event() -> dict[str, Any]:
    """The schema of an event of any type: the union of all of them, which `event_type` tells apart."""
    references = {event_type: f"#/components/schemas/{_name(event_type)}" for event_type in EVENT_TYPES}
    return {
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "event_type", "mapping": references},
    }


def example_of(event_type: EventType) -> dict[str, Any]:
    """An event of a type with every field that it takes; one that needs no customer is of a session."""
    fields = {name: EVENT_FIELDS[name] for name in fields_of(event_type)} | {"event_type": event_type}
    del fields["session_id" if "customer_id" in EVENT_TYPES[event_type].needs else "customer_id"]
    return fields


def event_table() -> str:
    """A table in Markdown of every event type: what it tells, what it must name, and what else is made use of."""
    rows = ["| `event_type` | tells | needs | takes |", "| --- | --- | --- | --- |"]
    for event_type, (does, needs, takes) in EVENT_TYPES.items():
        somebody = [] if "customer_id" in needs else ["`customer_id` or `session_id`"]
        needed = ", ".join(somebody + [f"`{name}`" for name in needs])
        rows.append(f"| `{event_type}` | {does.rstrip('.')} | {needed} | {', '.join(f'`{name}`' for name in takes)} |")
    return "\n".join(rows)


def _schema(event_type: EventType, fields: dict[str, Any]) -> dict[str, Any]:
    needs = [*_ALWAYS, *EVENT_TYPES[event_type].needs]
    properties = {name: _field(fields[name], required=name in needs) for name in fields_of(event_type)}
    properties["event_type"] = {"type": "string", "const": event_type, "title": "Event Type"}
    somebody = "" if "customer_id" in needs else " It names a `customer_id` or a `session_id`."
    return {
        "title": _name(event_type),
        "description": EVENT_TYPES[event_type].does + somebody,
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name in needs],
        "additionalProperties": False,
        "examples": [example_of(event_type)],
    }


def _field(schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    """The schema of a field: not null where its type needs it, else null is as good as left out."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if not choices:
        return schema
    field = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    return field | {"anyOf": choices if required else [*choices, {"type": "null"}]}


def _name(event_type: EventType) -> str:
    return "".join(word.capitalize() for word in event_type.split("_")) + "Event"
