"""The envelope of every event: CloudEvents 1.0, structured JSON mode.

An event is encoded once, in the worker that observed it, and *sealed* by the journal, which alone knows its sequence
number and the time it became durable. Sealing splices two members into the encoded text, so that the main process
never parses or re-encodes what a device said.

Source: CloudEvents 1.0.2, "JSON Event Format" and the "sequence" extension (a string that sorts as text).
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

CONTENT_TYPE = "application/cloudevents+json"
SEQUENCE_DIGITS = 15
TYPE_PREFIX = "org.blo.edge"


class EventData(BaseModel):
    """The ``data`` of an event. A subclass names its family, event and version, and with them its type and topic."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: ClassVar[str]
    event: ClassVar[str]
    version: ClassVar[int] = 1
    classification: ClassVar[str] = "operational"
    """``personal`` where the data names a person, else ``operational``; published as ``dataclassification``."""

    @classmethod
    def event_type(cls) -> str:
        """The CloudEvents ``type``, e.g. ``org.blo.edge.passport.read.v1``."""
        return f"{TYPE_PREFIX}.{cls.family}.{cls.event}.v{cls.version}"

    @classmethod
    def schema_id(cls) -> str:
        """The ``$id`` of the JSON Schema of this data, and the ``dataschema`` of its events."""
        return f"urn:blo:edge:{cls.family}.{cls.event}:v{cls.version}"


def uuid7() -> UUID:
    """A UUID of version 7 (RFC 9562, section 5.7): sorts by its time in milliseconds."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    return UUID(int=value & ~(0xF000 << 64) & ~(0xC000 << 48) | (7 << 76) | (2 << 62))


def timestamp(when: datetime) -> str:
    """RFC 3339 in UTC with microseconds, e.g. ``2026-11-23T08:15:02.123456Z``."""
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def encode(data: EventData, *, event_id: str, source: str, observed: datetime, evidence: str = "") -> bytes:
    """Encode an event up to what only the journal can add; ``seal`` completes it.

    ``evidence`` is the JSON text of the list of ``EvidenceReference``, empty for none.
    """
    refs = f'"evidence":{evidence},' if evidence else ""
    head = (
        f'{{"specversion":"1.0","id":"{event_id}","source":"{source}","type":"{data.event_type()}",'
        f'"time":"{timestamp(observed)}","datacontenttype":"application/json","dataschema":"{data.schema_id()}",'
        f'"dataclassification":"{data.classification}",{refs}"data":'
    )
    return head.encode() + data.model_dump_json().encode()


def seal(encoded: bytes, *, sequence: int, recorded: str) -> bytes:
    """Complete an encoded event with its place in the journal and the time it was recorded (RFC 3339)."""
    return b'%b,"sequence":"%0*d","recordedtime":"%b"}' % (encoded, SEQUENCE_DIGITS, sequence, recorded.encode())
