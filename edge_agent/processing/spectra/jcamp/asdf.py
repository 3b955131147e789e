"""The data of JCAMP-DX tables: AFFN and the compressed ASDF forms PAC, SQZ, DIF and DUP.

Source: McDonald and Wilks, JCAMP-DX: A Standard Form for Exchange of Infrared Spectra in Computer Readable Form,
Applied Spectroscopy 42 (1988) 151, sections on ASDF.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_agent.processing.spectra.spectrum import MAX_POINTS, Array, SpectrumError, too_many

LONGEST_LINE: Final = 1 << 16
"""Characters; the standard has 80."""

_SQZ: Final = {letter: digit for digit, letter in enumerate("@ABCDEFGHI")} | {
    letter: -digit for digit, letter in enumerate("abcdefghi", 1)
}
_DIF: Final = {letter: digit for digit, letter in enumerate("%JKLMNOPQR")} | {
    letter: -digit for digit, letter in enumerate("jklmnopqr", 1)
}
_DUP: Final = {letter: digit for digit, letter in enumerate("STUVWXYZs", 1)}

_COMPRESSED: Final = re.compile(r"[@A-DF-Za-df-s%]")
_ABSCISSA: Final = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+))")
_TOKEN: Final = re.compile(r"[@A-Za-s%]\d*|[+-]?(?:\d+\.?\d*|\.\d+)|\?")
_AFFN: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]?\d+)?|\?")
_BETWEEN: Final = re.compile(r"[\s,;]*")
_DECIMAL_COMMA: Final = re.compile(r"(?<=\d),(?=\d)")


@dataclass(frozen=True, slots=True)
class Table:
    """An (X++(Y..Y)) table.

    Attributes:
        y: shape (n,); NaN where the file has ``?``.
        starts: shape (lines,): the index in ``y`` of the ordinate that each line's abscissa belongs to.
        abscissas: shape (lines,): the abscissas as written.
        resolutions: shape (lines,): one unit in the last place of each.

    """

    y: Array
    starts: Array
    abscissas: Array
    resolutions: Array


def x_table(lines: list[str]) -> Table:
    """Read an (X++(Y..Y)) table.

    Raises:
        SpectrumError: a line is none (damaged-spectrum), a y-check fails (y-mismatch), or too-many-points.
    """
    compressed = any(map(_COMPRESSED.search, lines))
    if not compressed and not any("." in line for line in lines):
        lines = [_DECIMAL_COMMA.sub(".", line) for line in lines]
    y: list[float] = []
    starts: list[int] = []
    abscissas: list[str] = []
    checked: float | None = None
    for count, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if len(line) > LONGEST_LINE:
            raise _damaged(count)
        if compressed:
            abscissa, values, differences = _asdf(line, count)
        else:
            abscissa, values = _affn(line, count)
            differences = False
        if checked is not None:
            # After differences, the next line repeats the last ordinate as a check of all of them.
            if values and not _same(values[0], checked):
                raise SpectrumError(
                    "y-mismatch",
                    f"Line {count} of the data does not go on where the one before ended: digits are lost.",
                )
            starts.append(len(y) - 1)
            y.extend(values[1:])
        else:
            starts.append(len(y))
            y.extend(values)
        checked = y[-1] if differences and y else None
        abscissas.append(abscissa)
        if len(y) > MAX_POINTS:
            raise too_many()
    return Table(
        np.array(y, np.float64),
        np.array(starts, np.float64),
        np.array([float(text) for text in abscissas], np.float64),
        np.array([_resolution(text) for text in abscissas], np.float64),
    )


def _same(one: float, other: float) -> bool:
    return one == other or (one != one and other != other)  # noqa: PLR0124  (both no numbers)


def _asdf(line: str, count: int) -> tuple[str, list[float], bool]:
    """The abscissa of a line, its ordinates, and whether the last of them is a difference."""
    match = _ABSCISSA.match(line)
    if match is None:
        raise _damaged(count)
    rest = line[match.end() :]
    tokens = _TOKEN.findall(rest)
    if "".join(tokens) != "".join(rest.replace(",", " ").split()):
        raise _damaged(count)
    values: list[float] = []
    differences = False
    step: float | None = None
    for token in tokens:
        first = token[0]
        if first in _DUP:
            times = int(f"{_DUP[first]}{token[1:]}") if len(token) < 10 else MAX_POINTS + 1
            if not values:
                raise _damaged(count)
            if times + len(values) > MAX_POINTS:
                raise too_many()
            last = values[-1]
            if step is None:
                values.extend([last] * (times - 1))
            else:
                values.extend(last + step * time for time in range(1, times))
            continue
        step = None
        if first in _SQZ:
            values.append(_signed(_SQZ[first], token))
            differences = False
        elif first in _DIF:
            if not values:
                raise _damaged(count)
            step = _signed(_DIF[first], token)
            values.append(values[-1] + step)
            differences = True
        elif first == "?":
            values.append(float("nan"))
            differences = False
        else:
            try:
                values.append(float(token))
            except ValueError:
                raise _damaged(count) from None
            differences = False
    return match[1], values, differences


def _signed(lead: int, token: str) -> float:
    if len(token) > 16:
        return float("inf")
    return float(f"{lead}{token[1:]}")


def _affn(line: str, count: int) -> tuple[str, list[float]]:
    fields = line.replace(",", " ").replace(";", " ").split()
    try:
        _, *values = map(float, fields)
    except ValueError:
        pass
    else:
        return fields[0], values
    tokens = numbers(line, count)
    return tokens[0], [float("nan") if text == "?" else float(text) for text in tokens[1:]]


def numbers(line: str, count: int) -> list[str]:
    """The AFFN numbers of a line, which blanks, commas, semicolons or only their signs separate.

    Raises:
        SpectrumError: there is something else, or nothing (damaged-spectrum).
    """
    tokens = _AFFN.findall(line)
    if not tokens or tokens[0] == "?" or _BETWEEN.sub("", line) != "".join(tokens):
        raise _damaged(count)
    return tokens


def _resolution(text: str) -> float:
    mantissa, _, exponent = text.upper().partition("E")
    _, _, decimals = mantissa.partition(".")
    return 10.0 ** max(-300, min(300, int(exponent or 0) - len(decimals)))


def pairs(lines: list[str], expected: int | None) -> tuple[Array, Array]:
    """Read an (XY..XY) list: x and y, each of shape (n,), as written.

    A comma may separate x from y or be the decimal one. Both are tried where it matters; what yields the number of
    points that the file says (``expected``) holds.

    Raises:
        SpectrumError: there is something else (damaged-spectrum), a y is missing (points-mismatch), too-many-points.
    """
    values = _values(lines)
    text_has_point = any("." in line for line in lines)
    if expected is not None and len(values) != 2 * expected and not text_has_point:
        with_decimals = _values([_DECIMAL_COMMA.sub(".", line) for line in lines])
        values = with_decimals if len(with_decimals) == 2 * expected else values
    if len(values) % 2:
        raise SpectrumError("points-mismatch", f"The {len(values)} numbers of the list do not make pairs.")
    array = np.array(values, np.float64)
    return array[::2], array[1::2]


def _values(lines: list[str]) -> list[float]:
    values: list[float] = []
    for count, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if len(line) > LONGEST_LINE:
            raise _damaged(count)
        fields = line.replace(",", " ").replace(";", " ").split()
        try:
            values.extend(map(float, fields))
        except ValueError:
            values.extend(float("nan") if text == "?" else float(text) for text in numbers(line, count))
        if len(values) > 2 * MAX_POINTS:
            raise too_many()
    return values


def _damaged(count: int) -> SpectrumError:
    return SpectrumError("damaged-spectrum", f"Line {count} of the data is not what the form says: it is damaged.")
