"""Events of the search tools of a post, and the record of a search that ties them together.

No tool here identifies a substance: a density is a reading on a device's own scale, and a record says how what was
found was identified, presumptively if nothing else is stated.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from edge_agent.events.envelope import EventData
from edge_agent.events.evidence import Sha256

FAMILY = "inspection"
Text = Annotated[str, Field(max_length=200)]
Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Country = Annotated[str, Field(pattern="^([A-Z]{2,3})?$")]
_NOMINAL: dict[str, Any] = {"x-nominal": True}


class Part(BaseModel):
    """A part of an event."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Weighed(EventData):
    """A load was put on the scale and has come to rest; one event for each load."""

    family: ClassVar[str] = FAMILY
    event: ClassVar[str] = "weight"

    value: float = Field(allow_inf_nan=False, description="In `unit`")
    unit: Literal["kg", "g", "mg", "t", "lb", "oz"]
    shown: str = Field(description="The digits as the scale sent them, with all its decimals", examples=["4.876"])
    kilograms: float = Field(allow_inf_nan=False, description="The same, converted")
    net: bool | None = Field(description="True: a tare is subtracted; null: the scale does not say")
    frame: str = Field(description="What the scale sent, as text; bytes that are none as \\xNN")
    protocol: str = Field(examples=["and", "toledo-8217", "sics"])


class DensityRead(EventData):
    """A density meter was held against something, and this is what it showed."""

    family: ClassVar[str] = FAMILY
    event: ClassVar[str] = "density"

    value: float = Field(allow_inf_nan=False, description="As shown")
    unit: str = Field(
        max_length=20, description="Unit as configured or typed; most meters count on a scale of their own"
    )
    source: Literal["typed", "serial"]
    expected: float | None = Field(
        default=None, allow_inf_nan=False, description="What the same place of a sound vehicle shows, in the same unit"
    )
    place: Text = Field(default="", description="Where it was held", examples=["rear left tyre"])
    material: Text = Field(default="", description="What is in between", examples=["steel, 1 mm"])
    frame: str | None = Field(default=None, description="What the meter sent, where it is connected")


class EndoscopeMedia(EventData):
    """A picture or video of an endoscope. Its file stays where `stored` says."""

    family: ClassVar[str] = FAMILY
    event: ClassVar[str] = "endoscope"

    medium: Literal["picture", "video"]
    media_type: str = Field(examples=["image/jpeg", "video/x-msvideo"])
    sha256: Sha256
    size: int = Field(ge=0, description="In bytes")
    width: int | None = Field(default=None, ge=1, description="Pixels; null if it could not be found out")
    height: int | None = Field(default=None, ge=1)
    seconds: float | None = Field(default=None, ge=0, description="Length of a video")
    captured: datetime | None = Field(description="When, in UTC, with the clock's error taken off; null if not known")
    captured_from: Literal["exif", "container", "file", "unknown"] = Field(
        description="Where the time is from: EXIF of a picture, the container of a video, or the time of the file"
    )
    device_time: str | None = Field(description="The time as the device wrote it, uncorrected")
    clock_offset_seconds: float = Field(description="How far the device's clock is ahead, as configured")
    file_time: datetime = Field(description="Time of the file, uncorrected")


class Element(Part):
    """A GS1 element string."""

    ai: str = Field(description="Application identifier", examples=["01"])
    title: str = Field(examples=["GTIN"])
    value: str
    meaning: str = Field(default="", description="A date as ISO 8601, or a measure with its decimals")
    valid: bool = Field(description="Whether check digit, date, characters and length are right")


class Flight(Part):
    """One leg of a boarding pass."""

    booking: str
    origin: str = Field(description="IATA code of the airport")
    destination: str
    carrier: str
    flight: str
    day: int | None = Field(description="Day of the year; a boarding pass gives no year")
    cabin: str
    seat: str
    sequence: str


class BoardingPass(Part):
    """A boarding pass (IATA Resolution 792)."""

    surname: str
    given_names: str = Field(description="As far as they fit into 20 characters with the surname")
    electronic_ticket: bool
    legs: list[Flight]


class Point(Part):
    """A place in a picture, in pixels."""

    x: float
    y: float


class BarcodeRead(EventData):
    """A bar code was read. Its contents are text: no link in them was opened, nothing was looked up."""

    family: ClassVar[str] = FAMILY
    event: ClassVar[str] = "barcode"
    classification: ClassVar[str] = "personal"

    format: str = Field(description="Symbology; empty if a scanner does not say", examples=["QR Code", "Code 128"])
    identifier: str = Field(default="", description="AIM symbology identifier (ISO/IEC 15424)", examples=["]C1"])
    text: str | None = Field(description="The contents; null if they are no text. FNC1 is the character GS (29)")
    base64: str | None = Field(default=None, description="The contents as bytes, where they are no text")
    standard: Literal["GS1", "ISO 6346", "IATA BCBP", "link", ""] = Field(
        description="What the contents were understood by; empty: by nothing"
    )
    elements: list[Element] = Field(default=[], description="GS1 element strings")
    containers: list[str] = Field(default=[], description="Container numbers whose check digit holds (ISO 6346)")
    doubtful_containers: list[str] = Field(default=[], description="... and those whose check digit fails")
    boarding_pass: BoardingPass | None = None
    source: Literal["picture", "camera", "scanner"]
    corners: list[Point] = Field(default=[], description="Around the symbol in the picture")
    engines: list[str] = Field(default=[], description="Which engines read it so", examples=[["zbar", "zxing-cpp"]])
    picture: Sha256 | None = Field(default=None, description="Hash of the picture; the same for all codes in it")
    number: int = Field(default=1, ge=1, description="Which of the codes in the picture")
    of: int = Field(default=1, ge=1, description="How many were read in the picture")
    damaged: int = Field(default=0, ge=0, description="How many more were seen in it whose checks fail")


