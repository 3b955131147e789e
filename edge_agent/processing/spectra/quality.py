"""Whether a spectrum is good enough to be compared with anything."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_agent.processing.spectra.baseline import even, flattened
from edge_agent.processing.spectra.spectrum import Array, Spectrum, Technique

MIN_SNR: Final = 10.0
MAX_SATURATED: Final = 0.003
MAX_FLUORESCENCE: Final = 0.95
"""Background of a Raman spectrum, as a share of background and highest band, beyond which its bands drown."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What can be told of a spectrum by itself.

    Attributes:
        snr: the highest band over the noise.
        saturated: share of the points that sit on the highest value, flat; 0 to 1.
        fluorescence: the background of a Raman spectrum over it and the highest band, 0 to 1; None for others.
        problems: what keeps it from being compared, and what to do about it.

    """

    snr: float
    saturated: float
    fluorescence: float | None
    problems: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.problems


def noise(y: Array) -> float:
    """The standard deviation of the noise of an evenly spaced spectrum, robust against its bands.

    From second differences, which take out all that is smooth: their variance is 6 times that of white noise.
    """
    if y.size < 5:
        return 0.0
    second = np.diff(y, 2)
    return float(np.median(np.abs(second - np.median(second)))) / 0.6745 / math.sqrt(6.0)


def assess(spectrum: Spectrum) -> Quality:
    """Judge a spectrum with x ascending and bands that point upwards, as ``baseline.absorbing`` makes it."""
    _, y = even(spectrum)
    bands, baseline = flattened(y)
    level = max(noise(y), 1e-12 * float(np.ptp(y) or 1.0))
    highest = float(np.percentile(bands, 99.8))
    snr = highest / level
    saturated = _saturated(spectrum.y)
    fluorescence = None
    if spectrum.technique is Technique.RAMAN:
        background = float(np.median(baseline) - baseline.min())  # a constant is the dark signal of the detector
        fluorescence = background / ((background + max(highest, 0.0)) or 1.0)
    problems = []
    if snr < MIN_SNR:
        problems.append(f"the bands stand only {max(snr, 0):.1f} times above the noise: measure longer, or closer")
    if saturated > MAX_SATURATED:
        problems.append("the detector was saturated: measure with less power or for a shorter time")
    if fluorescence is not None and fluorescence > MAX_FLUORESCENCE:
        problems.append("fluorescence drowns the bands: let the laser bleach the spot, or use another wavelength")
    return Quality(snr, saturated, fluorescence, tuple(problems))


def _saturated(y: Array) -> float:
    """Share of the points in flat runs of at least three at the top."""
    top = y >= y.max() - 1e-9 * float(np.ptp(y))
    runs = top[:-2] & top[1:-1] & top[2:]
    return float(runs.sum() + 2 * bool(runs.any())) / y.size if np.ptp(y) > 0 else 1.0
