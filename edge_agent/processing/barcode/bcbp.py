"""Bar coded boarding passes.

Source: IATA Resolution 792 and the BCBP implementation guide, version 8: format M, mandatory items. What the
conditional items hold is skipped by its stated length; of the mandatory ones nothing has a check digit, so each must
look as the resolution says, or the text is taken for something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_HEAD: Final = re.compile(r"M([1-9])(.{20})([E ])")
_LEG: Final = re.compile(
    r"([A-Z0-9 ]{7})([A-Z]{3})([A-Z]{3})([A-Z0-9]{2}[A-Z0-9 ])([0-9]{4}[A-Z ]| {5})([0-9]{3}| {3})([A-Z ])"
    r"([0-9]{3}[A-Z]|[A-Z0-9 ]{4})([0-9]{4}[A-Z0-9 ]|[A-Z0-9 ]{5})([A-Z0-9 ])([0-9A-F]{2})"
)


@dataclass(frozen=True, slots=True)
class Leg:
    """One flight. ``day`` is that of the year, 1 to 366, since no year is given; None if left open."""

    booking: str
    origin: str
    destination: str
    carrier: str
    flight: str
    day: int | None
    cabin: str
    seat: str
    sequence: str


@dataclass(frozen=True, slots=True)
class BoardingPass:
    """A boarding pass: the name as printed, surname first, at most 20 characters of it."""

    surname: str
    given_names: str
    electronic_ticket: bool
    legs: tuple[Leg, ...]


def parse(text: str) -> BoardingPass | None:
    """The boarding pass that a text is; None if it is none, or not a whole one."""
    head = _HEAD.match(text)
    if head is None:
        return None
    legs: list[Leg] = []
    position = head.end()
    for _ in range(int(head[1])):
        match = _LEG.match(text, position)
        if match is None:
            return None
        leg = _leg(match)
        position = match.end() + int(match[11], 16)
        if leg is None or position > len(text):
            return None
        legs.append(leg)
    surname, _, given = head[2].strip().partition("/")
    return BoardingPass(surname.strip(), given.strip(), head[3] == "E", tuple(legs))


def _leg(match: re.Match[str]) -> Leg | None:
    booking, origin, destination, carrier, flight, day, cabin, seat, sequence, *_ = (
        group.strip() for group in match.groups()
    )
    if day and not 1 <= int(day) <= 366:
        return None
    return Leg(
        booking=booking,
        origin=origin,
        destination=destination,
        carrier=carrier,
        flight=flight.lstrip("0"),
        day=int(day) if day else None,
        cabin=cabin,
        seat=seat.lstrip("0"),
        sequence=sequence.lstrip("0"),
    )
