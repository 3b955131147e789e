"""The wavenumber axis of a spectrometer, checked and corrected by the lines of polystyrene.

Instruments of the field were found to put the line at 1001.4 1/cm anywhere from 990 to 1006: no comparison with a
library means anything before that is put right. Sources: Raman shifts from ASTM E1840-96 (2022), infrared bands from
the European Pharmacopoeia, 2.2.24.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.interpolate import PchipInterpolator

from edge_agent.processing.spectra.baseline import even, flattened
from edge_agent.processing.spectra.quality import noise
from edge_agent.processing.spectra.spectrum import Array, Spectrum, SpectrumError, Technique

TOLERANCE: Final = 3.0
"""1/cm that a line may be off without, or after, correction."""
FARTHEST: Final = 30.0
"""1/cm; what is farther off is another material, or an instrument for its maker."""
MIN_LINES: Final = 5
_MAX_RMS: Final = 1.5
_STEP: Final = 0.25
_NEAR: Final = 9.0
"""How far from where all lines together put it a single line is looked for, in 1/cm."""
_MIN_HEIGHT: Final = 6.0
"""Of a line over the noise."""

LINES: Final[dict[Technique, tuple[tuple[float, float], ...]]] = {
    Technique.RAMAN: (
        (620.9, 0.25), (795.8, 0.1), (1001.4, 1.0), (1031.8, 0.35), (1155.3, 0.15), (1450.5, 0.15),
        (1583.1, 0.2), (1602.3, 0.4), (2852.4, 0.2), (2904.5, 0.4), (3054.3, 0.6),
    ),
    Technique.INFRARED: (
        (1028.3, 0.4), (1154.5, 0.15), (1583.0, 0.2), (1601.2, 0.5), (1942.9, 0.2), (2849.5, 0.6), (3060.0, 0.5),
    ),
}  # fmt: skip
"""Position in 1/cm, and about how high against the highest: the height only helps to find them."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: where it belongs, where it was found (both 1/cm), and how high it stands over the noise."""

    reference: float
    found: float
    height: float


@dataclass(frozen=True, slots=True)
class Correction:
    """What to add to the wavenumbers of an instrument.

    Attributes:
        coefficients: of a polynomial in (x - 1500) / 1000, the constant first; in 1/cm.
        first: lower end of where the lines held, in 1/cm; outside of them the value at the end is taken.
        last: upper end.

    """

    coefficients: tuple[float, ...]
    first: float
    last: float

    def at(self, x: Array) -> Array:
        """What to add at ``x``."""
        inside = (np.clip(x, self.first, self.last) - 1500.0) / 1000.0
        return np.asarray(np.polynomial.polynomial.polyval(inside, self.coefficients), np.float64)

    def applied(self, spectrum: Spectrum) -> Spectrum:
        """A spectrum with x ascending on the corrected axis."""
        return Spectrum(
            spectrum.x + self.at(spectrum.x),
            spectrum.y,
            technique=spectrum.technique,
            x_unit=spectrum.x_unit,
            y_unit=spectrum.y_unit,
            title=spectrum.title,
            remarks=spectrum.remarks,
            doubts=spectrum.doubts,
        )


@dataclass(frozen=True, slots=True)
class Check:
    """The axis of an instrument against polystyrene.

    Attributes:
        lines: that were found and agree with the correction.
        strays: that were found, but do not agree with the others.
        correction: that puts them right.
        worst: how far the worst line is off as measured, in 1/cm.
        residual: how far the worst is off after the correction.

    """

    lines: tuple[Line, ...]
    strays: tuple[Line, ...]
    correction: Correction
    worst: float
    residual: float

    @property
    def needed(self) -> bool:
        """Whether the axis may not be used without the correction."""
        return self.worst > TOLERANCE


def check(spectrum: Spectrum) -> Check:
    """Find the lines of polystyrene in a spectrum with x ascending and bands that point upwards.

    Raises:
        SpectrumError: not enough lines, or they fit no smooth correction (not-polystyrene); says what to do.
    """
    references = LINES.get(spectrum.technique)
    if references is None:
        raise SpectrumError("unsupported-spectrum", "Polystyrene checks Raman and infrared spectra only.")
    coarse, y = even(spectrum)
    bands, _ = flattened(y)
    fine = np.arange(spectrum.x[0], spectrum.x[-1], _STEP)
    level = max(noise(y), 1e-9 * float(np.ptp(y)))
    curve = (
        np.interp(fine, coarse, bands)
        if np.median(np.diff(spectrum.x)) < 1
        else _curve(spectrum, fine, coarse, y - bands)
    )
    shift = _common_shift(fine, curve, references)
    found = [line for line in (_line(fine, curve, at, shift, level) for at, _ in references) if line is not None]
    kept, correction = _fit(found)
    expected = sum(fine[0] + FARTHEST < at < fine[-1] - FARTHEST for at, _ in references)
    if spectrum.technique is Technique.INFRARED and len(kept) < expected - 1:
        raise _refused(f"only {len(kept)} of its {expected} bands are there")
    if spectrum.technique is Technique.RAMAN and not {620.9, 1001.4} <= {line.reference for line in kept}:
        raise _refused("the lines at 620.9 and 1001.4 1/cm, by which it is told from toluene, are not there")
    residual = max(abs(line.found + float(correction.at(np.array([line.found]))[0]) - line.reference) for line in kept)
    worst = max(abs(line.found - line.reference) for line in kept)
    if worst > FARTHEST:
        raise _refused(f"its lines are up to {worst:.0f} 1/cm off, more than a correction may do")
    return Check(tuple(kept), tuple(line for line in found if line not in kept), correction, worst, residual)


