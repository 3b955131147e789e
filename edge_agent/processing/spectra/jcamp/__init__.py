"""JCAMP-DX 4.24 to 5.01: infrared, Raman, mass, NMR and ion mobility spectra, alone or in compound files.

Everything that a file says twice is compared: the number of points, the first and the last abscissa, the step, the
abscissa of each line, the ordinate that each line of differences repeats. What does not fit is an error, never a
spectrum with its x shifted against its y. Sources: McDonald and Wilks 1988 (4.24), Lampen et al. 1994 and 1999
(5.00, NTUPLES; 5.01), Baumbach et al. 2001 (ion mobility).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

import numpy as np

from edge_agent.processing.spectra.jcamp.asdf import Table, pairs, x_table
from edge_agent.processing.spectra.spectrum import (
    MAX_NOTE,
    MAX_POINTS,
    MAX_SPECTRA,
    Array,
    Spectrum,
    SpectrumError,
    Technique,
    lines_of,
    number,
    too_many,
)

MAX_RECORDS: Final = 50_000
MAX_DEPTH: Final = 16
"""Of LINK blocks in LINK blocks."""

_LABEL: Final = re.compile(r"\s*##([^=]{0,256})=(.*)", re.DOTALL)
_NOT_IN_LABELS: Final = str.maketrans("", "", " -/_\t")
_TUPLE: Final = re.compile(r"\(\s*([^,()<>]{1,32}?)\s*,\s*([^,()<>]{1,32}?)\s*[,)]")
_STRUCTURE: Final = ("CONNECTION", "ATOMLIST", "BONDLIST")
_TECHNIQUES: Final = (
    ("RAMAN", Technique.RAMAN),
    ("INFRARED", Technique.INFRARED),
    ("FTIR", Technique.INFRARED),
    ("ION MOBILITY", Technique.IMS),
    ("IMS", Technique.IMS),
    ("MASS", Technique.MASS),
    ("NMR", Technique.NMR),
    ("UV", Technique.UV_VISIBLE),
    ("CHROMATO", Technique.CHROMATOGRAM),
)
_UNITS: Final = {
    "1/CM": "1/cm",
    "CM-1": "1/cm",
    "CM^-1": "1/cm",
    "WAVENUMBERS": "1/cm",
    "WAVENUMBER": "1/cm",
    "RAMANSHIFT": "1/cm",
    "MICROMETERS": "um",
    "MICRONS": "um",
    "NANOMETERS": "nm",
    "MILLISECONDS": "ms",
    "TRANSMITTANCE": "transmittance",
    "%TRANSMITTANCE": "transmittance",
    "PERCENTTRANSMITTANCE": "transmittance",
    "TRANSMISSION": "transmittance",
    "%T": "transmittance",
    "REFLECTANCE": "reflectance",
    "ABSORBANCE": "absorbance",
}
_DATA: Final = frozenset({"XYDATA", "XYPOINTS", "PEAKTABLE", "PEAKASSIGNMENTS", "DATATABLE", "RADATA"})
_HIDDEN: Final = _DATA | {"TITLE", "JCAMPDX", "END", "ENDNTUPLES", "PAGE", *_STRUCTURE}


_HEAD: Final = 1 << 16
_MARKS: Final = (b"##JCAMP-DX=", b"##JCAMPDX=", b"##XYDATA=", b"##XYPOINTS=", b"##PEAKTABLE=", b"##NTUPLES=")


@dataclass(slots=True)
class _Block:
    values: dict[str, str] = field(default_factory=dict)
    ntuples: dict[str, tuple[str, ...]] = field(default_factory=dict)
    page: str = ""
    page_points: str = ""
    in_ntuples: bool = False

    def number(self, label: str) -> float | None:
        return number(self.values.get(label, ""))

    @property
    def points(self) -> int | None:
        return _count(self.values.get("NPOINTS", ""))


def is_jcamp(data: bytes) -> bool:
    """Whether the beginning of a file looks like JCAMP-DX."""
    head = data[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith((b"##", b"$$")) and any(mark in head.upper().replace(b" ", b"") for mark in _MARKS)


def parse(data: bytes) -> tuple[Spectrum, ...]:
    """All the spectra of a JCAMP-DX file, in its order; real and imaginary parts of one count as two.

    Raises:
        SpectrumError: see there.
    """
    stack = [_Block()]  # for what comes before a title, or without one
    spectra: list[Spectrum] = []
    total = 0
    for label, value, lines in _records(lines_of(data)):
        if label == "TITLE":
            stack.append(_Block({"TITLE": value[:MAX_NOTE]}))
            if len(stack) > MAX_DEPTH:
                raise SpectrumError("damaged-spectrum", f"Blocks lie more than {MAX_DEPTH} deep in each other.")
            continue
        block = stack[-1]
        if label == "END":
            stack = stack[:-1] or [_Block()]
        elif label in _DATA:
            spectrum = _read(block, label, value, lines)
            if spectrum is None:
                continue
            spectra.append(spectrum)
            total += spectrum.x.size
            if total > MAX_POINTS or len(spectra) > MAX_SPECTRA:
                raise too_many()
        else:
            _keep(block, label, value, lines)
    if not spectra:
        raise SpectrumError("not-a-spectrum", "The file has labels, but no spectrum.")
    return tuple(spectra)


def _records(lines: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Label, what stands behind it, and the lines that follow, without comments."""
    label, value, rest = "", "", list[str]()
    count = 0
    for line in lines:
        text = line
        if "$$" in text:
            text = text[: text.index("$$")]
        begins = text.lstrip()
        if not begins.startswith("##"):
            if text.strip():
                rest.append(text)
            continue
        if label:
            yield label, value, rest
        elif rest:
            raise SpectrumError("not-a-spectrum", "The file does not begin with a label.")
        match = _LABEL.match(begins)
        if match is None:
            raise SpectrumError("damaged-spectrum", "A label has no = behind it.")
        label = match[1].translate(_NOT_IN_LABELS).upper() or "?"
        value, rest = match[2].strip(), []
        count += 1
        if count > MAX_RECORDS:
            raise SpectrumError("damaged-spectrum", f"The file has more than {MAX_RECORDS} labels.")
    if label:
        yield label, value, rest


