"""Events of the agent itself."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from edge_agent.events.envelope import EventData


class JournalSalvaged(EventData):
    """The journal was found damaged; the post went on with what could be saved of it."""

    family: ClassVar[str] = "agent"
    event: ClassVar[str] = "salvaged"

    saved: int = Field(ge=0, description="Events saved from the damaged journal, under their old sequence numbers")
    resumed: int = Field(
        ge=1,
        description="Numbering went on here; a number below that a consumer does not have, and cannot get, is lost",
    )
    reason: str = Field(description="What the database said")
