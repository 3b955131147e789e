"""The AsyncAPI 3.0 document: which messages go where, seen from the agent. Made from the models, like the schemas."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from edge_agent import __version__
from edge_agent.events.envelope import CONTENT_TYPE, EventData
from edge_agent.events.evidence import EvidenceReference
from edge_agent.events.schema import RECEIVED, SENT, Event, JsonObject, Plain, event_name, fixed_members
from edge_agent.events.topics import AGENT, Post

DESCRIPTION = """
    What a border crossing point publishes, and what it accepts from those who store its events.

    Each event carries a sequence number that counts without a gap, and an id. Who misses a number asks for it with a
    replay request; who gets an id twice drops the second. A receipt tells the agent that a consumer has everything up
    to a number on its own disk. Topics and envelopes hold no personal data; `data` may, and `dataclassification` says
    so. Drivers of third parties may publish further types of events, in the same envelope and on topics of this form.
    """
PARAMETERS = {
    "country": ("ISO 3166 two-letter code, lower case", "kz"),
    "bcp": ("Border crossing point", "kordai"),
    "device": ("Name of the device in the post's configuration; `agent` for the agent's own events", "lane-1-passport"),
    "sha256": (
        "Hash of the bytes in hexadecimal digits",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ),
    "consumer": ("Who stores the events, by a name of its choice", "blo-almaty"),
}
_BINDING = {"bindingVersion": "0.2.0"}
_POST = Post("{country}", "{bcp}")


@dataclass(frozen=True, slots=True)
class _Message:
    """One kind of message on a topic of its own."""

    name: str
    address: str
    title: str
    payload: JsonObject
    content_type: str = "application/json"
    action: Literal["send", "receive"] = "send"
    retained: bool = False

    def channel(self) -> JsonObject:
        names = re.findall(r"{(\w+)}", self.address)
        return {
            "address": self.address,
            "title": self.title,
            "parameters": {name: {"$ref": f"#/components/parameters/{name}"} for name in names},
            "messages": {self.name: {"$ref": f"#/components/messages/{self.name}"}},
        }

    def operation(self) -> JsonObject:
        return {
            "action": self.action,
            "channel": {"$ref": f"#/channels/{self.name}"},
            "messages": [{"$ref": f"#/channels/{self.name}/messages/{self.name}"}],
            "bindings": {"mqtt": {"qos": 1, "retain": self.retained, **_BINDING}},
        }

    def message(self) -> JsonObject:
        return {"name": self.name, "title": self.title, "contentType": self.content_type, "payload": self.payload}


def document(events: Iterable[type[EventData]]) -> JsonObject:
    """The whole document, with all schemas inside."""
    events = list(events)
    messages = [*map(_event, events), *_other_messages()]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "edge-agent",
            "version": __version__,
            "description": inspect.cleandoc(DESCRIPTION),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"office": _server()},
        "channels": {message.name: message.channel() for message in messages},
        "operations": {message.name: message.operation() for message in messages},
        "components": {
            "messages": {message.name: message.message() for message in messages},
            "schemas": _schemas(events),
            "parameters": {
                name: {"description": text, "examples": [example]} for name, (text, example) in PARAMETERS.items()
            },
            "securitySchemes": {
                "certificate": {"type": "X509", "description": "Client certificate"},
                "password": {"type": "userPassword", "description": "User name and password"},
            },
        },
    }


def _event(event: type[EventData]) -> _Message:
    members = {"type": {"const": event.event_type()}, **fixed_members(event), "data": _ref(event.__name__)}
    return _Message(
        event_name(event),
        _POST.event(AGENT if event.family == AGENT else "{device}", event),
        inspect.cleandoc(event.__doc__ or ""),
        {"allOf": [_ref(Event.__name__), {"properties": members}]},
        CONTENT_TYPE,
    )


def _other_messages() -> list[_Message]:
    return [
        _Message(
            "evidence",
            _POST.evidence("{device}", "{sha256}"),
            "A picture or raw data behind an event; MQTT 5 carries its media type as content type",
            {"type": "string", "format": "binary"},
            "application/octet-stream",
        ),
        _Message(
            "device-status",
            _POST.status("{device}"),
            "How a device is doing",
            _ref(SENT["device-status"].__name__),
            retained=True,
        ),
        _Message(
            "agent-status",
            _POST.status(),
            "How the agent is doing; also its last will",
            _ref(SENT["agent-status"].__name__),
            retained=True,
        ),
        _Message("birth", _POST.birth(), "What is installed at the post", _ref(SENT["birth"].__name__), retained=True),
        _Message(
            "receipt",
            _POST.receipt("{consumer}"),
            "A consumer has the events up to here on its own disk",
            _ref(RECEIVED["receipt"].__name__),
            action="receive",
        ),
        _Message(
            "replay-request",
            _POST.replay("{consumer}"),
            "A consumer asks for events again",
            _ref(RECEIVED["replay-request"].__name__),
            action="receive",
        ),
    ]


def _ref(model: str) -> JsonObject:
    return {"$ref": f"#/components/schemas/{model}"}


def _schemas(events: Iterable[type[EventData]]) -> JsonObject:
    written: list[type[BaseModel]] = [EvidenceReference, *events, *SENT.values()]
    read: list[type[BaseModel]] = [Event, *RECEIVED.values()]
    _, definitions = models_json_schema(
        [(model, "serialization") for model in written] + [(model, "validation") for model in read],
        ref_template="#/components/schemas/{model}",
        schema_generator=Plain,
    )
    schemas: JsonObject = definitions["$defs"]
    return schemas


def _server() -> JsonObject:
    will = {"topic": _POST.status(), "qos": 1, "retain": True}
    return {
        "host": "{broker}:8883",
        "variables": {"broker": {"description": "[broker] host in agent.toml", "default": "broker.blo.example"}},
        "protocol": "secure-mqtt",
        "protocolVersion": "5.0",
        "description": "The broker of the Border Liaison Office. MQTT 3.1.1 where it does not speak MQTT 5.",
        "security": [
            {"$ref": "#/components/securitySchemes/certificate"},
            {"$ref": "#/components/securitySchemes/password"},
        ],
        "bindings": {"mqtt": {"clientId": "edge-{country}-{bcp}", "cleanSession": True, "lastWill": will, **_BINDING}},
    }