def _keep(block: _Block, label: str, value: str, lines: list[str]) -> None:
    text = "\n".join([value, *lines[:64]])[:MAX_NOTE].strip()
    if label == "NTUPLES":
        block.in_ntuples = True
    elif label == "ENDNTUPLES":
        block.in_ntuples = False
        block.ntuples = {}
    elif label == "PAGE":
        block.page, block.page_points = text, ""
    elif block.in_ntuples and label == "NPOINTS":
        block.page_points = text
    elif block.in_ntuples:
        block.ntuples[label] = tuple(part.strip() for part in text.replace("\n", " ").split(","))
    elif text or label not in block.values:  # some writers give a label twice, once without a value
        block.values[label] = text


def _read(block: _Block, label: str, value: str, lines: list[str]) -> Spectrum | None:
    form = value.replace(" ", "").upper()
    if label == "PEAKASSIGNMENTS":
        return _assigned(block, "\n".join([value, *lines]))
    if label == "DATATABLE":
        return _from_page(block, form, lines)
    factors = (block.number("XFACTOR") or 1.0, block.number("YFACTOR") or 1.0)
    if form.startswith("(XY..XY"):
        x, y = pairs(lines, block.points)
        _compare_count(x.size, block.points)
        peaks = label == "PEAKTABLE" or _technique(block) is Technique.MASS
        return _spectrum(block, _refuse_infinite(x) * factors[0], y * factors[1], peaks=peaks)
    if form.startswith("(X++("):
        table = x_table(lines)
        _compare_count(table.y.size, block.points)
        ends = (block.number("FIRSTX"), block.number("LASTX"), block.number("DELTAX"))
        x, doubts = _even(table, factors[0], *ends, counted=block.points is not None)
        return _spectrum(block, x, table.y * factors[1], doubts=doubts)
    raise SpectrumError("unsupported-spectrum", f"Data of the form {value[:40]!r} are not read.")


def _from_page(block: _Block, form: str, lines: list[str]) -> Spectrum:
    """The spectrum of a page of an NTUPLES record."""
    names = [name.upper() for name in block.ntuples.get("SYMBOL", ())]
    columns: dict[str, tuple[str, ...]] = dict(
        zip(names, zip_longest(*(_row(block, key, len(names)) for key in _ROWS), fillvalue=""), strict=False)
    )
    match = re.match(r"\((X)(?:\+\+\(([A-Z])\.\.|([A-Z])\.\.X)", form)
    ordinate = (match[2] or match[3]) if match else ""
    if match is None or "X" not in columns or ordinate not in columns:
        raise SpectrumError("unsupported-spectrum", f"A page of the form {form[:40]!r} is not read.")
    x_column, y_column = (dict(zip(_ROWS, columns[name], strict=True)) for name in ("X", ordinate))
    factor_x, factor_y = (number(column["FACTOR"]) or 1.0 for column in (x_column, y_column))
    expected = _count(block.page_points or y_column["VARDIM"])
    units = (x_column["UNITS"], y_column["UNITS"])
    if "++" in form:
        table = x_table(lines)
        _compare_count(table.y.size, expected)
        ends = (number(x_column["FIRST"]), number(x_column["LAST"]))
        x, doubts = _even(table, factor_x, *ends, None, counted=expected is not None)
        return _spectrum(block, x, table.y * factor_y, units=units, doubts=doubts)
    x, y = pairs(lines, expected)
    _compare_count(x.size, expected)
    return _spectrum(block, _refuse_infinite(x) * factor_x, y * factor_y, peaks="PEAKS" in form, units=units)


_ROWS: Final = ("FACTOR", "FIRST", "LAST", "VARDIM", "UNITS")


def _row(block: _Block, key: str, length: int) -> list[str]:
    row = list(block.ntuples.get(key, ()))[:length]
    return row + [""] * (length - len(row))