def _curve(spectrum: Spectrum, fine: Array, coarse: Array, baseline: Array) -> Array:
    """The spectrum between its own points by cubic pieces, without its baseline."""
    return np.asarray(PchipInterpolator(spectrum.x, spectrum.y)(fine)) - np.interp(fine, coarse, baseline)


def _common_shift(fine: Array, curve: Array, references: tuple[tuple[float, float], ...]) -> float:
    """How far all lines together are off: where a comb of them fits best."""
    clipped = np.clip(curve, 0, np.percentile(curve, 99.9))
    shifts = np.arange(-FARTHEST - 5, FARTHEST + 5.1, 0.5)
    inside = [(at, weight) for at, weight in references if fine[0] + FARTHEST < at < fine[-1] - FARTHEST]
    if len(inside) < MIN_LINES:
        raise _refused(f"only {len(inside)} of its lines lie in the range of this instrument")
    widths = np.arange(-12, 12.1, 1.0)
    bell = np.exp(-((widths / 4) ** 2) / 2)
    bell -= bell.mean()
    scores = np.zeros(shifts.size)
    for at, weight in inside:
        around = np.interp(at + shifts[:, None] + widths[None, :], fine, clipped)
        scores += weight * (around @ bell)
    return float(shifts[int(np.argmax(scores))])


def _line(fine: Array, curve: Array, at: float, shift: float, level: float) -> Line | None:
    """The highest point near where a line is due, refined by a parabola through the upper half of its flanks."""
    near = np.flatnonzero(np.abs(fine - at - shift) <= _NEAR)
    if near.size < 9:
        return None
    top = int(near[np.argmax(curve[near])])
    if top in {near[0], near[-1]}:
        return None
    around = slice(max(top - 60, 0), top + 61)
    height = float(curve[top] - np.percentile(curve[around], 10))
    if height < _MIN_HEIGHT * level:
        return None
    half = curve[top] - 0.35 * height
    low, high = top, top
    while low > 0 and curve[low - 1] >= half and top - low < 40:
        low -= 1
    while high < fine.size - 1 and curve[high + 1] >= half and high - top < 40:
        high += 1
    if high - low < 2:
        return Line(at, float(fine[top]), height / level)
    width = min(top - low, high - top) or 1
    piece = slice(top - width, top + width + 1)
    a, b, _ = np.polyfit(fine[piece] - fine[top], curve[piece], 2)
    offset = -b / (2 * a) if a < 0 else 0.0
    return Line(at, float(fine[top] + np.clip(offset, -3, 3)), height / level)


def _fit(found: list[Line]) -> tuple[list[Line], Correction]:
    """A polynomial through the lines, without those that do not agree with the rest."""
    kept = list(found)
    while len(kept) >= MIN_LINES:
        x = np.array([line.found for line in kept])
        off = np.array([line.reference for line in kept]) - x
        span = float(np.ptp(x))
        degree = 2 if len(kept) >= 6 and span > 1500 else 1 if span > 300 else 0
        fitted = np.polynomial.polynomial.polyfit((x - 1500.0) / 1000.0, off, degree)
        misses = np.abs(np.polynomial.polynomial.polyval((x - 1500.0) / 1000.0, fitted) - off)
        if misses.max() <= TOLERANCE and np.sqrt((misses**2).mean()) <= _MAX_RMS:
            return kept, Correction(tuple(float(value) for value in fitted), float(x.min()), float(x.max()))
        kept.pop(int(np.argmax(misses)))
    raise _refused(f"only {len(found)} lines stand out, and no {MIN_LINES} of them agree")


def _refused(why: str) -> SpectrumError:
    return SpectrumError(
        "not-polystyrene", f"This does not look like polystyrene: {why}. Measure the test piece anew, longer and clean."
    )
