"""Events of cameras: what they saw, and how they are."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from edge_agent.events.envelope import EventData

Report = Literal[
    "motion",
    "tamper",
    "scene_change",
    "blurry",
    "dark",
    "bright",
    "signal_loss",
    "line_crossed",
    "in_field",
    "digital_input",
    "relay",
    "sound",
    "hardware_failure",
    "night",
    "other",
]


class CctvDevice(EventData):
    """A camera reports something by itself: its own analytics, an input, a relay, a fault. Nothing here was checked."""

    family: ClassVar[str] = "cctv"
    event: ClassVar[str] = "device"

    report: Report = Field(description="What it reports; night: it sees by infrared; other: look at the topic")
    active: bool | None = Field(description="Whether that holds now; null for what only happens, as a line crossed")
    topic: str = Field(
        max_length=200,
        description="The camera's own word for it, without namespaces",
        examples=["RuleEngine/CellMotionDetector/Motion"],
    )
    source: str = Field(
        max_length=120,
        description="Which of its sources, rules, inputs or relays, by the camera's own name; empty: it does not say",
        examples=["VideoSource_1"],
    )
    said: datetime | None = Field(
        description="When, by the camera's clock, corrected by how far that was off; null: it does not say"
    )
    since_before: bool = Field(
        default=False, description="True: it was so already when the agent began to listen, or listens again"
    )
