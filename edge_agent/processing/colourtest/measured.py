"""The measured colours of one print of the card: from a spectrophotometer's table, and as they are kept."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np

from edge_agent.processing.colourtest.card import NEUTRALS, NOMINAL, nominal_labs
from edge_agent.processing.colourtest.colour import WHITES, Array, adapt, ciede2000, lab_of_xyz, xyz_of_lab

MAX_CHARS: Final = 100_000
_FAR: Final = 30.0
"""CIEDE2000 from its nominal colour that no printer misses: rather two rows were swapped."""
_MAX_CAST: Final = 12.0
"""CIELAB chroma of what should be neutral."""
_LEAST_CONTRAST: Final = 45.0
"""L* between the lightest and the darkest of the ramp."""


class MeasuredError(Exception):
    """A table of measured colours that cannot be right; says why."""


def from_csv(text: str, illuminant: str = "D50") -> dict[str, Array]:
    """CIELAB for D65 by name, from CSV with the columns ``patch``, ``L``, ``a`` and ``b``.

    Args:
        text: one row for each of the 30 colours of the card, in any order; further columns are ignored.
        illuminant: of the measurement, ``D50`` (as ISO 13655 has it) or ``D65``; 2 degree observer.

    Raises:
        MeasuredError: it is no such table, or cannot be this card.
    """
    if len(text) > MAX_CHARS:
        raise MeasuredError("the table is far too long")
    rows = csv.DictReader(text.lstrip("\ufeff").splitlines())
    values: dict[str, list[float]] = {}
    try:
        missing = {"patch", "L", "a", "b"} - set(rows.fieldnames or ())
        if missing:
            raise MeasuredError(f"the table has no column {', '.join(sorted(missing))}; it needs patch, L, a and b")
        for row in rows:
            name = (row["patch"] or "").strip()
            if name in values:
                raise MeasuredError(f'"{name}" comes twice')
            values[name] = [float(row[column] or "") for column in "Lab"]
    except (ValueError, csv.Error):
        raise MeasuredError(f"line {rows.line_num} has no three numbers for L, a and b") from None
    labs = from_values(values)
    white = WHITES[illuminant]
    labs = {name: lab_of_xyz(adapt(xyz_of_lab(lab, white), white)) for name, lab in labs.items()}
    _check(labs)
    return labs


def from_values(values: Mapping[str, Any]) -> dict[str, Array]:
    """CIELAB for D65 by name, as calibrations keep it.

    Raises:
        MeasuredError: a colour is missing, or is none.
    """
    missing = [name for name in NOMINAL if name not in values]
    if missing:
        raise MeasuredError(f"there is no row for {', '.join(missing[:5])}{' ...' if len(missing) > 5 else ''}")
    try:
        labs = {name: np.array(values[name], np.float64) for name in NOMINAL}
    except (ValueError, TypeError):
        raise MeasuredError("a colour is not made of numbers") from None
    for name, lab in labs.items():
        if lab.shape != (3,) or not np.isfinite(lab).all() or not 0 <= lab[0] <= 105 or np.abs(lab[1:]).max() > 130:
            raise MeasuredError(f'"{name}" is no colour')
    return labs


def to_values(labs: Mapping[str, Array]) -> dict[str, list[float]]:
    """How a calibration keeps them."""
    return {name: [round(float(value), 3) for value in lab] for name, lab in labs.items()}


def off_nominal(labs: Mapping[str, Array]) -> dict[str, float]:
    """CIEDE2000 of each colour from the one it was meant to be."""
    nominal = nominal_labs()
    return {name: float(ciede2000(lab, nominal[name])) for name, lab in labs.items()}


def _check(labs: Mapping[str, Array]) -> None:
    for name, off in off_nominal(labs).items():
        if off > _FAR:
            raise MeasuredError(f'"{name}" is {off:.0f} (CIEDE2000) from what was to be printed: are rows swapped?')
    for name in NEUTRALS:
        cast = float(np.hypot(*labs[name][1:]))
        if cast > _MAX_CAST:
            raise MeasuredError(f'"{name}" should be grey and has a chroma of {cast:.0f}: print it again')
    ramp = [float(labs[name][0]) for name in NOMINAL if name.startswith("ramp")]
    if any(lighter <= darker for lighter, darker in pairwise(ramp)):
        raise MeasuredError("the grey ramp does not get darker from step to step")
    if ramp[0] - ramp[-1] < _LEAST_CONTRAST:
        raise MeasuredError("the print is too pale: the darkest grey has to be much darker")
