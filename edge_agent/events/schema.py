"""JSON Schemas (draft 2020-12) of everything that is published or received, made from the models.

They lie in ``schemas/`` beside this module for those who read events in other languages; ``edge-agent schema --write``
makes them anew.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema, SkipJsonSchema

from edge_agent.events.envelope import SEQUENCE_DIGITS, TYPE_PREFIX, EventData
from edge_agent.events.evidence import EvidenceReference
from edge_agent.events.status import AgentStatus, Birth, DeviceStatus, Receipt, ReplayRequest

JsonObject = dict[str, Any]

SENT: dict[str, type[BaseModel]] = {"agent-status": AgentStatus, "device-status": DeviceStatus, "birth": Birth}
"""Retained messages."""
RECEIVED: dict[str, type[BaseModel]] = {"receipt": Receipt, "replay-request": ReplayRequest}
"""What consumers may send."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_UUID7 = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


def _without_default(schema: JsonObject) -> None:
    del schema["default"]


class Event(BaseModel):
    """An event as it is published: CloudEvents 1.0 in structured JSON mode."""

    model_config = ConfigDict(title="Event")

    specversion: Literal["1.0"]
    id: str = Field(pattern=_UUID7, description="UUID of version 7. An event that comes twice has the same id")
    source: str = Field(
        pattern="^/blo/[a-z]{2}/[a-z0-9-]+/[a-z0-9-]+$",
        description="Who observed it: /blo/{country}/{bcp}/{device}",
        examples=["/blo/kz/kordai/lane-1-passport"],
    )
    type: str = Field(
        pattern=rf"^{TYPE_PREFIX.replace('.', '[.]')}[.][a-z0-9_-]+[.][a-z0-9_-]+[.]v[1-9][0-9]*$",
        examples=["org.blo.edge.passport.read.v1"],
    )
    time: datetime = Field(description="When the device observed it, in UTC")
    recordedtime: datetime = Field(description="When it was safe on the post's disk, in UTC")
    sequence: str = Field(
        pattern=f"^[0-9]{{{SEQUENCE_DIGITS}}}$",
        description="Counts all events of the post without a gap: who misses one asks for a replay",
        examples=["1042".zfill(SEQUENCE_DIGITS)],
    )
    datacontenttype: Literal["application/json"]
    dataschema: str = Field(
        pattern="^urn:blo:edge:",
        description="The $id of the schema of data",
        examples=["urn:blo:edge:passport.read:v1"],
    )
    dataclassification: Literal["operational", "personal"] = Field(description="personal: the data names a person")
    evidence: Annotated[list[EvidenceReference], Field(min_length=1)] | SkipJsonSchema[None] = Field(
        default=None,
        description="Pictures and raw data behind the event; left out if there is none",
        json_schema_extra=_without_default,
    )
    data: Any


class Plain(GenerateJsonSchema):
    """Without the titles that only repeat the names of the members."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  (pydantic's signature)
        """Never."""
        return False


def known_events() -> list[type[EventData]]:
    """Every type of event of the modules beside this one and of those that were imported, in the order of their names.

    Nobody keeps a list: an event is known by being defined.
    """
    for module in pkgutil.iter_modules([str(Path(__file__).parent)], "edge_agent.events."):
        import_module(module.name)
    return sorted(_defined(EventData), key=event_name)


def _defined(parent: type[EventData]) -> Iterator[type[EventData]]:
    for child in parent.__subclasses__():
        if "event" in vars(child):  # else it is a base that several share
            yield child
        yield from _defined(child)


def documents(events: Iterable[type[EventData]]) -> dict[str, JsonObject]:
    """All schemas by the name of their file, without ``.json``."""
    events = list(events)
    return {
        "event": envelope_schema(events),
        **{event_name(event): data_schema(event) for event in events},
        **{name: _schema(model, f"urn:blo:edge:{name}:v1", "serialization") for name, model in SENT.items()},
        **{name: _schema(model, f"urn:blo:edge:{name}:v1", "validation") for name, model in RECEIVED.items()},
    }


def event_name(event: type[EventData]) -> str:
    """The name of a schema file, e.g. ``passport.read.v1``."""
    return f"{event.family}.{event.event}.v{event.version}"


def data_schema(event: type[EventData]) -> JsonObject:
    """The schema of an event's ``data``; its ``$id`` is what events name as ``dataschema``."""
    return _schema(event, event.schema_id(), "serialization")


def envelope_schema(events: Iterable[type[EventData]]) -> JsonObject:
    """The schema of a whole event. Of the given types it holds the data to its schema, of others it accepts any."""
    schema = _schema(Event, "urn:blo:edge:event:v1", "validation")
    schema["allOf"] = [
        {
            "if": {"properties": {"type": {"const": event.event_type()}}},
            "then": {"properties": {**fixed_members(event), "data": {"$ref": event.schema_id()}}},
        }
        for event in events
    ]
    return schema


def fixed_members(event: type[EventData]) -> JsonObject:
    """Schemas of the envelope members that follow from the type of an event."""
    return {
        "dataschema": {"const": event.schema_id()},
        "dataclassification": {"const": event.classification},
    }


def _schema(model: type[BaseModel], schema_id: str, mode: Literal["validation", "serialization"]) -> JsonObject:
    return {"$schema": DIALECT, "$id": schema_id, **model.model_json_schema(mode=mode, schema_generator=Plain)}