def _assigned(block: _Block, text: str) -> Spectrum | None:
    """Peaks with assignments, ``(x, y, ...)``; None if there is none with two numbers."""
    found = [(number(x), number(y)) for x, y in _TUPLE.findall(text[: 1 << 20])]
    whole = [(x, y) for x, y in found if x is not None and y is not None]
    if not whole:
        return None
    if len(whole) > MAX_POINTS:
        raise too_many()
    array = np.array(whole, np.float64)
    return _spectrum(block, array[:, 0], array[:, 1], peaks=True)


def _refuse_infinite(x: Array) -> Array:
    if not np.isfinite(x).all():
        raise SpectrumError("damaged-spectrum", "Some x are no numbers.")
    return x


def _count(text: str) -> int | None:
    value = number(text)
    return int(value) if value is not None and value >= 0 and value == int(value) else None


def _compare_count(found: int, said: int | None) -> None:
    if found == 0:
        raise SpectrumError("truncated-spectrum", "The file ends before its data begin.")
    if said is not None and found != said:
        code = "truncated-spectrum" if found < said else "points-mismatch"
        raise SpectrumError(code, f"The file says that it has {said} points, and has {found}.")


def _even(
    table: Table, factor: float, first: float | None, last: float | None, step: float | None, *, counted: bool
) -> tuple[Array, tuple[str, ...]]:
    """The abscissas of an (X++(Y..Y)) table, compared with what each of its lines says, and what is odd about them."""
    count = table.y.size
    written = table.abscissas * factor
    slack = table.resolutions * abs(factor) + 2e-6 * np.abs(written)
    if first is None:
        first = float(written[0]) - float(table.starts[0])
    if last is None:
        if step is None:
            runs = table.starts[-1] - table.starts[0]
            if runs <= 0:
                raise SpectrumError("x-mismatch", "The file does not say where its spectrum ends.")
            step = float(written[-1] - written[0]) / float(runs)
        last = first + step * (count - 1)
    x = np.linspace(first, last, count)
    even = abs(last - first) / max(count - 1, 1)
    expected = x[np.minimum(table.starts.astype(np.int64), count - 1)]
    off = np.abs(written - expected)
    strict = 0.5 * even + slack
    # Some programs of NIST count the first line one short: x is then uncertain by a step, and the file says so twice.
    wrong = off > (np.maximum(strict, even + 0.6 * slack) if counted else strict)
    if wrong.any():
        line = int(np.argmax(wrong))
        raise SpectrumError(
            "x-mismatch",
            f"Line {line + 1} of the data begins at x = {written[line]:g}, where {expected[line]:g} is due.",
        )
    doubts = []
    if (off > strict).any():
        doubts.append("the x of the lines are a step off those that the head of the file gives")
    if step is not None and abs(abs(step) - even) > 1e-2 * even + 1.5 * even / max(count, 2):
        if table.starts.size < 3:
            raise SpectrumError("x-mismatch", f"The step of {step:g} does not lead from {first:g} to {last:g}.")
        doubts.append(f"DELTAX is {step:g}, but the lines and both ends say {even:g}")
    return x, tuple(doubts)


def _technique(block: _Block) -> Technique:
    said = f"{block.values.get('DATATYPE', '')}".upper()
    return next((technique for word, technique in _TECHNIQUES if word in said), Technique.OTHER)


def _spectrum(
    block: _Block,
    x: Array,
    y: Array,
    *,
    peaks: bool = False,
    units: tuple[str, str] | None = None,
    doubts: tuple[str, ...] = (),
) -> Spectrum:
    if np.isinf(y).any():
        raise SpectrumError("damaged-spectrum", "Some y are too large to be numbers.")
    x_unit, y_unit = units or (block.values.get("XUNITS", ""), block.values.get("YUNITS", ""))
    return Spectrum(
        x,
        y,
        technique=_technique(block),
        x_unit=_unit(x_unit),
        y_unit=_unit(y_unit),
        title=block.values.get("TITLE", "")[:MAX_NOTE],
        peaks=peaks,
        remarks={label: text for label, text in block.values.items() if label not in _HIDDEN and text},
        doubts=doubts + _doubts(block, y),
    )


def _unit(text: str) -> str:
    return _UNITS.get(text.upper().replace(" ", ""), text.strip().lower()[:64])


def _doubts(block: _Block, y: Array) -> tuple[str, ...]:
    """Where the extremes that the file names are not those of its data; many writers round them, or keep old ones."""
    if not np.isfinite(y).any() or block.in_ntuples:
        return ()
    low, high = float(np.nanmin(y)), float(np.nanmax(y))
    slack = 0.02 * (high - low) + 1e-9
    said = (("MINY", low), ("MAXY", high))
    wrong = [f"{label} is {value:g}, and {found:g} in the data" for label, found in said
             if (value := block.number(label)) is not None and abs(value - found) > slack]  # fmt: skip
    return tuple(wrong)
