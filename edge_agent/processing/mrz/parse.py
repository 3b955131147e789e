"""From the text of a machine readable zone to its fields, checks and findings. Nothing here ever raises.

Source: ICAO Doc 9303, parts 3 to 7. The tables of the formats are in ``formats``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from edge_agent.processing.mrz import dates
from edge_agent.processing.mrz.check_digits import ALPHABET, DIGITS, FILLER, LETTERS
from edge_agent.processing.mrz.findings import findings
from edge_agent.processing.mrz.formats import (
    CLASSES,
    FORMATS,
    CheckDigit,
    Format,
    long_document_number,
    recognize,
)
from edge_agent.processing.mrz.lines import as_lines
from edge_agent.processing.mrz.result import Fields, Mrz, Outcome

_GAP: Final = re.compile("<[A-Z]")

_WORDS: Final = {
    DIGITS: "a digit",
    LETTERS: "a letter",
    DIGITS + FILLER: "a digit or <",
    LETTERS + FILLER: "a letter or <",
    DIGITS + LETTERS: "a letter or a digit",
    ALPHABET: "a capital letter, a digit or <",
    CLASSES["s"]: "M, F, X or <",
}


def parse(text: str | Sequence[str], *, today: date | None = None) -> Mrz:
    """Parse a machine readable zone, given as its lines or as one text with or without line breaks.

    ``today`` (default: the day of the call) decides centuries and findings. White space is dropped; all else is judged
    as it stands: a small letter is a wrong character.
    """
    today = today or date.today()  # noqa: DTZ011 - documents expire by the local calendar
    lines = as_lines(text)
    fmt = recognize(lines)
    if fmt is None:
        return Mrz(None, lines, problem=_unrecognized(lines))
    fields = _fields(fmt, lines, today)
    checks = {digit.name: _outcome(digit, lines) for digit in fmt.check_digits_of(lines)}
    problems = [f"the check digit of the {_name(name)} is wrong" for name, o in checks.items() if o is Outcome.FAILED]
    for name, found in (("characters", _misplaced(fmt, lines)), ("dates", _no_dates(fmt, fields))):
        wrong = list(found)
        checks[name] = Outcome.FAILED if wrong else Outcome.PASSED
        problems += wrong
    return Mrz(fmt.name, lines, fields, checks, findings(fmt, fields, today), "; ".join(problems))


def _outcome(digit: CheckDigit, lines: Sequence[str]) -> Outcome:
    if digit.printed(lines) == FILLER:
        if not digit.covered(lines).strip(FILLER):
            return Outcome.NOT_APPLICABLE
        # Some passports leave out the zero under a personal number; a filler counts as zero.
        zeroed = [line[: digit.column] + "0" if i == digit.line else line for i, line in enumerate(lines)]
        return Outcome.PASSED if digit.name == "personal_number" and digit.agrees(zeroed) else Outcome.FAILED
    return Outcome.PASSED if digit.agrees(lines) else Outcome.FAILED


def _fields(fmt: Format, lines: Sequence[str], today: date) -> Fields:
    raw = {field.name: field.of(lines) for field in fmt.fields}
    text = {name: value.rstrip(FILLER) for name, value in raw.items()}
    long = long_document_number(fmt, lines)
    if long is not None:
        rest = raw[fmt.continues_in or ""]
        text["document_number"] = raw["document_number"] + rest.partition(FILLER)[0][:-1]
        text["optional_data"] = rest[rest.index(FILLER) + 1 :].rstrip(FILLER) if FILLER in rest else ""
    surname, given_names = raw.get("surname"), raw.get("given_names")
    name_fields = [value for value in (raw.get("names"), surname, given_names) if value is not None]
    if "names" in raw:
        surname, _, given_names = raw["names"].partition(FILLER * 2)
    expiry = dates.expiry_date(raw["expiry_date"], today) if "expiry_date" in raw else None
    return Fields(
        document_code=text.get("document_code"),
        issuing_state=text.get("issuing_state"),
        surname=_words(surname),
        given_names=_words(given_names),
        names_truncated=any(not value.endswith(FILLER) for value in name_fields) if name_fields else None,
        document_number=text.get("document_number"),
        nationality=text.get("nationality"),
        birth_date=dates.birth_date(raw["birth_date"], expiry, today) if "birth_date" in raw else None,
        sex=text.get("sex"),
        expiry_date=expiry,
        issue_date=dates.issue_date(raw["issue_date"], today) if "issue_date" in raw else None,
        personal_number=text.get("personal_number"),
        optional_data=text.get("optional_data"),
        optional_data_2=text.get("optional_data_2"),
        issuing_office=text.get("issuing_office"),
    )


def _words(name: str | None) -> str | None:
    return None if name is None else " ".join(name.replace(FILLER, " ").split())


def _name(field: str) -> str:
    return "whole zone (composite)" if field == "composite" else field.replace("_", " ")


def _misplaced(fmt: Format, lines: Sequence[str]) -> Iterator[str]:
    """What stands where it cannot stand; of much that is wrong, the first few."""
    wrong = [
        f"line {i}, character {column}: {character!r} where {_WORDS.get(here, here)} belongs"
        for i, (line, allowed) in enumerate(zip(lines, fmt.allowed, strict=True), 1)
        for column, (character, here) in enumerate(zip(line, allowed, strict=True), 1)
        if character not in here
    ]
    yield from wrong[:3]
    if len(wrong) > 3:
        yield f"{len(wrong) - 3} more characters in wrong places"
    for name in ("issuing_state", "nationality"):
        field = fmt.field(name)
        if field is not None and _GAP.search(field.of(lines)):
            yield f"line {field.line + 1}, character {field.start + 1}: the {_name(name)} has a gap"


def _no_dates(fmt: Format, fields: Fields) -> Iterator[str]:
    for name in ("birth_date", "expiry_date", "issue_date"):
        if fmt.field(name) is not None and getattr(fields, name) is None:
            yield f"the {_name(name)} is not in the calendar"


def _unrecognized(lines: Sequence[str]) -> str:
    """Why these lines are no zone that we know."""
    if not lines:
        return "nothing to read: no characters"
    lengths = tuple(map(len, lines))
    said = " + ".join(map(str, lengths[:4])) + (" + ..." if len(lengths) > 4 else "")
    if lengths == (34, 34):
        return "2 lines of 34 characters, as on old Slovak identity cards, follow no standard and are not read"
    near = [fmt for fmt in FORMATS if len(fmt.lengths) == len(lines)]
    known = sorted({" + ".join(map(str, fmt.lengths)) for fmt in near or FORMATS})
    return f"no machine readable zone that we know: lines of {said} characters, expected {' or '.join(known)}"
