"""Events of cameras: what they saw, and how they are."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

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


class ReadingCandidate(BaseModel):
    """One way to read it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(max_length=16, examples=["CSQU3054383"])
    confidence: Annotated[float, Field(ge=0, le=1)]
    check: Literal["passed", "failed", "not_read", "none"] = Field(
        description="Its check digit (ISO 6346); none: plates have none"
    )
    pictures: int = Field(ge=1, description="In how many pictures it was read so; one alone proves little")


class CctvReading(EventData):
    """What may stand on a vehicle in a zone: candidates, never an identification."""

    family: ClassVar[str] = "cctv"
    event: ClassVar[str] = "reading"
    classification: ClassVar[str] = "personal"

    zone: str = Field(description="Where")
    kind: Literal["plate", "container"]
    candidates: list[ReadingCandidate] = Field(min_length=1, description="The likeliest first")
    pictures: int = Field(ge=1, description="How many pictures were read")
    engine: str = Field(description="What read the text, with its version", examples=["rapidocr-onnxruntime 1.4.4"])
