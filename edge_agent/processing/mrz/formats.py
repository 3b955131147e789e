"""The formats of machine readable zones as tables: which field and which check digit stands where.

The parser, the composer and the recognizer all read these tables. Lines and columns count from 0 here; what a person
reads counts from 1. Sources: ICAO Doc 9303, 8th edition: part 4 (TD3), part 5 (TD1), part 6 (TD2), part 7 (MRV-A,
MRV-B); the French identity card of 1988 to 2021 by the description that its readers agree on; European driving
licences by ISO/IEC 18013-3 and Regulation (EU) 383/2012; the French one, which differs, and the Swiss one by specimens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Final

from edge_agent.processing.mrz.check_digits import ALPHABET, DIGITS, FILLER, LETTERS, check_digit


class FormatName(StrEnum):
    """The formats that are recognized."""

    TD1 = "TD1"
    TD2 = "TD2"
    TD3 = "TD3"
    MRV_A = "MRV-A"
    MRV_B = "MRV-B"
    FRENCH_ID = "FRENCH-ID"
    EU_DRIVING_LICENCE = "EU-DL"
    FRENCH_DRIVING_LICENCE = "FRENCH-DL"
    SWISS_DRIVING_LICENCE = "SWISS-DL"


CLASSES: Final = {
    "A": LETTERS,
    "a": LETTERS + FILLER,
    "9": DIGITS,
    "d": DIGITS + FILLER,
    "n": DIGITS + LETTERS,
    "x": ALPHABET,
    "s": "FMX" + FILLER,
    "<": FILLER,
    "V": "V",
    "D": "D",
}
"""The letters of a mask, each with the characters it allows."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field on one line; ``mask`` has one letter of ``CLASSES`` per position. Fields may overlap: both masks hold."""

    name: str
    line: int
    start: int
    mask: str

    @property
    def end(self) -> int:
        """The column after the last."""
        return self.start + len(self.mask)

    def of(self, lines: Sequence[str]) -> str:
        """The text of this field."""
        return lines[self.line][self.start : self.end]


@dataclass(frozen=True, slots=True)
class CheckDigit:
    """Where a check digit stands and which spans (line, start, end) it covers, in this order."""

    name: str
    line: int
    column: int
    covers: tuple[tuple[int, int, int], ...]
    mask: str = "9"

    def covered(self, lines: Sequence[str]) -> str:
        """The characters under this check digit."""
        return "".join(lines[line][start:end] for line, start, end in self.covers)

    def printed(self, lines: Sequence[str]) -> str:
        """The check digit itself: a digit, or a filler."""
        return lines[self.line][self.column]

    def agrees(self, lines: Sequence[str]) -> bool:
        """Whether the check digit is right. False also where a character has no value."""
        try:
            return self.printed(lines) == str(check_digit(self.covered(lines)))
        except ValueError:
            return False


@dataclass(frozen=True)
class Format:
    """One format: its line lengths, fields and check digits."""

    name: FormatName
    lengths: tuple[int, ...]
    fields: tuple[Field, ...]
    check_digits: tuple[CheckDigit, ...]
    initials: str
    """The letters with which a document code of this format begins by its standard; others are met in the field."""
    continues_in: str | None = None
    """The field in which a document number of more than 9 characters goes on (Doc 9303 parts 5 and 6, note j)."""

    def field(self, name: str) -> Field | None:
        """The field of this name, None if the format has none."""
        return next((field for field in self.fields if field.name == name), None)

    @cached_property
    def allowed(self) -> tuple[tuple[str, ...], ...]:
        """The characters that may stand at ``[line][column]``, whatever stands elsewhere."""
        allowed = [[ALPHABET] * length for length in self.lengths]
        for field in self.fields:
            for column, letter in enumerate(field.mask, field.start):
                here = allowed[field.line][column]
                allowed[field.line][column] = "".join(c for c in here if c in CLASSES[letter])
        for digit in self.check_digits:
            allowed[digit.line][digit.column] = CLASSES[digit.mask]
        return tuple(map(tuple, allowed))

    def check_digits_of(self, lines: Sequence[str]) -> tuple[CheckDigit, ...]:
        """The check digits of this very zone: that of a long document number stands in the optional data."""
        long = long_document_number(self, lines)
        if long is None:
            return self.check_digits
        return tuple(long if digit.name == "document_number" else digit for digit in self.check_digits)


