"""GS1 element strings: application identifiers and what follows them.

Source: GS1 General Specifications, release 24, section 3.2 (the identifiers), 7.8 (element strings and FNC1), 7.9
(check digits). An identifier that is not in the table ends the reading: where its data ends cannot be known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

FNC1: Final = "\x1d"

_N, _X, _DATE = "0-9", "!-z", "date"
# identifier: (title, characters, least, most, whether the last digit is a check digit over all)
_TABLE: Final[dict[str, tuple[str, str, int, int, bool]]] = {
    "00": ("SSCC", _N, 18, 18, True),
    "01": ("GTIN", _N, 14, 14, True),
    "02": ("CONTENT", _N, 14, 14, True),
    "10": ("BATCH/LOT", _X, 1, 20, False),
    "11": ("PROD DATE", _DATE, 6, 6, False),
    "12": ("DUE DATE", _DATE, 6, 6, False),
    "13": ("PACK DATE", _DATE, 6, 6, False),
    "15": ("BEST BEFORE", _DATE, 6, 6, False),
    "16": ("SELL BY", _DATE, 6, 6, False),
    "17": ("USE BY OR EXPIRY", _DATE, 6, 6, False),
    "20": ("VARIANT", _N, 2, 2, False),
    "21": ("SERIAL", _X, 1, 20, False),
    "22": ("CPV", _X, 1, 20, False),
    "235": ("TPX", _X, 1, 28, False),
    "240": ("ADDITIONAL ID", _X, 1, 30, False),
    "241": ("CUST. PART No.", _X, 1, 30, False),
    "242": ("MTO VARIANT", _N, 1, 6, False),
    "243": ("PCN", _X, 1, 20, False),
    "250": ("SECONDARY SERIAL", _X, 1, 30, False),
    "251": ("REF. TO SOURCE", _X, 1, 30, False),
    "253": ("GDTI", _X, 13, 30, False),
    "254": ("GLN EXTENSION COMPONENT", _X, 1, 20, False),
    "255": ("GCN", _N, 13, 25, False),
    "30": ("VAR. COUNT", _N, 1, 8, False),
    "37": ("COUNT", _N, 1, 8, False),
    "400": ("ORDER NUMBER", _X, 1, 30, False),
    "401": ("GINC", _X, 1, 30, False),
    "402": ("GSIN", _N, 17, 17, True),
    "403": ("ROUTE", _X, 1, 30, False),
    **{f"41{n}": (title, _N, 13, 13, True) for n, title in enumerate(
        ("SHIP TO LOC", "BILL TO", "PURCHASE FROM", "SHIP FOR LOC", "LOC No.", "PAY TO", "PROD/SERV LOC", "PARTY")
    )},
    "420": ("SHIP TO POST", _X, 1, 20, False),
    "421": ("SHIP TO POST", _X, 4, 12, False),
    "422": ("ORIGIN", _N, 3, 3, False),
    "423": ("COUNTRY - INITIAL PROCESS", _N, 3, 15, False),
    "424": ("COUNTRY - PROCESS", _N, 3, 3, False),
    "426": ("COUNTRY - FULL PROCESS", _N, 3, 3, False),
    "710": ("NHRN PZN", _X, 1, 20, False),
    "711": ("NHRN CIP", _X, 1, 20, False),
    "712": ("NHRN CN", _X, 1, 20, False),
    "713": ("NHRN DRN", _X, 1, 20, False),
    "714": ("NHRN AIM", _X, 1, 20, False),
    "7003": ("EXPIRY TIME", _N, 10, 10, False),
    "8002": ("CMT No.", _X, 1, 20, False),
    "8003": ("GRAI", _X, 14, 30, False),
    "8004": ("GIAI", _X, 1, 30, False),
    "8006": ("ITIP", _N, 18, 18, False),
    "8008": ("PROD TIME", _N, 8, 12, False),
    "8020": ("REF No.", _X, 1, 25, False),
    "8200": ("PRODUCT URL", _X, 1, 70, False),
    "90": ("INTERNAL", _X, 1, 30, False),
    **{f"9{n}": ("INTERNAL", _X, 1, 90, False) for n in range(1, 10)},
}  # fmt: skip
_MEASURES: Final = {
    **{str(310 + n): title for n, title in enumerate(
        ("NET WEIGHT (kg)", "LENGTH (m)", "WIDTH (m)", "HEIGHT (m)", "AREA (m2)", "NET VOLUME (l)", "NET VOLUME (m3)")
    )},
    "320": "NET WEIGHT (lb)",
    **{str(330 + n): title for n, title in enumerate(
        ("GROSS WEIGHT (kg)", "LENGTH (m), log", "WIDTH (m), log", "HEIGHT (m), log", "AREA (m2), log",
         "VOLUME (l), log", "VOLUME (m3), log")
    )},
    "340": "GROSS WEIGHT (lb)",
}  # fmt: skip
"""Four digits, of which the last says how many decimals the six digits of data have."""
_CHARACTERS: Final = {_N: re.compile("[0-9]*"), _DATE: re.compile("[0-9]*"), _X: re.compile('[!-"%-?A-Z_a-z]*')}


@dataclass(frozen=True, slots=True)
class Element:
    """One element string.

    Attributes:
        ai: application identifier.
        title: data title of the General Specifications.
        value: the data as it stands in the symbol.
        meaning: a date as ISO 8601 (2027-03 if it has no day), a measure with its decimals; else empty.
        valid: false if a check digit or a date is wrong, or the data has characters or a length that it may not have.
    """

    ai: str
    title: str
    value: str
    meaning: str
    valid: bool


def parse(text: str, *, year: int) -> tuple[Element, ...]:
    """The element strings in the contents of a symbol.

    Args:
        text: contents with FNC1 as the character GS (29).
        year: the present one, to which two digits of a year belong (section 7.12).

    Returns:
        Nothing at all if at some point no identifier of the table follows: half a reading would be a guess.
    """
    elements: list[Element] = []
    rest = text.lstrip(FNC1)
    while rest:
        found = _measure(rest) or _plain(rest, year)
        if found is None:
            return ()
        element, rest = found
        elements.append(element)
        rest = rest.lstrip(FNC1)
    return tuple(elements)


def _measure(rest: str) -> tuple[Element, str] | None:
    title, decimals = _MEASURES.get(rest[:3]), rest[3:4]
    if title is None or decimals not in set("012345"):
        return None
    value = rest[4:10]
    whole = re.fullmatch("[0-9]{6}", value) is not None
    meaning = f"{int(value) / 10 ** int(decimals):.{decimals}f}" if whole else ""
    return Element(rest[:4], title, value, meaning, whole), rest[10:]


def _plain(rest: str, year: int) -> tuple[Element, str] | None:
    ai = next((rest[:length] for length in (2, 3, 4) if rest[:length] in _TABLE), None)
    if ai is None:
        return None
    title, characters, least, most, checked = _TABLE[ai]
    data = rest[len(ai) :].split(FNC1, 1)[0]
    value = data[:most] if least == most else data  # where a fixed length ends, FNC1 may be missing
    meaning = _date(value, year) if characters == _DATE else ""
    valid = (
        least <= len(value) <= most
        and _CHARACTERS[characters].fullmatch(value) is not None
        and (characters != _DATE or meaning != "")
        and (not checked or check_digit(value[:-1]) == int(value[-1]))
    )
    return Element(ai, title, value, meaning, valid), rest[len(ai) + len(value) :]


def _date(value: str, year: int) -> str:
    """YYMMDD, where day 00 is no day; years are those from 49 before to 50 after the present one (section 7.12)."""
    if re.fullmatch("[0-9]{6}", value) is None:
        return ""
    century = year - year % 100
    whole = century + int(value[:2])
    whole += -100 if whole - year >= 51 else 100 if whole - year <= -50 else 0
    try:
        day = date(whole, int(value[2:4]), int(value[4:]) or 1)
    except ValueError:
        return ""
    return day.isoformat() if value[4:] != "00" else f"{day:%Y-%m}"


def check_digit(digits: str) -> int:
    """The check digit of GTIN, SSCC, GLN and their like (section 7.9.1): weights 3 and 1 from the right, modulo 10."""
    weighted = (int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -sum(weighted) % 10
