"""What a spectrum is without its background: absorbance from transmittance, the baseline off, the grid of a library."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from pybaselines.whittaker import arpls

from edge_agent.processing.spectra.spectrum import Array, Spectrum, SpectrumError, Technique

SMOOTHNESS: Final = 1e6
"""lam of arPLS; measured best of six methods on 1,800 points at a step of 2 cm-1."""
STEP: Final = 2.0
"""The step, in 1/cm, at which a baseline is sought: ``SMOOTHNESS`` counts in points."""
_FLOOR: Final = 1e-4
"""Transmittance below which a band is as good as black."""


@dataclass(frozen=True, slots=True)
class Grid:
    """An even axis: ``first``, ``step`` in 1/cm, and ``count`` points."""

    first: float = 400.0
    step: float = STEP
    count: int = 1800

    def x(self) -> Array:
        """Shape (count,)."""
        return self.first + self.step * np.arange(self.count, dtype=np.float64)


def absorbing(spectrum: Spectrum) -> Spectrum:
    """The spectrum with bands that point upwards, x ascending: transmittance becomes absorbance.

    Raises:
        SpectrumError: its x are not in 1/cm or it has fewer than 32 points (unsupported-spectrum).
    """
    spectrum = spectrum.ascending()
    if spectrum.x.size < 32 or spectrum.peaks:
        raise SpectrumError("unsupported-spectrum", "Fewer than 32 points, or only peaks: that is not compared.")
    if spectrum.x_unit not in {"1/cm", ""}:
        raise SpectrumError("unsupported-spectrum", f"Its x are {spectrum.x_unit[:32]!r}: only 1/cm are compared.")
    if spectrum.y_unit not in {"transmittance", "reflectance", "percent"}:
        return spectrum
    y = spectrum.y / 100 if np.percentile(spectrum.y, 90) > 2 else spectrum.y
    return Spectrum(
        spectrum.x,
        -np.log10(np.maximum(y, _FLOOR)),
        technique=spectrum.technique,
        x_unit=spectrum.x_unit,
        y_unit="absorbance",
        title=spectrum.title,
        remarks=spectrum.remarks,
        doubts=spectrum.doubts,
    )


def flattened(y: Array) -> tuple[Array, Array]:
    """Take the baseline off an evenly spaced spectrum, shape (n,): what is left, and the baseline.

    Asymmetrically reweighted penalized least squares: Baek, Park, Ahn and Choo, Analyst 140 (2015) 250.
    """
    span = float(np.ptp(y))
    if span == 0.0:
        return np.zeros_like(y), y.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted, _ = arpls((y - y.min()) / span, lam=SMOOTHNESS)
    baseline = fitted * span + y.min()
    return y - baseline, baseline


def on_grid(spectrum: Spectrum, grid: Grid) -> tuple[Array, tuple[int, int]]:
    """A spectrum with x ascending on a grid: y, shape (count,), zero where it has none; and first and end index it has.

    A finer spectrum is averaged over each step, so that its noise is, too; a coarser one is interpolated.

    Raises:
        SpectrumError: they have fewer than 32 points in common (unsupported-spectrum).
    """
    x = grid.x()
    start = int(np.searchsorted(x, spectrum.x[0] - 1e-9))
    end = int(np.searchsorted(x, spectrum.x[-1] + 1e-9, side="right"))
    if end - start < 32:
        raise SpectrumError("unsupported-spectrum", f"It has too little between {x[0]:g} and {x[-1]:g} 1/cm.")
    y = np.zeros(grid.count)
    y[start:end] = resampled(spectrum.x, spectrum.y, x[start:end], grid.step)
    return y, (start, end)


def resampled(x: Array, y: Array, onto: Array, step: float) -> Array:
    """``y`` over ascending ``x``, at the even points ``onto``: means over ``step`` where there are finer ones."""
    spacing = float(np.median(np.diff(x)))
    if spacing >= step:
        return np.interp(onto, x, y)
    area = np.concatenate([[0.0], np.cumsum(np.diff(x) * (y[1:] + y[:-1]) / 2)])
    low, high = np.maximum(onto - step / 2, x[0]), np.minimum(onto + step / 2, x[-1])
    width = high - low
    mean = (np.interp(high, x, area) - np.interp(low, x, area)) / np.where(width > 0, width, 1.0)
    return np.where(width > step / 4, mean, np.interp(onto, x, y))


def even(spectrum: Spectrum, step: float = STEP) -> tuple[Array, Array]:
    """A spectrum with x ascending at an even step over all of its range: x and y."""
    x = np.arange(spectrum.x[0], spectrum.x[-1], step)
    if x.size > 1 << 16:
        raise SpectrumError("unsupported-spectrum", "Its x reach too far for a spectrum in 1/cm.")
    return x, resampled(spectrum.x, spectrum.y, x, step)


OPTICAL: Final = (Technique.RAMAN, Technique.INFRARED)