class Outcome(StrEnum):
    """How a search ended."""

    NOTHING = "nothing_found"
    SEIZURE = "seizure"
    SUSPICION = "suspicion"
    REFERRED = "referred"
    ABANDONED = "abandoned"


Quantity = Literal["kg", "g", "L", "mL", "tablets", "packs", "plants", "pieces"]
Method = Literal["visual", "scan", "dog", "density", "endoscope", "drilling", "dismantling", "drug_test", "other"]
Role = Literal["vehicle", "document", "scan", "test", "weight", "density", "endoscope", "barcode", "camera", "other"]


class Link(Part):
    """An event that belongs to the search."""

    event: UUID = Field(description="The id of the event")
    role: Role
    type: str = Field(default="", description="The type of the event", examples=["org.blo.edge.xray.scan.v1"])


class Seizure(Part):
    """Goods that were found."""

    goods: Text = Field(description="What it is taken for, in the officer's words", examples=["heroin"])
    identified: Literal["presumptive", "laboratory", "declared", "not_identified"] = Field(
        default="presumptive", description="presumptive: by a field test, an instrument or the eye; no laboratory yet"
    )
    quantity: Positive | None = None
    unit: Quantity | None = Field(default=None, description="Of `quantity`")
    packages: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, description="How many packages it was in"
    )
    form: Text = Field(default="", examples=["powder", "resin", "tablets", "liquid"])
    place: Text = Field(default="", description="Where it was hidden", examples=["fuel tank"])
    concealment: Text = Field(default="", description="How it was hidden", examples=["welded steel box"])
    weight: UUID | None = Field(default=None, description="The id of the event of its weighing")


class Person(Part):
    """Somebody whom the search concerns."""

    name: Text = Field(default="", json_schema_extra=_NOMINAL)
    role: Text = Field(default="", examples=["driver"])
    nationality: Country = ""
    document: UUID | None = Field(
        default=None, description="The id of the event of the travel document", json_schema_extra=_NOMINAL
    )


class SearchRecord(EventData):
    """What an officer recorded of one search, with the events that belong to it; all is optional but the outcome.

    Fields marked ``x-nominal`` in the schema name a person or a thing that belongs to one, and fall away where only
    statistics are due.
    """

    family: ClassVar[str] = FAMILY
    event: ClassVar[str] = "record"
    classification: ClassVar[str] = "personal"

    search: UUID = Field(description="Names this record: a later one that corrects it says so in `corrects`")
    corrects: UUID | None = Field(default=None, description="The record that this one takes the place of")
    outcome: Outcome
    began: datetime | None = None
    ended: datetime | None = None
    reason: Literal["routine", "risk_profile", "information", "dog", "scan", "behaviour", "other", ""] = ""
    methods: list[Method] = Field(default=[], description="What was used")
    transport: Literal["road", "rail", "foot", "air", "water", "mail", "other", ""] = ""
    direction: Literal["entry", "exit", "transit", ""] = ""
    vehicle: Text = Field(default="", description="Registration", json_schema_extra=_NOMINAL)
    vehicle_country: Country = ""
    container: Annotated[str, Field(pattern="^([A-Z]{4}[0-9]{7})?$")] = Field(
        default="", description="Number of the container (ISO 6346), with a check digit that holds"
    )
    departure: Country = ""
    destination: Country = ""
    seizures: list[Seizure] = Field(default=[], description="What was found")
    persons: list[Person] = Field(default=[], description="Who was searched, or travelled along")
    events: list[Link] = Field(default=[], description="The events of the search")
    nominal: bool = Field(description="Whether it names a person or a vehicle")
    officer: Text = Field(default="", description="Who records it", json_schema_extra=_NOMINAL)
    note: Annotated[str, Field(max_length=4000)] = Field(default="", json_schema_extra=_NOMINAL)


def without_persons(record: SearchRecord) -> dict[str, Any]:
    """The record as it may go into non-nominal statistics (UNODC, WCO CEN): every field marked ``x-nominal`` left out.

    The travel documents among the linked events fall away too, and with them everything that leads to a person.
    """
    projected = _projected(record)
    projected["events"] = [link for link in projected["events"] if link["role"] != "document"]
    projected["nominal"] = False
    return projected


def _projected(model: BaseModel) -> dict[str, Any]:
    values = model.model_dump(mode="json")
    kept: dict[str, Any] = {}
    for name, field in type(model).model_fields.items():
        if field.json_schema_extra == _NOMINAL:
            continue
        value = getattr(model, name)
        is_list = isinstance(value, list) and value and isinstance(value[0], BaseModel)
        kept[name] = [_projected(each) for each in value] if is_list else values[name]
    return kept
