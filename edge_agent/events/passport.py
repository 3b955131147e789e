"""Events of document readers: what a machine readable zone says, and how far that can be believed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from edge_agent.events.envelope import EventData
from edge_agent.events.evidence import Sha256

Check = Literal["passed", "failed", "not_applicable"]
Probability = Annotated[float, Field(ge=0, le=1)]


class Verdict(StrEnum):
    """What an officer may do with a reading."""

    VALID = "valid"
    DOUBTFUL = "doubtful"
    UNREADABLE = "unreadable"


class Source(StrEnum):
    """What kind of device saw the document."""

    PAGE = "page"
    SWIPE = "swipe"
    CAMERA = "camera"


class PassportFields(BaseModel):
    """The fields of a machine readable zone. Null: the format has no such field. Empty: the document left it blank."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document_code: str | None = Field(default=None, examples=["P"])
    issuing_state: str | None = Field(default=None, description="Code as printed", examples=["UTO", "D"])
    issuing_state_name: str | None = Field(default=None, description="In English; null if the code is unknown")
    surname: str | None = Field(default=None, description="Primary identifier", examples=["ERIKSSON"])
    given_names: str | None = Field(default=None, description="Secondary identifier", examples=["ANNA MARIA"])
    names_truncated: bool | None = Field(
        default=None, description="True where the names fill the zone to its end, so that something may be missing"
    )
    document_number: str | None = Field(
        default=None, description="Whole, also where it continues in the optional data", examples=["L898902C3"]
    )
    nationality: str | None = Field(default=None, description="Code as printed", examples=["UTO", "XXB"])
    nationality_name: str | None = Field(default=None, description="In English; null if the code is unknown")
    birth_date: str | None = Field(
        default=None,
        description="ISO 8601 as far as it is known: 1974-08-12, 1974-08, 1974, or empty; null if it is no date",
    )
    sex: Literal["M", "F", "X", ""] | None = Field(
        default=None, description="Empty: unspecified; null: none in this format, or no such letter"
    )
    expiry_date: str | None = Field(default=None, description="Like birth_date")
    issue_date: str | None = Field(default=None, description="Like birth_date; only on old French identity cards")
    personal_number: str | None = Field(default=None, description="Personal number or other optional data of a TD3")
    optional_data: str | None = Field(default=None, description="What the issuing state put there, < as printed")
    optional_data_2: str | None = Field(default=None, description="Second optional data, only in TD1")
    issuing_office: str | None = Field(default=None, description="Only on old French identity cards")


class Correction(BaseModel):
    """A position at which the reader decided against what the picture looked like."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    line: int = Field(ge=1)
    column: int = Field(ge=1)
    seen: str = Field(min_length=1, max_length=1)
    decided: str = Field(min_length=1, max_length=1)


class Disagreement(BaseModel):
    """A position at which devices that saw the same document read different characters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    line: int = Field(ge=1)
    column: int = Field(ge=1)
    values: list[str] = Field(min_length=2, description="One for each of `sources`, in the same order")


class PassportRead(EventData):
    """A document was presented, and this is what its machine readable zone says."""

    family: ClassVar[str] = "passport"
    event: ClassVar[str] = "read"
    classification: ClassVar[str] = "personal"

    verdict: Verdict = Field(
        description="valid: every check holds and the reader is sure; doubtful: read, but look at `problem`; "
        "unreadable: no machine readable zone was made out"
    )
    valid: bool = Field(description="The same in short: whether the verdict is valid")
    source: Source = Field(description="What the fields are taken from")
    sources: list[Source] = Field(
        default=[], description="Where a document was seen more than once: all that saw it, `source` first; else empty"
    )
    disagreements: list[Disagreement] = Field(
        default=[], description="Where these read different characters; lines and columns count from 1"
    )
    format: str | None = Field(description="Null if unreadable", examples=["TD1", "TD2", "TD3", "MRV-A", "MRV-B"])
    lines: list[str] = Field(description="The lines of the zone as read, without blanks")
    fields: PassportFields
    checks: dict[str, Check] = Field(
        description="Check digits by what they cover (document_number, birth_date, expiry_date, personal_number, "
        "composite); characters: each is of the kind that belongs in its place; dates: each is in the calendar "
        "or properly unknown"
    )
    findings: list[str] = Field(
        default=[],
        description="What an officer should look at, although it does not make the reading wrong",
        examples=[["expired", "nationality_unknown"]],
    )
    problem: str = Field(default="", description="Why the verdict is not valid, in an officer's words")
    confidence: Probability | None = Field(
        default=None, description="Probability that every character is right; null if the device does not say"
    )
    corrections: list[Correction] = Field(default=[], description="Lines and columns count from 1")
    engine: str = Field(description="What read the text, with its version", examples=["edge-agent 0.1.0"])
    milliseconds: float = Field(ge=0, description="From the device's data to this event")


class PassportCompared(EventData):
    """A second engine has read the same picture of a page; it comes after the event of the first, and apart from it."""

    family: ClassVar[str] = "passport"
    event: ClassVar[str] = "compared"
    classification: ClassVar[str] = "personal"

    page: Sha256 = Field(description="Hash of the picture, as in the evidence of the event of the first reading")
    engine: str = Field(description="The second engine, with its version", examples=["PassportEye 2.2.2"])
    verdict: Literal["agrees", "disagrees", "unread"] = Field(description="unread: the second engine found no zone")
    findings: list[str] = Field(default=[], examples=[["second_opinion_disagrees"]])
    lines: list[str] = Field(description="The lines as the second engine read them")
    disagreements: list[Disagreement] = Field(
        default=[], description="Where they differ: first what the first engine read; empty for a missing character"
    )
