"""What is odd about the holder's data, beyond what the zone itself can prove wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from edge_agent.processing.mrz.formats import Format
from edge_agent.processing.mrz.result import Fields, Finding
from edge_agent.processing.mrz.states import STATES

NEWBORN_TO_BE: Final = timedelta(days=2 * 365)
"""A year of birth has two digits: 27 read in 2026 is 1927 or 2027. Whoever would be 98 or older is worth a look."""


def findings(fmt: Format, fields: Fields, today: date) -> tuple[Finding, ...]:
    """The findings on these fields as of ``today``."""
    return tuple(_findings(fmt, fields, today))


def _findings(fmt: Format, fields: Fields, today: date) -> Iterator[Finding]:
    expires = fields.expiry_date and fields.expiry_date.latest()
    if expires and expires < today:
        yield Finding.EXPIRED
    issued = fields.issue_date and fields.issue_date.earliest()
    if issued and issued > today:
        yield Finding.NOT_YET_VALID
    born = fields.birth_date and fields.birth_date.earliest()
    if born and (born > today or today < _a_century_on(born) <= min(today + NEWBORN_TO_BE, expires or date.max)):
        yield Finding.BIRTH_IN_FUTURE
    if fields.issuing_state is not None and fields.issuing_state not in STATES:
        yield Finding.ISSUING_STATE_UNKNOWN
    if fields.nationality is not None and fields.nationality not in STATES:
        yield Finding.NATIONALITY_UNKNOWN
    if fields.document_code and fields.document_code[0] not in fmt.initials:
        yield Finding.DOCUMENT_CODE_UNUSUAL
    if fields.document_number == "":
        yield Finding.DOCUMENT_NUMBER_EMPTY
    if fields.surname == "":
        yield Finding.SURNAME_EMPTY


def _a_century_on(day: date) -> date:
    # 29 February 1900 + 100 years is real, 2000 + 100 is not.
    return day.replace(year=day.year + 100, day=min(day.day, 28))
