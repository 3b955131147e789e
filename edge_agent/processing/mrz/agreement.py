"""Whether two readings are of one document, and where they disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edge_agent.processing.mrz.check_digits import VALUES
from edge_agent.processing.mrz.formats import recognize
from edge_agent.processing.mrz.result import Mrz, Outcome

ALIKE: Final = 4
"""Characters in which two readings of one document may differ if the number is not proven in both: the passports of
twins, issued one after the other, differ in number, check digits and given name, and so in more."""
NUMBER: Final = "document_number"


@dataclass(frozen=True, slots=True)
class Difference:
    """A position, both counted from 1, at which readings differ; ``values`` has what each of them says.

    ``settled``: a check digit decides it in favour of the reading that was asked about.
    """

    line: int
    column: int
    values: tuple[str, ...]
    settled: bool


def same_document(one: Mrz, other: Mrz) -> bool:
    """Whether these are readings of one document, as far as check digits and their likeness tell.

    What a check digit proves in both must not differ, except inside a class of characters that no check digit tells
    apart. If that holds of the number, they are one; else the zones as a whole must be almost the same.
    """
    fmt = recognize(one.lines)
    if fmt is None or recognize(other.lines) is not fmt:
        return False
    proven = False
    digits = {digit.name: digit for digit in fmt.check_digits_of(other.lines)}
    for digit in fmt.check_digits_of(one.lines):
        if Outcome.PASSED is one.checks.get(digit.name) is other.checks.get(digit.name):
            if not _told_apart_by_none(digit.covered(one.lines), digits[digit.name].covered(other.lines)):
                return False
            proven = proven or digit.name == NUMBER
    return proven or len(differences((one.lines, other.lines), valid=(False, False))) <= ALIKE


def differences(zones: Sequence[Sequence[str]], *, valid: Sequence[bool]) -> tuple[Difference, ...]:
    """Where zones of one format differ. ``valid`` says which of them have all checks passed.

    A difference is settled in favour of the first zone if that one is valid, none that differs from it there is, and a
    check digit would notice.
    """
    first = zones[0]
    covered = _covered(first) if valid[0] else set()
    found = []
    for line, row in enumerate(zip(*zones, strict=True)):
        for column, values in enumerate(zip(*row, strict=True)):
            others = [i for i, value in enumerate(values) if value != values[0]]
            if others:
                noticed = (line, column) in covered and not any(
                    valid[i] or _told_apart_by_none(values[0], values[i]) for i in others
                )
                found.append(Difference(line + 1, column + 1, values, noticed))
    return tuple(found)


def _covered(lines: Sequence[str]) -> set[tuple[int, int]]:
    fmt = recognize(lines)
    digits = fmt.check_digits_of(lines) if fmt is not None else ()
    spans = {(line, column) for digit in digits for line, start, end in digit.covers for column in range(start, end)}
    return spans | {(digit.line, digit.column) for digit in digits}


def _told_apart_by_none(one: str, other: str) -> bool:
    if len(one) != len(other):
        return False
    return all(a == b or VALUES.get(a, -1) % 10 == VALUES.get(b, -2) % 10 for a, b in zip(one, other, strict=True))
