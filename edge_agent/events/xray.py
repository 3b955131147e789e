"""Events of X-ray scanners: what was scanned and what an officer ought to look at, and how well the scanner itself is.

Nothing here is a finding of fact: a region is a proposal with its reason and its numbers, a material is what the
attenuation at two energies resembles. Who or what was scanned is not said: identifiers stay at the post.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from edge_agent.events.envelope import EventData
from edge_agent.events.evidence import Sha256

ChannelName = Literal["low", "high", "single", "material", "picture"]
Fraction = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Box(_Part):
    """A rectangle of whole pixels; the first column and row are 0."""

    column: int = Field(ge=0)
    row: int = Field(ge=0)
    columns: int = Field(ge=1)
    rows: int = Field(ge=1)


class ClassArea(_Part):
    """How much of the scan resembles one class of materials."""

    material: str = Field(examples=["organic", "inorganic", "metal", "opaque"])
    pixels: int = Field(ge=0)
    area_cm2: NotNegative | None = Field(default=None, description="In the object's plane; null without a pitch")
    share: Fraction = Field(description="Of what is not background")


class Proposal(_Part):
    """A region that an officer ought to look at, and why. Presumptive: it names no substance."""

    kind: str = Field(
        description="The rule: shield, dense_organic, organic_behind_metal, load_not_homogeneous, changed, or detector "
        "for the site's own",
        examples=["shield"],
    )
    reason: str = Field(description="In an officer's words, with the numbers")
    box: Box
    pixels: int = Field(ge=0)
    area_cm2: NotNegative | None = Field(default=None, description="Null without a pitch")
    material: str = Field(default="", description="The class that its attenuation resembles; empty: not told")
    attenuation: float | None = Field(default=None, description="Natural logarithm, mean over the region")
    steel_mm: NotNegative | None = Field(default=None, description="Steel that weakens the radiation as much")
    mass_g: NotNegative | None = Field(default=None, description="Effective mass of the region; null if not known")
    score: Fraction | None = Field(
        default=None, description="How far beyond the rule's threshold: it orders proposals, and is no probability"
    )


class ShadowBox(_Part):
    """What the site's own detector says, where it runs along without being believed."""

    label: str
    score: Fraction
    box: Box


class ScanQuality(_Part):
    """What a scan says of its scanner. Null: it cannot be told from this one."""

    open_beam_share: Fraction | None = Field(default=None, description="Share of pixels that nothing lies before")
    noise: dict[ChannelName, NotNegative] = Field(
        default={}, description="Standard deviation of the open beam along a detector element, relative to its mean"
    )
    open_beam: dict[ChannelName, NotNegative] = Field(default={}, description="Mean counts of the open beam")
    saturated: dict[ChannelName, Fraction] = Field(default={}, description="Share of pixels at the highest value")
    dead_elements: list[int] = Field(default=[], description="Detector elements that always say the same, from 0")


class XrayScan(EventData):
    """Something was scanned."""

    family: ClassVar[str] = "xray"
    event: ClassVar[str] = "scan"

    channels: list[ChannelName] = Field(description="What the scanner sent")
    missing: list[ChannelName] = Field(default=[], description="What a whole scan would also have; that is normal")
    rows: int | None = Field(default=None, ge=1, description="Null if only a picture was sent")
    columns: int | None = Field(default=None, ge=1)
    pitch_mm: list[float] | None = Field(
        default=None, min_length=2, max_length=2, description="Of rows and of columns, in the object's plane"
    )
    object_type: str = Field(default="", description="As the scanner says", examples=["CARGO", "BAGGAGE"])
    analysed: bool = Field(description="Whether materials and proposals were looked for; see `remarks` if not")
    calibrated: datetime | None = Field(
        default=None, description="When the material curves were measured; null: a textbook scanner is assumed"
    )
    classes: list[ClassArea] = Field(default=[], description="By material, the largest first")
    proposals: list[Proposal] = Field(default=[], description="The most urgent first")
    shadow: list[ShadowBox] = Field(default=[], description="Never part of the proposals")
    compared_with: datetime | None = Field(
        default=None, description="When the earlier scan of the same vehicle was made with which it was compared"
    )
    quality: ScanQuality = ScanQuality()
    remarks: list[str] = Field(default=[], description="What is odd about it, in a technician's words")
    engine: str = Field(description="What analysed it, with its version", examples=["edge-agent 0.1.0"])
    milliseconds: NotNegative = Field(description="From the scanner's data to this event")


class Figure(_Part):
    """One measured figure of a scanner's health."""

    name: str = Field(examples=["wire_36_awg_cnr", "steel_penetration_mm"])
    value: float | None = Field(description="Null: it could not be measured, see `note`")
    unit: str = Field(default="")
    least: float | None = Field(default=None, description="The site's own limit; null: none is set")
    most: float | None = Field(default=None, description="The site's own limit; null: none is set")
    before: float | None = Field(default=None, description="Median of the earlier measurements; null if there is none")
    per_month: float | None = Field(default=None, description="Trend over the kept history; null if too short")
    state: Literal["ok", "drifting", "outside", "unknown"] = Field(
        description="outside: beyond a limit; drifting: far from what it was, or beyond a limit within a month at this "
        "trend; unknown: neither limit nor history"
    )
    note: str = Field(default="")


class XrayQuality(EventData):
    """The scanner's own health, from a test piece or from what every scan says by itself."""

    family: ClassVar[str] = "xray"
    event: ClassVar[str] = "quality"

    verdict: Literal["ok", "drifting", "outside", "unknown"] = Field(description="The worst of the figures")
    fixture: str = Field(description="Against what it was measured", examples=["simulated test piece"])
    measured: datetime
    figures: list[Figure]
    report: Sha256 | None = Field(default=None, description="Hash of the report with pictures, kept at the post")


class Assessed(_Part):
    """One object of somebody else's report, in the words of DICOS."""

    category: str = Field(examples=["CONTRABAND", "ANOMALY"])
    flag: str = Field(examples=["THREAT", "NO THREAT", "UNKNOWN"])
    ability: str = Field(default="", examples=["SHIELD", "NO INTERFERENCE"])
    probability: Fraction | None = None
    box: Box | None = None
    mass_g: NotNegative | None = None


class XrayReport(EventData):
    """Another machine or an operator has reported on a scan (DICOS threat detection report)."""

    family: ClassVar[str] = "xray"
    event: ClassVar[str] = "report"

    made_by: str = Field(description="In DICOS's words", examples=["machine", "operator", "ground truth"])
    alarm: bool | None = Field(description="Null: undecided")
    algorithm: str = Field(default="")
    images: list[str] = Field(description="SOP Instance UIDs of the images that it is about")
    assessed: list[Assessed]
    aborted: bool = False
    remarks: list[str] = Field(default=[])
