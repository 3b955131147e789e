"""The schemas in the tree are those of the models, and what the post publishes is what they describe."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from drivers.trial.load import TrialLoad
from edge_agent.cli.schema import ASYNCAPI, import_drivers, text
from edge_agent.events import asyncapi, schema
from edge_agent.events.agent import JournalSalvaged
from edge_agent.events.device import InputRejected
from edge_agent.events.drugkit import ColourGroup, ColourMoment, ColourTestRead
from edge_agent.events.envelope import EventData, encode, seal, timestamp, uuid7
from edge_agent.events.evidence import EvidenceReference
from edge_agent.events.passport import PassportRead
from edge_agent.events.status import AgentStatus, Birth, DeviceBirth, DeviceStatus, Receipt, ReplayRequest, State
from tests.events.test_passport import SPECIMEN, read
from tests.events.validator import Validator

FOLDER = Path(schema.__file__).parent / "schemas"
REGENERATE = "edge-agent schema --write edge_agent/events/schemas"
ENVELOPE = "urn:blo:edge:event:v1"
NOW = datetime.now(UTC)
PICTURE = EvidenceReference(role="page", sha256="0" * 64, media_type="image/jpeg", size=1, sent=True)
EVENTS: list[EventData] = [
    read(SPECIMEN),
    read("nothing of the kind"),
    InputRejected(reason="truncated-image", message="The file ends early: scan again."),
    JournalSalvaged(saved=41, resumed=100, reason="malformed"),
    ColourTestRead(
        verdict="consistent",
        reagent="A.1",
        reagent_name="Cobalt thiocyanate",
        groups=[
            ColourGroup(name="Strong greenish blue", munsell=["5B 5/10"], distance=0.4, substances=["Cocaine HCl"])
        ],
        consistent_with=["Cocaine HCl"],
        colour=[51.0, -28.7, -33.2],
        series=[ColourMoment(seconds=0, colour=[94, 0, 3])],
        engine="test",
        milliseconds=80,
    ),
    TrialLoad(number=1, sent=0.5, padding="x"),
]


def ours() -> list[type[EventData]]:
    import_drivers()
    return [event for event in schema.known_events() if event.__module__.split(".")[0] in {"edge_agent", "drivers"}]


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    return {ASYNCAPI: asyncapi.document(ours()), **schema.documents(ours())}


@pytest.fixture(scope="module")
def validator(documents: dict[str, dict[str, Any]]) -> Validator:
    return Validator(documents)


def published(data: EventData, evidence: tuple[EvidenceReference, ...] = ()) -> dict[str, Any]:
    """An event as it is on the wire, made by the code that makes it."""
    references = json.dumps([each.model_dump() for each in evidence]) if evidence else ""
    source = "/blo/kz/kordai/lane-1-passport"
    encoded = encode(data, event_id=str(uuid7()), source=source, observed=NOW, evidence=references)
    event: dict[str, Any] = json.loads(seal(encoded, sequence=1042, recorded=timestamp(NOW)))
    return event


def test_the_schemas_in_the_tree_are_those_of_the_models(documents: dict[str, dict[str, Any]]) -> None:
    there = {path.stem: path.read_text() for path in FOLDER.glob("*.json")}
    changed = sorted(name for name in documents if there.get(name) != text(documents[name]))
    assert not changed, f"{', '.join(changed)}: the models have changed; write the schemas anew:  {REGENERATE}"
    left = sorted(set(there) - set(documents))
    assert not left, f"{', '.join(left)}: nothing makes them any more; delete them"


def test_every_event_is_known_once() -> None:
    types = [event.event_type() for event in ours()]
    assert len(set(types)) == len(types)
    assert {PassportRead, InputRejected, JournalSalvaged, TrialLoad} <= set(ours())


@pytest.mark.parametrize("data", EVENTS, ids=lambda data: type(data).__name__)
@pytest.mark.parametrize("evidence", [(), (PICTURE,)], ids=["plain", "with evidence"])
def test_what_is_published_is_as_described(
    data: EventData, evidence: tuple[EvidenceReference, ...], validator: Validator
) -> None:
    event = published(data, evidence)
    assert validator.mistakes(event, ENVELOPE) == []
    assert validator.mistakes(event["data"], event["dataschema"]) == []


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ("sequence", "1042"),
        ("sequence", 1042),
        ("id", "00000000-0000-4000-8000-000000000000"),
        ("source", "/blo/kz/kordai"),
        ("time", "yesterday"),
        ("evidence", []),
        ("dataclassification", "operational"),
        ("dataschema", "urn:blo:edge:device.rejected:v1"),
        ("type", "passport.read"),
        ("data", {}),
        ("specversion", "0.3"),
    ],
)
def test_what_is_not_as_described_is_noticed(member: str, wrong: object, validator: Validator) -> None:
    event = published(read(SPECIMEN), (PICTURE,))
    assert any(f"/{member}" in mistake for mistake in validator.mistakes(event | {member: wrong}, ENVELOPE))
    del event[member]
    optional = {"evidence"}
    assert bool(validator.mistakes(event, ENVELOPE)) is (member not in optional)


def test_an_event_of_a_third_party_needs_the_envelope_only(validator: Validator) -> None:
    event = published(read(SPECIMEN)) | {
        "type": "org.blo.edge.seal.opened.v1",
        "dataschema": "urn:blo:edge:seal.opened:v1",
        "dataclassification": "operational",
        "data": {"anything": True},
    }
    assert validator.mistakes(event, ENVELOPE) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("agent-status", AgentStatus(state=State.OFFLINE, reason="Gone.", since=NOW)),
        ("agent-status", AgentStatus(state=State.OK, reason="", since=NOW, last_sequence=1042, undelivered=0)),
        ("device-status", DeviceStatus(device="d", driver="k", state=State.OK, reason="", since=NOW, restarts=0)),
        (
            "birth",
            Birth(
                agent_version="1",
                python_version="3.11",
                started=NOW,
                config_sha256="0",
                devices=[DeviceBirth(device="d", driver="k", driver_version="1", enabled=True)],
            ),
        ),
        ("receipt", Receipt(through=0)),
        ("replay-request", ReplayRequest(first=1, last=1)),
    ],
)
def test_the_other_messages_are_as_described(name: str, message: Any, validator: Validator) -> None:
    said = json.loads(message.model_dump_json())
    assert validator.mistakes(said, f"urn:blo:edge:{name}:v1") == []
    assert validator.mistakes(said | {"surname": "ERIKSSON"}, f"urn:blo:edge:{name}:v1")


def test_each_schema_names_its_dialect(documents: dict[str, dict[str, Any]]) -> None:
    dialects = {document.get("$schema") for name, document in documents.items() if name != ASYNCAPI}
    assert dialects == {"https://json-schema.org/draft/2020-12/schema"}


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_agent", "schema", *words], check=False, capture_output=True, text=True, timeout=60
    )


def test_the_command_prints_one_lists_and_writes_all(tmp_path: Path) -> None:
    assert command("passport.read.v1").stdout == (FOLDER / "passport.read.v1.json").read_text()
    names = command("--list").stdout.split()
    assert command("--write", str(tmp_path / "new")).returncode == 0
    assert sorted(names) == sorted(path.stem for path in (tmp_path / "new").iterdir())


def test_the_command_helps_with_a_name_that_is_almost_right() -> None:
    done = command("passport.red.v1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean passport.read.v1?" in done.stderr


# -- AsyncAPI ------------------------------------------------------------------------------------------------------

_OBJECTS = {  # the fixed fields of AsyncAPI 3.0.0, as far as we use them: (required, allowed)
    "root": ({"asyncapi", "info"}, {"defaultContentType", "servers", "channels", "operations", "components", "id"}),
    "info": ({"title", "version"}, {"description", "license", "contact", "termsOfService", "tags"}),
    "server": (
        {"host", "protocol"},
        {"protocolVersion", "pathname", "description", "title", "variables", "security", "tags", "bindings"},
    ),
    "channel": (
        set(),
        {"address", "messages", "title", "summary", "description", "servers", "parameters", "tags", "bindings"},
    ),
    "operation": (
        {"action", "channel"},
        {"title", "summary", "description", "security", "tags", "bindings", "traits", "messages", "reply"},
    ),
    "message": (
        set(),
        {"headers", "payload", "correlationId", "contentType", "name", "title", "summary", "description", "examples"},
    ),
}


def fits(kind: str, thing: dict[str, Any]) -> None:
    required, allowed = _OBJECTS[kind]
    assert required <= set(thing) <= required | allowed, kind


def references(thing: Any) -> Iterator[str]:
    if isinstance(thing, dict):
        if isinstance(thing.get("$ref"), str):
            yield thing["$ref"]
        for each in thing.values():
            yield from references(each)
    elif isinstance(thing, list):
        for each in thing:
            yield from references(each)


def test_the_asyncapi_document_is_one(documents: dict[str, dict[str, Any]]) -> None:
    """Its objects by the specification; the whole was also held against AsyncAPI's own schema of 3.0.0 once."""
    document = documents[ASYNCAPI]
    assert document["asyncapi"] == "3.0.0"
    fits("root", document)
    fits("info", document["info"])
    for kind in ("server", "channel", "operation"):
        for thing in document[f"{kind}s"].values():
            fits(kind, thing)
    for message in document["components"]["messages"].values():
        fits("message", message)
    for operation in document["operations"].values():
        assert operation["action"] in {"send", "receive"}
    for reference in references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def test_each_channel_declares_the_parameters_of_its_address_and_has_an_operation(
    documents: dict[str, dict[str, Any]],
) -> None:
    document = documents[ASYNCAPI]
    for channel in document["channels"].values():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel["parameters"])
    assert set(document["operations"]) == set(document["channels"])
    received = {name for name, each in document["operations"].items() if each["action"] == "receive"}
    assert received == set(schema.RECEIVED)


def test_every_event_has_a_channel_on_its_topic(documents: dict[str, dict[str, Any]]) -> None:
    channels = documents[ASYNCAPI]["channels"]
    assert channels["passport.read.v1"]["address"] == "blo/v1/{country}/{bcp}/{device}/passport/read"
    assert channels["agent.salvaged.v1"]["address"] == "blo/v1/{country}/{bcp}/agent/agent/salvaged"
    assert {schema.event_name(event) for event in ours()} <= set(channels)
