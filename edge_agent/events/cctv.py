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


Suppressed = Annotated[
    int,
    Field(ge=0, description="Events about the scene that were not sent since the last one, for there were too many"),
]
Seconds = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class CctvMotion(EventData):
    """Something that may be an object began or ceased to move somewhere in the picture."""

    family: ClassVar[str] = "cctv"
    event: ClassVar[str] = "motion"

    state: Literal["started", "ended"]
    seconds: Seconds = Field(description="How long it moved; 0 when it started")
    share: Share = Field(description="Most of the picture that moved, as far as it is known by now")
    suppressed: Suppressed = 0


class CctvZone(EventData):
    """The count of objects in a zone changed, or the zone has been occupied for long. An object is what moved there."""

    family: ClassVar[str] = "cctv"
    event: ClassVar[str] = "zone"

    zone: str = Field(description="Its name in the device's file", examples=["queue"])
    state: Literal["entered", "occupied", "left"]
    count: int = Field(ge=0, description="Objects in the zone now: those that stand close may count as one")
    seconds: Seconds = Field(
        description="Entered, occupied: how long the zone has not been empty; left: how long that object was in it"
    )
    suppressed: Suppressed = 0


class CctvLine(EventData):
    """An object crossed a line."""

    family: ClassVar[str] = "cctv"
    event: ClassVar[str] = "line"

    line: str = Field(description="Its name in the device's file", examples=["exit"])
    direction: Literal["forward", "backward"] = Field(
        description="forward: from the left to the right of one who looks from the line's start to its end"
    )
    x: Share = Field(description="Where, from 0 at the left of the picture to 1")
    y: Share = Field(description="Where, from 0 at the top of the picture to 1")
    suppressed: Suppressed = 0


class CctvHealth(EventData):
    """The camera does not show what it ought to, or does so again. Inferred from its picture."""

    family: ClassVar[str] = "cctv"
    event: ClassVar[str] = "health"

    fault: Literal["no_signal", "frozen", "dark", "dazzled", "covered", "defocused", "moved", "stuck_colour"] = Field(
        description="dark: nothing is seen; stuck_colour: one colour all over the picture, or a colour cast"
    )
    state: Literal["began", "ended"]
    seconds: Seconds = Field(description="For how long it has been seen; ended: for how long it was")
    reason: str = Field(default="", description="Why there is no picture, in a technician's words")
