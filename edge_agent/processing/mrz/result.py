"""What a machine readable zone says, and how far that can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from edge_agent.processing.mrz.dates import PartialDate
from edge_agent.processing.mrz.formats import FormatName


class Outcome(StrEnum):
    """How a check ended. Not applicable: there is nothing in the document that could be checked."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"


class Finding(StrEnum):
    """What an officer should look at, although the zone may well be read right."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    BIRTH_IN_FUTURE = "birth_in_future"
    ISSUING_STATE_UNKNOWN = "issuing_state_unknown"
    NATIONALITY_UNKNOWN = "nationality_unknown"
    DOCUMENT_CODE_UNUSUAL = "document_code_unusual"
    DOCUMENT_NUMBER_EMPTY = "document_number_empty"
    SURNAME_EMPTY = "surname_empty"


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a zone. None: the format has no such field; empty: it holds nothing but fillers."""

    document_code: str | None = None
    issuing_state: str | None = None
    surname: str | None = None
    given_names: str | None = None
    names_truncated: bool | None = None
    """Whether the names fill their field to its last position, so that something may be missing."""
    document_number: str | None = None
    nationality: str | None = None
    birth_date: PartialDate | None = None
    """None also where the zone has something that is no date: then the check ``dates`` failed."""
    sex: str | None = None
    """M, F, X, or empty for unspecified."""
    expiry_date: PartialDate | None = None
    issue_date: PartialDate | None = None
    personal_number: str | None = None
    optional_data: str | None = None
    optional_data_2: str | None = None
    issuing_office: str | None = None


@dataclass(frozen=True, slots=True)
class Mrz:
    """A machine readable zone."""

    format: FormatName | None
    lines: tuple[str, ...]
    fields: Fields = field(default_factory=Fields)
    checks: Mapping[str, Outcome] = field(default_factory=dict)
    """Each check digit by the name of what it covers; ``characters``: every character is of the kind that belongs in
    its place; ``dates``: every date is in the calendar or properly unknown."""
    findings: tuple[Finding, ...] = ()
    problem: str = ""
    """What is wrong and where, for people, lines and characters counted from 1; empty if nothing is."""

    @property
    def valid(self) -> bool:
        """Whether the format is known and no check failed. Findings do not matter here."""
        return self.format is not None and Outcome.FAILED not in self.checks.values()
