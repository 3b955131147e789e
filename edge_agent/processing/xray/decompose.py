"""How much of what: two attenuations as plastic and steel, and what lies behind a layer that is known.

Basis decomposition after R. E. Alvarez and A. Macovski, Phys. Med. Biol. 21 (1976) 733: two energies tell two materials
apart, and any other looks like a mixture of the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.xray.calibration import Calibration
from edge_agent.processing.xray.physics import ALUMINIUM, PMMA, STEEL, Material
from edge_agent.processing.xray.tables import DARKEST, curve

Floats = NDArray[np.float64]

_HIGHS: Final = 160
_SHARES: Final = 65
_DEEPEST: Final = 9.0
"""Attenuation to which the table goes."""
_EXACT_MM: Final = 1e-9
_BEYOND: Final = 0.25
"""How far the table goes on beyond pure plastic, where noise and lighter materials lie."""


def basis(calibration: Calibration, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Millimetres of PMMA and of steel, in layers, that weaken both channels as much; both of the inputs' shape.

    Where a pixel lies beyond plastic, steel is negative: a material with lighter atoms than PMMA.
    """
    table = _table(calibration)
    plain, heavy = curve(calibration, PMMA).low_at(high), curve(calibration, STEEL).low_at(high)
    share = np.clip((low - plain) / np.maximum(np.abs(heavy - plain), 1e-3) * np.sign(heavy - plain), -_BEYOND, 1.1)
    row = np.sqrt(np.clip(high, 0, _DEEPEST) / _DEEPEST) * (_HIGHS - 1)
    column = (np.clip(share, -_BEYOND, 1) + _BEYOND) / (1 + _BEYOND) * (_SHARES - 1)
    return _bilinear(table[0], row, column), _bilinear(table[1], row, column)


@lru_cache(maxsize=8)
def _table(calibration: Calibration) -> Floats:
    """PMMA and steel by attenuation of the high channel and place between the curves, shape (2, highs, shares)."""
    highs = _DEEPEST * (np.arange(_HIGHS) / (_HIGHS - 1)) ** 2
    highs[0] = 1e-4
    most = curve(calibration, STEEL).thickness(highs)
    parts = np.linspace(0, 1, 49) ** 1.5
    steel = most[:, None] * parts
    plastic = _solve(calibration, {STEEL: steel}, PMMA, np.broadcast_to(highs[:, None], steel.shape))
    low, _ = calibration.attenuation({PMMA: plastic, STEEL: steel})
    plain = curve(calibration, PMMA).low_at(highs)[:, None]
    heavy = curve(calibration, STEEL).low_at(highs)[:, None]
    share = (low - plain) / np.where(np.abs(heavy - plain) < 1e-9, 1e-9, heavy - plain)
    wanted = np.linspace(-_BEYOND, 1, _SHARES)
    out = np.empty((2, _HIGHS, _SHARES))
    for i in range(_HIGHS):
        order = np.argsort(share[i])
        for k, amount in enumerate((plastic, steel)):
            out[k, i] = np.interp(wanted, share[i][order], amount[i][order])
            # On beyond plastic as straight as the curve begins.
            slope = (amount[i][3] - amount[i][0]) / max(share[i][3] - share[i][0], 1e-6)
            below = wanted < 0
            out[k, i][below] = amount[i][0] + slope * wanted[below]
    return out


def _bilinear(table: Floats, row: Floats, column: Floats) -> Floats:
    i = np.clip(row.astype(np.intp), 0, table.shape[0] - 2)
    j = np.clip(column.astype(np.intp), 0, table.shape[1] - 2)
    u, v = row - i, column - j
    above = table[i, j] * (1 - v) + table[i, j + 1] * v
    below = table[i + 1, j] * (1 - v) + table[i + 1, j + 1] * v
    return above * (1 - u) + below * u


