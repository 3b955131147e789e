"""From fields to the lines of a machine readable zone: the inverse of ``parse``, for simulators and tests.

Source: ICAO Doc 9303, parts 3 to 7; names by part 3, section 4.6, and their truncation by the examples of part 4.
"""

from __future__ import annotations

from edge_agent.processing.mrz.check_digits import FILLER, check_digit
from edge_agent.processing.mrz.dates import PartialDate
from edge_agent.processing.mrz.formats import Field, Format
from edge_agent.processing.mrz.result import Fields


def compose(fmt: Format, fields: Fields) -> tuple[str, ...]:
    """The lines of a zone with all check digits. Names are truncated where they do not fit.

    Raises:
        ValueError: a field does not fit, or has a character that the zone cannot have there.
    """
    values = {field.name: _value(field, fields) for field in fmt.fields}
    long = _lengthen(fmt, values)
    rows = [[FILLER] * length for length in fmt.lengths]
    # The last first: where fields overlap, the earlier one is the whole.
    for field in reversed(fmt.fields):
        value = values[field.name]
        if len(value) > len(field.mask):
            raise ValueError(f"{field.name} has {len(value)} characters, {fmt.name} takes {len(field.mask)}")
        rows[field.line][field.start : field.end] = value.ljust(len(field.mask), FILLER)
    for digit in fmt.check_digits:
        covered = digit.covered(["".join(row) for row in rows])
        if not (digit.name == "document_number" and long):
            rows[digit.line][digit.column] = str(check_digit(covered))
    lines = tuple("".join(row) for row in rows)
    for line, allowed in zip(lines, fmt.allowed, strict=True):
        for column, (character, here) in enumerate(zip(line, allowed, strict=True), 1):
            if character not in here:
                raise ValueError(f"{character!r} cannot stand at position {column} of {line!r}")
    return lines


def names(surname: str, given_names: str, length: int) -> str:
    """The names field: fillers for blanks, two between surname and given names, at most ``length`` characters.

    Too long, the names are shortened from the last one on, each to its initial at the shortest, so that each stays
    represented and the field ends in a letter.
    """
    parts = surname.split() + given_names.split()
    primary = len(surname.split())

    def joined() -> str:
        secondary = FILLER.join(parts[primary:])
        return FILLER.join(parts[:primary]) + (FILLER * 2 + secondary if secondary else "")

    for i in reversed(range(len(parts))):
        excess = max(0, len(joined()) - length)
        parts[i] = parts[i][: max(1, len(parts[i]) - excess)]
    return joined()[:length]


def _value(field: Field, fields: Fields) -> str:
    match field.name:
        case "filler":
            return ""
        case "names":
            return names(fields.surname or "", fields.given_names or "", len(field.mask))
        case "surname":
            return names(fields.surname or "", "", len(field.mask))
        case "given_names":  # the old French identity card parts them by two fillers
            return (FILLER * 2).join((fields.given_names or "").split())[: len(field.mask)]
        case name:
            value = getattr(fields, name)
            text = value.yymmdd if isinstance(value, PartialDate) else value or ""
            return text[: len(field.mask)] if name == "issue_date" else text


def _lengthen(fmt: Format, values: dict[str, str]) -> bool:
    """Move what a long document number has beyond its field to the optional data, with its check digit."""
    number, field = values["document_number"], fmt.field("document_number")
    if fmt.continues_in is None or field is None or len(number) <= len(field.mask):
        return False
    head, tail = number[: len(field.mask)], number[len(field.mask) :]
    values["document_number"] = head
    values[fmt.continues_in] = f"{tail}{check_digit(number)}{FILLER}{values[fmt.continues_in]}".rstrip(FILLER)
    return True