def long_document_number(fmt: Format, lines: Sequence[str]) -> CheckDigit | None:
    """The check digit of a document number of more than 9 characters, None if the number is not a long one.

    The first 9 characters stand in their field, a filler in place of the check digit; the others, their check digit and
    a filler begin the optional data. The check digit covers the number; on some cards (those of Portugal) also the
    filler in its midst.
    """
    number, rest = fmt.field("document_number"), fmt.field(fmt.continues_in or "")
    if number is None or rest is None or lines[number.line][number.end] != FILLER or number.of(lines).endswith(FILLER):
        return None
    length = len(rest.of(lines).partition(FILLER)[0])
    if length < 2:
        return None
    column = rest.start + length - 1
    tail = (rest.line, rest.start, column)
    by_standard, with_filler = (
        CheckDigit("document_number", rest.line, column, ((number.line, number.start, end), tail))
        for end in (number.end, number.end + 1)
    )
    return with_filler if with_filler.agrees(lines) and not by_standard.agrees(lines) else by_standard


def _two_lines(name: FormatName, length: int, code: str, initials: str) -> Format:
    """TD2, TD3, MRV-A and MRV-B: names above, data below; they differ in length and in what ends the second line."""
    visa = name in {FormatName.MRV_A, FormatName.MRV_B}
    passport = name is FormatName.TD3
    end = length if visa else length - 1 - passport
    check_digits = [
        CheckDigit("document_number", 1, 9, ((1, 0, 9),), mask="d" if name is FormatName.TD2 else "9"),
        CheckDigit("birth_date", 1, 19, ((1, 13, 19),), mask="d"),
        CheckDigit("expiry_date", 1, 27, ((1, 21, 27),), mask="d"),
    ]
    if passport:
        check_digits.append(CheckDigit("personal_number", 1, 42, ((1, 28, 42),), mask="d"))
    if not visa:
        check_digits.append(CheckDigit("composite", 1, length - 1, ((1, 0, 10), (1, 13, 20), (1, 21, length - 1))))
    return Format(
        name,
        (length, length),
        (
            Field("document_code", 0, 0, code),
            Field("issuing_state", 0, 2, "Aaa"),
            Field("names", 0, 5, "a" * (length - 5)),
            Field("document_number", 1, 0, "x" * 9),
            Field("nationality", 1, 10, "aaa"),
            Field("birth_date", 1, 13, "dddddd"),
            Field("sex", 1, 20, "s"),
            Field("expiry_date", 1, 21, "dddddd"),
            Field("personal_number" if passport else "optional_data", 1, 28, "x" * (end - 28)),
        ),
        tuple(check_digits),
        initials,
        continues_in="optional_data" if name is FormatName.TD2 else None,
    )


TD1: Final = Format(
    FormatName.TD1,
    (30, 30, 30),
    (
        Field("document_code", 0, 0, "Ax"),
        Field("issuing_state", 0, 2, "Aaa"),
        Field("document_number", 0, 5, "x" * 9),
        Field("optional_data", 0, 15, "x" * 15),
        Field("birth_date", 1, 0, "dddddd"),
        Field("sex", 1, 7, "s"),
        Field("expiry_date", 1, 8, "dddddd"),
        Field("nationality", 1, 15, "aaa"),
        Field("optional_data_2", 1, 18, "x" * 11),
        Field("names", 2, 0, "a" * 30),
    ),
    (
        CheckDigit("document_number", 0, 14, ((0, 5, 14),), mask="d"),
        CheckDigit("birth_date", 1, 6, ((1, 0, 6),), mask="d"),
        CheckDigit("expiry_date", 1, 14, ((1, 8, 14),), mask="d"),
        CheckDigit("composite", 1, 29, ((0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29))),
    ),
    "ACI",
    continues_in="optional_data",
)
TD2: Final = _two_lines(FormatName.TD2, 36, "Ax", "ACI")
TD3: Final = _two_lines(FormatName.TD3, 44, "Aa", "P")
TD3_RUSSIAN: Final = replace(
    TD3,
    fields=tuple(replace(f, mask="x" * len(f.mask)) if f.name == "names" else f for f in TD3.fields),
)
"""The internal passport of Russia (``PNRUS``): digits stand for Cyrillic letters that Latin script lacks."""
MRV_A: Final = _two_lines(FormatName.MRV_A, 44, "Vx", "V")
MRV_B: Final = _two_lines(FormatName.MRV_B, 36, "Vx", "V")

