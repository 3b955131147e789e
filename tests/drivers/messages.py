"""An event for drivers that exist only in tests."""

from __future__ import annotations

from typing import ClassVar

from edge_agent.events.envelope import EventData


class Seen(EventData):
    """Some text was seen."""

    family: ClassVar[str] = "test"
    event: ClassVar[str] = "seen"

    text: str
