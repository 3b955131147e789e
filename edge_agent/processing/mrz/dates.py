"""Dates of the machine readable zone: YYMMDD, parts of them possibly unknown (ICAO Doc 9303 part 3, section 4.8)."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from edge_agent.processing.mrz.check_digits import DIGITS, FILLER

_LEAP = 2000
"""Stands in for an unknown year: then 29 February may be right."""


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date of which any part may be unknown."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    def __str__(self) -> str:
        """ISO 8601 as far as the date is known: 1974-08-12, 1974-08, 1974; with X (ISO 8601-2) for an inner gap."""
        parts = (
            "XXXX" if self.year is None else f"{self.year:04d}",
            "XX" if self.month is None else f"{self.month:02d}",
            "XX" if self.day is None else f"{self.day:02d}",
        )
        text = "-".join(parts)
        return text.removesuffix("-XX").removesuffix("-XX").removesuffix("XXXX")

    @property
    def yymmdd(self) -> str:
        """As the zone has it, with fillers for what is unknown."""
        parts = (None if self.year is None else self.year % 100, self.month, self.day)
        return "".join(FILLER * 2 if part is None else f"{part:02d}" for part in parts)

    def earliest(self) -> date | None:
        """The first day that this date may mean; None if the year is unknown."""
        return None if self.year is None else date(self.year, self.month or 1, self.day or 1)

    def latest(self) -> date | None:
        """The last day that this date may mean; None if the year is unknown."""
        if self.year is None:
            return None
        month = self.month or 12
        return date(self.year, month, self.day or monthrange(self.year, month)[1])


def expiry_date(text: str, today: date) -> PartialDate | None:
    """The date of expiry from YYMMDD, within 50 years of ``today``; None if it is no date."""
    parts = _parts(text)
    if parts is None:
        return None
    year, month, day = parts
    if year is not None:
        year = max(y for y in _years(year, today) if y <= today.year + 50)
    return _real(year, month, day)


def birth_date(text: str, expiry: PartialDate | None, today: date) -> PartialDate | None:
    """The date of birth from YYMMDD: the latest that is neither after ``today`` nor after the expiry; None if no date.

    A document that expired in 2012 cannot belong to somebody born in 2015: then 15 means 1915.
    """
    parts = _parts(text)
    if parts is None:
        return None
    year, month, day = parts
    if year is None:
        return _real(year, month, day)
    last = min(today, (expiry and expiry.latest()) or today)
    dates = [_real(y, month, day) for y in _years(year, today)]
    return max(
        (d for d in dates if d is not None and (d.earliest() or last) <= last),
        key=lambda d: d.year or 0,
        default=None,
    )


def issue_date(text: str, today: date) -> PartialDate | None:
    """The month of issue from YYMM: the one nearest to ``today``; None if it is no month."""
    parts = _parts(f"{text}<<")
    if parts is None or parts[0] is None:
        return None
    return _real(min(_years(parts[0], today), key=lambda y: abs(y - today.year)), parts[1], None)


def _parts(text: str) -> tuple[int | None, int | None, int | None] | None:
    """Year (two digits), month and day; None if a part is neither two digits nor two fillers."""
    if len(text) != 6:
        return None
    parts: list[int | None] = []
    for part in (text[0:2], text[2:4], text[4:6]):
        if part == FILLER * 2:
            parts.append(None)
        elif all(character in DIGITS for character in part):
            parts.append(int(part))
        else:
            return None
    return parts[0], parts[1], parts[2]


def _years(yy: int, today: date) -> list[int]:
    century = today.year // 100 * 100
    return [century + offset + yy for offset in (-200, -100, 0, 100)]


def _real(year: int | None, month: int | None, day: int | None) -> PartialDate | None:
    """The date, if the calendar has it."""
    if month is not None and not 1 <= month <= 12:
        return None
    longest = 31 if month is None else monthrange(year or _LEAP, month)[1]
    if day is not None and not 1 <= day <= longest:
        return None
    return PartialDate(year, month, day)
