"""The retained messages: birth and status of the agent, status of each device, and the last will."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class State(StrEnum):
    """How a device or the agent is doing."""

    STARTING = "starting"
    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"
    OFFLINE = "offline"


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeviceStatus(_Message):
    """Retained on ``{device}/status``."""

    device: str
    driver: str
    state: State
    reason: str = Field(description="Why, in words a technician understands; empty when all is well")
    since: datetime
    restarts: int = Field(ge=0, description="How often the device's process was started again since the agent started")


class AgentStatus(_Message):
    """Retained on ``agent/status``; the last will is one with the state ``offline``."""

    state: State
    reason: str
    since: datetime
    last_sequence: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="The newest event in the journal: a consumer that holds fewer has a gap"
    )
    undelivered: Annotated[int, Field(ge=0)] | None = Field(default=None, description="Events that wait for the broker")


class DeviceBirth(_Message):
    """One device in the birth message."""

    device: str
    driver: str
    driver_version: str
    enabled: bool


class Birth(_Message):
    """Retained on ``agent/birth``: what is installed at this post."""

    agent_version: str
    python_version: str
    started: datetime
    config_sha256: str = Field(description="Hash over the configuration files, to see which setup a post runs")
    devices: list[DeviceBirth]


class Receipt(_Message):
    """From a consumer, on ``agent/receipt/{consumer}``: every event up to here is durable at its end."""

    through: int = Field(ge=0, description="Sequence number of the last event of the unbroken run the consumer holds")


class ReplayRequest(_Message):
    """From a consumer, on ``agent/replay/{consumer}``: publish this range again."""

    first: int = Field(ge=1)
    last: int = Field(ge=1)