def _solve(calibration: Calibration, front: dict[Material, Floats], added: Material, high: Floats) -> Floats:
    """Millimetres of ``added`` behind ``front`` that make up the high channel's attenuation; 0 if that has it already.

    Newton's method: attenuation grows and bends down with thickness, so it comes from below and never overshoots.
    """
    energies = np.array(calibration.energies_kev)
    mu = added.attenuation(energies)
    depth = sum(np.multiply.outer(t, material.attenuation(energies)) for material, t in front.items())
    share = np.exp(-np.asarray(depth)) * np.array(calibration.high)
    amount = np.zeros(high.shape)
    for _ in range(12):  # a few, mostly
        through = share * np.exp(-np.multiply.outer(amount, mu))
        total = np.maximum(through.sum(axis=-1), 1e-300)
        slope = (through @ mu) / total
        before, amount = amount, np.maximum(amount + (high + np.log(total)) / np.maximum(slope, 1e-9), 0)
        if np.abs(amount - before).max(initial=0) < _EXACT_MM:
            break
    return amount


@dataclass(frozen=True, slots=True, eq=False)
class Hidden:
    """What lies behind a known layer.

    Attributes:
        index: What its atoms are like: 0 PMMA, 1 aluminium, 2 steel; -1 to 3.
        plastic_mm: PMMA that would weaken the beam as much.
        steel_mm: The same of steel.
        apart: How far the low channel's attenuation behind PMMA and behind aluminium is apart: what an index of 1 is.

    """

    index: Floats
    plastic_mm: Floats
    steel_mm: Floats
    apart: Floats


def peel(calibration: Calibration, front: tuple[Floats, Floats], total: tuple[Floats, Floats]) -> Hidden:
    """Take a layer away that was measured beside an object (layer peeling).

    The layer has hardened the beam for what is behind it, so the curves are those behind the layer.

    Args:
        calibration: Of the scanner.
        front: Attenuations, low and high, of the layer alone, e.g. shape (n,).
        total: The same of layer and object.

    """
    front_low, front_high = (np.atleast_1d(np.asarray(a, np.float64)) for a in front)
    low, high = (np.atleast_1d(np.asarray(a, np.float64)) for a in total)
    high = np.minimum(high, DARKEST)
    plastic, steel = basis(calibration, front_low, front_high)
    layer = {PMMA: np.maximum(plastic, 0), STEEL: np.maximum(steel, 0)}
    # What the layer's model leaves over is no part of what is behind it.
    model_low, model_high = calibration.attenuation(layer)
    low, high = low - front_low + model_low, np.maximum(high - front_high + model_high, model_high)
    curves, amounts = [], []
    for material in (PMMA, ALUMINIUM, STEEL):
        amount = _solve(calibration, layer, material, high)
        behind = dict(layer)
        behind[material] = behind.get(material, np.zeros(high.shape)) + amount
        curves.append(calibration.attenuation(behind)[0])
        amounts.append(amount)
    light, heavy = (np.where(np.abs(d) < 1e-6, 1e-6, d) for d in (curves[1] - curves[0], curves[2] - curves[1]))
    first, second = (low - curves[0]) / light, 1 + (low - curves[1]) / heavy
    return Hidden(np.clip(np.where(first < 1, first, second), -1, 3), amounts[0], amounts[2], curves[1] - curves[0])


def areal_density(calibration: Calibration, high: Floats, material: str) -> Floats:
    """Grams per cm2 of a class of material that weaken the high channel as much."""
    like = {"organic": PMMA, "inorganic": ALUMINIUM}.get(material, STEEL)
    return curve(calibration, like).thickness(high) / 10 * like.density


def mean_areal_density(calibration: Calibration, high: NDArray[np.floating[Any]], material: str) -> float:
    """The mean of ``areal_density`` over many cells: what is alike to 1 in 4096 of attenuation is looked up once."""
    counts = np.bincount(np.rint(np.clip(high, 0, DARKEST) * 4096).astype(np.intp))
    seen = np.flatnonzero(counts)
    return float(np.average(areal_density(calibration, seen / 4096, material), weights=counts[seen]))
