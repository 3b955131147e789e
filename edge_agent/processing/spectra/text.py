"""Spectra as text in columns: B&W Tek (BWSpec, BWRam), Renishaw, RRUFF, and two columns from anywhere.

Cells are separated by tabs, semicolons, commas or blanks; the decimal sign is a point, or a comma where that separates
nothing. From the first row of the table on, every line must be one: a row that is none is an error, not a gap.
"""

from __future__ import annotations

import itertools
import re
from typing import Final

import numpy as np

from edge_agent.processing.spectra.spectrum import (
    MAX_NOTE,
    MAX_POINTS,
    Array,
    Spectrum,
    SpectrumError,
    Technique,
    lines_of,
    too_many,
)

_LONGEST_LINE: Final = 1 << 14
_MAX_HEAD: Final = 2000
"""Lines before the table."""

_X_NAMES: Final = ("ramanshift", "wavenumber", "wavenumbers", "wave", "wavelength", "x")
_Y_NAMES: Final = (
    "darksubtracted", "processeddata", "intensity", "counts", "absorbance", "transmittance", "%t", "rawdata", "y",
)  # fmt: skip
_UNITS: Final = {"wavelength": "nm", "x": ""}
_SEPARATORS: Final = ("\t", ";", ",", None)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?")
_ENTRY: Final = re.compile(r"\s*(?:##|#)?([^;=,\t:]{1,64}?)\s*[;=,\t:]\s*(.*)")
_LABEL: Final = re.compile(r"[^a-z%]")
_RAMAN_MARKS: Final = ("bwspec", "bwram", "rruff", "raman")


def parse(data: bytes) -> tuple[Spectrum, ...]:
    """The spectrum of a text file.

    Raises:
        SpectrumError: see there.
    """
    lines = [line.strip("\r\n") for line in lines_of(data)]
    start, separator = _find_table(lines)
    head = lines[:start]
    rows = [line for line in lines[start:] if line.strip()]
    if rows and rows[-1].strip().upper().startswith("##END"):
        rows.pop()
    if len(rows) > MAX_POINTS:
        raise too_many()
    width = len(_cells(rows[0], separator))
    x_column, y_column, names = _columns(head, separator, width)
    xs: list[str] = []
    ys: list[str] = []
    for count, row in enumerate(rows, start + 1):
        cells = _cells(row, separator) if len(row) <= _LONGEST_LINE else []
        if len(cells) != width:
            raise _damaged(count)
        if names and not cells[x_column]:
            continue  # a pixel that the instrument has no x for
        xs.append(cells[x_column])
        ys.append(cells[y_column])
    x_name = names[0] if names else ""
    marks = "\n".join(head)[: 1 << 14].lower() + x_name
    raman = x_name in {"ramanshift", "wave"} or any(mark in marks for mark in _RAMAN_MARKS)
    return (
        Spectrum(
            _numbers(xs, separator),
            _numbers(ys, separator),
            technique=Technique.RAMAN if raman else Technique.OTHER,
            x_unit=_UNITS.get(x_name, "1/cm") if names else "1/cm" if raman else "",
            y_unit=names[1] if names else "",
            remarks=_remarks(head[:-1] if names else head),
        ),
    )


def _find_table(lines: list[str]) -> tuple[int, str | None]:
    """The first of two rows that look alike and hold numbers only, and what separates their cells."""
    filled = [(index, line) for index, line in enumerate(lines[: 4 * _MAX_HEAD]) if line.strip()][: _MAX_HEAD + 2]
    for (index, line), (_, following) in itertools.pairwise(filled):
        if max(len(line), len(following)) > _LONGEST_LINE:
            raise SpectrumError("not-a-spectrum", f"Line {index + 1} is too long for a row of numbers.")
        for separator in _SEPARATORS:
            width = _width(line, separator)
            if width and width == _width(following, separator):
                return index, separator
    raise SpectrumError("not-a-spectrum", "The file has no two rows of at least two numbers.")


def _width(line: str, separator: str | None) -> int:
    """How many cells a row of numbers has; 0 if it is none."""
    cells = _cells(line, separator)
    filled = [cell for cell in cells if cell]
    whole = len(filled) >= 2 and all(_is_number(cell, separator) for cell in filled)
    return len(cells) if whole else 0


def _is_number(cell: str, separator: str | None) -> bool:
    return _NUMBER.fullmatch(cell) is not None and not (separator == "," and "," in cell)


def _cells(line: str, separator: str | None) -> list[str]:
    cells = [cell.strip() for cell in line.strip(" ").split(separator)]
    return cells[:-1] if len(cells) > 1 and not cells[-1] else cells


def _columns(head: list[str], separator: str | None, width: int) -> tuple[int, int, tuple[str, str] | None]:
    """The columns of x and y, and their names where the row above the table gives them."""
    above = next((line for line in reversed(head) if line.strip()), "")
    raw = _cells(above, separator)
    raw = raw if len(raw) == width else [cell for cell in raw if cell]
    names = [_LABEL.sub("", cell.lower()) for cell in raw]
    if len(names) == width:
        x = next((names.index(name) for name in _X_NAMES if name in names), None)
        y = next((names.index(name) for name in _Y_NAMES if name in names), None)
        if x is not None and y is not None and x != y:
            return x, y, (names[x], names[y])
    if width == 2:
        return 0, 1, None
    raise SpectrumError("unsupported-spectrum", f"The table has {width} columns, and none that are named as x and y.")


def _numbers(cells: list[str], separator: str | None) -> Array:
    text = "\n".join(cells)
    if separator != "," and "," in text:
        if "." in text:
            raise SpectrumError("damaged-spectrum", "The numbers have both decimal points and commas.")
        cells = text.replace(",", ".").split("\n")
    try:
        if "_" in text:
            raise ValueError
        array = np.array(cells, np.float64)
    except ValueError:
        raise SpectrumError("damaged-spectrum", "A cell of the table is no number.") from None
    if not np.isfinite(array).all():
        raise SpectrumError("damaged-spectrum", "A cell of the table is no number.")
    return array


def _remarks(head: list[str]) -> dict[str, str]:
    matches = (_ENTRY.fullmatch(line[:MAX_NOTE]) for line in head[:_MAX_HEAD])
    return {match[1].strip().upper(): match[2].strip() for match in matches if match and match[2].strip()}


def _damaged(count: int) -> SpectrumError:
    return SpectrumError("damaged-spectrum", f"Line {count} is not a row like the first of the table.")
