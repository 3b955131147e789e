"""Events that every kind of device may publish."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from edge_agent.events.envelope import EventData
from edge_agent.events.evidence import Sha256


class InputRejected(EventData):
    """A device handed over something that could not be used; it was set aside with this reason."""

    family: ClassVar[str] = "device"
    event: ClassVar[str] = "rejected"

    reason: str = Field(description="A short code", examples=["truncated-image"])
    message: str = Field(description="What was wrong and what to do, in a technician's words")
    size: int | None = Field(default=None, ge=0, description="Length of the input in bytes, where known")
    sha256: Sha256 | None = Field(default=None, description="Hash of the input, where it could be read")
