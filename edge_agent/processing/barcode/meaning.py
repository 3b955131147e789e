"""What the contents of a bar code mean, where a public standard says how they are to be read.

Nothing is looked up and no address is opened: a link, a GS1 Digital Link among them, stays text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edge_agent.processing import iso6346
from edge_agent.processing.barcode import bcbp, gs1
from edge_agent.processing.barcode.symbols import Symbol

_CONTAINER: Final = re.compile(r"(?<![A-Z0-9])([A-Z]{3}[UJZ])[ -]?([0-9]{6})[ -]?([0-9])(?![A-Z0-9])")
_LINK: Final = re.compile(r"[a-z][a-z0-9+.-]*:(//)?[^\s]+", re.IGNORECASE)
_BY_NUMBER: Final = {"EAN-13": 13, "EAN-8": 8, "ITF-14": 14, "DataBar": 14, "DataBar Limited": 14}
MOST: Final = 20
"""Container numbers and element strings that are told of one symbol."""


class Standard(StrEnum):
    """What a text was understood by."""

    GS1 = "GS1"
    ISO_6346 = "ISO 6346"
    BCBP = "IATA BCBP"
    LINK = "link"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What was understood. ``containers`` are numbers whose check digit holds, ``doubtful`` those where it fails."""

    standard: Standard
    elements: tuple[gs1.Element, ...] = ()
    containers: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    boarding_pass: bcbp.BoardingPass | None = None


def understand(symbol: Symbol, *, year: int) -> Meaning:
    """What a symbol's contents mean.

    Args:
        symbol: as read.
        year: the present one, for dates that have only two digits of it.
    """
    text = symbol.text
    if text is None:
        return Meaning(Standard.NONE)
    if symbol.format in _BY_NUMBER and len(text) == _BY_NUMBER[symbol.format] and text.isdigit():
        return Meaning(Standard.GS1, gs1.parse("01" + text.zfill(14), year=year))
    if symbol.gs1:
        elements = gs1.parse(text, year=year)[:MOST]
        return Meaning(Standard.GS1 if elements else Standard.NONE, elements)
    boarding_pass = bcbp.parse(text)
    if boarding_pass is not None:
        return Meaning(Standard.BCBP, boarding_pass=boarding_pass)
    numbers = list(dict.fromkeys("".join(found) for found in _CONTAINER.findall(text.upper())))[:MOST]
    if numbers:
        good = tuple(number for number in numbers if iso6346.is_valid(number))
        bad = tuple(number for number in numbers if number not in good)
        return Meaning(Standard.ISO_6346 if good else Standard.NONE, containers=good, doubtful=bad)
    return Meaning(Standard.LINK if _LINK.fullmatch(text.strip()) else Standard.NONE)