FRENCH_ID: Final = Format(
    FormatName.FRENCH_ID,
    (36, 36),
    (
        Field("document_code", 0, 0, "AA"),
        Field("issuing_state", 0, 2, "AAA"),
        Field("surname", 0, 5, "a" * 25),
        Field("issuing_office", 0, 30, "x" * 6),
        Field("document_number", 1, 0, "x" * 12),
        Field("issue_date", 1, 0, "9999"),
        Field("given_names", 1, 13, "a" * 14),
        Field("birth_date", 1, 27, "dddddd"),
        Field("sex", 1, 34, "s"),
    ),
    (
        CheckDigit("document_number", 1, 12, ((1, 0, 12),)),
        CheckDigit("birth_date", 1, 33, ((1, 27, 33),), mask="d"),
        CheckDigit("composite", 1, 35, ((0, 0, 36), (1, 0, 35))),
    ),
    "I",
)

EU_DRIVING_LICENCE: Final = Format(
    FormatName.EU_DRIVING_LICENCE,
    (30,),
    (
        Field("document_code", 0, 0, "Dx"),
        Field("issuing_state", 0, 2, "Aaa"),
        Field("document_number", 0, 6, "x" * 10),
        Field("optional_data", 0, 16, "x" * 13),
    ),
    (CheckDigit("composite", 0, 29, ((0, 0, 29),)),),
    "D",
)

FRENCH_DRIVING_LICENCE: Final = Format(
    FormatName.FRENCH_DRIVING_LICENCE,
    (30,),
    (
        Field("document_code", 0, 0, "D9"),
        Field("issuing_state", 0, 2, "AAA"),
        Field("document_number", 0, 5, "x" * 9),
        Field("expiry_date", 0, 15, "dddddd"),
        Field("surname", 0, 21, "a" * 8),
    ),
    (
        CheckDigit("document_number", 0, 14, ((0, 0, 14),)),
        CheckDigit("composite", 0, 29, ((0, 0, 29),)),
    ),
    "D",
)

SWISS_DRIVING_LICENCE: Final = Format(
    FormatName.SWISS_DRIVING_LICENCE,
    (9, 30, 30),
    (
        Field("document_number", 0, 0, "AAA999A<<"),
        Field("document_code", 1, 0, "AA"),
        Field("issuing_state", 1, 2, "AAA"),
        Field("personal_number", 1, 5, "9" * 9),
        Field("optional_data", 1, 14, "999"),
        Field("filler", 1, 17, "<<"),
        Field("birth_date", 1, 19, "dddddd"),
        Field("filler", 1, 25, "<<<<<"),
        Field("names", 2, 0, "a" * 30),
    ),
    (),
    "F",
)

FORMATS: Final = (
    TD1,
    TD2,
    TD3,
    TD3_RUSSIAN,
    MRV_A,
    MRV_B,
    FRENCH_ID,
    EU_DRIVING_LICENCE,
    FRENCH_DRIVING_LICENCE,
    SWISS_DRIVING_LICENCE,
)


def recognize(lines: Sequence[str]) -> Format | None:
    """The format of these lines by their number, their lengths and how they begin; None if it is none of ours."""
    match tuple(map(len, lines)):
        case (30, 30, 30):
            return TD1
        case (44, 44) if lines[0].startswith("PNRUS"):
            return TD3_RUSSIAN
        case (44, 44):
            return MRV_A if lines[0].startswith("V") else TD3
        case (36, 36) if lines[0].startswith("IDFRA"):
            return FRENCH_ID
        case (36, 36):
            return MRV_B if lines[0].startswith("V") else TD2
        case (30,) if lines[0].startswith("D"):
            return FRENCH_DRIVING_LICENCE if lines[0].startswith("FRA", 2) else EU_DRIVING_LICENCE
        case (9, 30, 30):
            return SWISS_DRIVING_LICENCE
        case _:
            return None
