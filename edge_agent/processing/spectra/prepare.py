"""What is compared of a spectrum: its bands without baseline and their first derivative, on the grid of a library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.signal import savgol_filter

from edge_agent.processing.spectra.baseline import Grid, absorbing, even, flattened, resampled
from edge_agent.processing.spectra.spectrum import Array, Spectrum, SpectrumError, Technique

GRIDS: Final = {
    Technique.INFRARED: Grid(400.0, 2.0, 1800),
    # Beyond, silicon detectors behind 785 nm go blind, and the bands have the heights of the detector.
    Technique.RAMAN: Grid(200.0, 1.0, 1700),
}
"""Where spectra are compared if a library does not say otherwise."""

SMOOTHING: Final = 26.0
"""1/cm: over so much the derivative is taken (Savitzky-Golay, second order), so that resolution matters little."""
MIN_COMMON: Final = 32
"""Points that two spectra must share."""
_BEYOND: Final = 50.0
"""1/cm around the grid that still count for the baseline."""

DEAD: Final[dict[Technique, tuple[tuple[float, float], ...]]] = {
    Technique.INFRARED: ((1850.0, 2450.0), (3200.0, 4000.0)),
    Technique.RAMAN: ((0.0, 350.0),),
}
"""1/cm where the instrument speaks more than the sample: diamond and CO2, moisture; the edge of the laser filter."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One spectrum ready to be compared.

    Attributes:
        bands: shape (count,), zero outside of start to end.
        slope: the first derivative of the same.
        start: index of the first point that it has.
        end: index behind the last.

    """

    bands: Array
    slope: Array
    start: int
    end: int


def prepare(spectrum: Spectrum, grid: Grid) -> Prepared:
    """Ready a spectrum of any kind; its wavenumbers must be right already.

    Raises:
        SpectrumError: it cannot be compared on this grid (unsupported-spectrum).
    """
    spectrum = absorbing(spectrum)
    x = grid.x()
    inside = (spectrum.x >= x[0] - _BEYOND) & (spectrum.x <= x[-1] + _BEYOND)
    if inside.sum() < MIN_COMMON:
        raise SpectrumError("unsupported-spectrum", f"It has too little between {x[0]:g} and {x[-1]:g} 1/cm.")
    cut = Spectrum(spectrum.x[inside], spectrum.y[inside])
    coarse, y = even(cut)
    start = int(np.searchsorted(x, cut.x[0] - 1e-9))
    end = int(np.searchsorted(x, cut.x[-1] + 1e-9, side="right"))
    window = 2 * round(SMOOTHING / grid.step / 2) + 1
    if end - start < max(MIN_COMMON, window) or coarse.size < MIN_COMMON:
        raise SpectrumError("unsupported-spectrum", f"It has too little between {x[0]:g} and {x[-1]:g} 1/cm.")
    _, baseline = flattened(y)
    bands, slope = np.zeros(grid.count), np.zeros(grid.count)
    own = x[start:end]
    bands[start:end] = resampled(cut.x, cut.y, own, grid.step) - np.interp(own, coarse, baseline)
    slope[start:end] = savgol_filter(bands[start:end], window, 2, deriv=1, delta=grid.step)
    return Prepared(bands, slope, start, end)


def alive(technique: Technique, grid: Grid) -> Array:
    """Shape (count,): 1 where a spectrum of this technique is compared by the masked measure, 0 in its dead regions."""
    x = grid.x()
    mask = np.ones(grid.count)
    for low, high in DEAD.get(technique, ()):
        mask[(x >= low) & (x <= high)] = 0.0
    return mask
