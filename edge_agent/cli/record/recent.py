"""The events of a post that an officer may link to a search, out of its journal."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from edge_agent.daemon.journal import Journal, JournalDamagedError, JournalUnwritableError, Row
from edge_agent.events.envelope import TYPE_PREFIX

MOST: Final = 5000
"""Events that are looked through, from the newest back."""
_ROLES: Final = {
    "passport": "document",
    "xray": "scan",
    "drugkit": "test",
    "cctv": "camera",
    "inspection/weight": "weight",
    "inspection/density": "density",
    "inspection/endoscope": "endoscope",
    "inspection/barcode": "barcode",
}
_NOT_OFFERED: Final = {"agent", "device", "inspection/record"}


@dataclass(frozen=True, slots=True)
class Recent:
    """An event. ``summary`` has nothing personal in it: it stands on a screen that others may see."""

    sequence: int
    event: UUID
    at: str
    device: str
    kind: str
    type: str
    summary: str

    @property
    def role(self) -> str:
        """What the event is to a search."""
        return _ROLES.get(self.kind) or _ROLES.get(self.kind.split("/")[0], "other")

    def link(self) -> dict[str, Any]:
        """The event as a record names it."""
        return {"event": self.event, "role": self.role, "type": self.type}


class Events:
    """The events of a journal; none if there is no journal yet."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal

    def recent(self, hours: float) -> list[Recent]:
        """Events of the last hours that can belong to a search, the newest first."""
        oldest = (time.time() - hours * 3600) * 1e6
        found = [event for row in self._rows() if row.recorded >= oldest and (event := _recent(row)) is not None]
        return [event for event in reversed(found) if not {event.kind, event.kind.split("/")[0]} & _NOT_OFFERED]

    def find(self, text: str) -> Recent | None:
        """The event with this number in the journal, or this id."""
        if text.isdigit():
            return next((_recent(row) for row in self._rows(int(text), int(text))), None)
        matching = (event for row in self._rows() if text.encode() in row.body and (event := _recent(row)) is not None)
        return next((event for event in matching if str(event.event) == text.lower()), None)

    def _rows(self, first: int | None = None, last: int | None = None) -> Iterator[Row]:
        try:
            with Journal(self._journal) as journal:
                start = first if first is not None else max(1, journal.stand().last_sequence - MOST)
                yield from journal.each(start, last)
        except (FileNotFoundError, JournalDamagedError, JournalUnwritableError):
            return


def _recent(row: Row) -> Recent | None:
    event = json.loads(row.body)
    family, name = event["type"].removeprefix(f"{TYPE_PREFIX}.").split(".")[:2]
    kind = f"{family}/{name}"
    return Recent(
        sequence=row.sequence,
        event=UUID(event["id"]),
        at=event["time"],
        device=event["source"].rsplit("/", 1)[-1],
        kind=kind,
        type=event["type"],
        summary=_summary(kind, event["data"]),
    )


def _summary(kind: str, data: dict[str, Any]) -> str:
    match kind:
        case "inspection/weight":
            return f"{data['shown']} {data['unit']}"
        case "inspection/density":
            return f"{data['value']:g} {data['unit']} {data['place']}".rstrip()
        case "inspection/barcode":
            return f"{data['format']} {data['standard']}".strip()
        case "inspection/endoscope":
            return str(data["medium"])
        case _:
            return str(data.get("verdict", ""))
