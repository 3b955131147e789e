"""A calibration as tables: the curves of the reference materials, and what each pair of counts stands for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.xray.calibration import Calibration
from edge_agent.processing.xray.kernels import AIR, BITS, BRIGHT, FIRST, LEAST, SIZE, STEP_BITS, STEPS, UNBENT
from edge_agent.processing.xray.physics import ALUMINIUM, PMMA, STEEL, Material

Floats = NDArray[np.float64]

CLASSES: Final = ("nothing", "organic", "inorganic", "metal", "opaque")
"""By the number that ``kernels.classify`` gives them."""
EMPTY: Final = 0.02
"""Attenuation below which there is nothing: 1 mm of plastic."""
DARKEST: Final = 11.5
"""Attenuation of half a corrected count: there is no darker one."""
_THICK_ALUMINIUM_MM: Final = 90.0
"""More is rarely met: from there on, what may be steel is rather that."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Attenuations behind growing thickness of one material."""

    millimetres: Floats
    low: Floats
    high: Floats

    def low_at(self, high: Floats) -> Floats:
        """Attenuation of the low channel where the high one has ``high``."""
        return np.interp(high, self.high, self.low)

    def thickness(self, high: Floats) -> Floats:
        """Millimetres that the high channel's attenuation stands for."""
        return np.interp(high, self.high, self.millimetres)


@lru_cache(maxsize=32)
def curve(calibration: Calibration, material: Material) -> Curve:
    """The curve of a material up to ``DARKEST``."""
    millimetres = np.concatenate([[0.0], np.geomspace(1e-3, 3e4, 1500)])
    with np.errstate(divide="ignore"):
        low, high = calibration.attenuation({material: millimetres})
    seen = np.isfinite(low) & (high < 1.5 * DARKEST)
    return Curve(millimetres[seen], low[seen], high[seen])


def index(calibration: Calibration, low: Floats, high: Floats) -> Floats:
    """Where a pair of attenuations lies between the curves: 0 on that of PMMA, 1 aluminium, 2 steel; -1 to 3.

    It says what kind of atoms weaken the beam, independent of how much of them there is.
    """
    plastic, light, heavy = (curve(calibration, m).low_at(high) for m in (PMMA, ALUMINIUM, STEEL))
    # Towards no attenuation the curves meet, and every index is as good as another.
    first = (low - plastic) / _apart(light - plastic)
    second = 1 + (low - light) / _apart(heavy - light)
    return np.clip(np.where(first < 1, first, second), -1, 3)


def _apart(difference: Floats) -> Floats:
    return np.where(np.abs(difference) < 1e-6, 1e-6, difference)


@lru_cache(maxsize=8)
def limits(calibration: Calibration) -> NDArray[np.float32]:
    """Counts of the low channel that part organic from inorganic from metal, as ``kernels.classify`` takes them.

    Halfway between the curves; where aluminium would be thicker than it is ever met, nearer to it.
    """
    high = np.clip(-np.log(_middles(FIRST, SIZE, BITS) / AIR), 0, DARKEST)
    plastic, light, heavy = (curve(calibration, m).low_at(high) for m in (PMMA, ALUMINIUM, STEEL))
    thick = np.interp(
        _THICK_ALUMINIUM_MM, curve(calibration, ALUMINIUM).millimetres, curve(calibration, ALUMINIUM).high
    )
    share = np.interp(high, [thick, thick + 2], [0.5, 0.25])
    parted = np.stack([(plastic + light) / 2, light + share * (heavy - light)], axis=1)
    return np.asarray(AIR * np.exp(-parted), np.float32)


def _middles(first: int, size: int, bits: int) -> Floats:
    """The middles of the counts that share their leading bits."""
    whole = (np.arange(first, first + size, dtype=np.int64) << (23 - bits)) + (1 << (22 - bits))
    return whole.astype(np.int32).view(np.float32).astype(np.float64)


@lru_cache(maxsize=1)
def attenuations() -> Floats:
    """Attenuation in the middle of each step of ``kernels.colour``, shape (STEPS,)."""
    first = int(np.float32(UNBENT).view(np.int32)) >> (23 - STEP_BITS)
    darker = _middles(first, STEPS, STEP_BITS)
    counts = np.rint(int(BRIGHT) - darker).astype(np.int32).view(np.float32)
    return -np.log(np.clip(counts.astype(np.float64), LEAST, AIR) / AIR)


@lru_cache(maxsize=1)
def logarithms() -> NDArray[np.float32]:
    """Attenuation of each corrected count, shape (65536,)."""
    return (-np.log(np.maximum(np.arange(65536), 0.5) / AIR)).astype(np.float32)
