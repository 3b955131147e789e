"""The rules that propose a region to an officer, each with its reason and its numbers.

A proposal says what weakens the beam and how, never what it is: a material is named by what its attenuation resembles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.xray.calibration import Calibration
from edge_agent.processing.xray.decompose import areal_density, peel
from edge_agent.processing.xray.maps import Box, Map, Maps, Mask, Spot, grow, shrink, spots
from edge_agent.processing.xray.physics import PMMA, STEEL
from edge_agent.processing.xray.tables import CLASSES, curve

_MOST_CHANGES: Final = 2
"""Places where a load may differ from itself; with more it is no load of one thing."""

_MOST_CELLS: Final = 4_000
"""Of a load, by which it is judged."""
_STEPS: Final = 4096
"""Of attenuation, in each unit of it: 16 of them fill 16 bits."""

ORGANIC, INORGANIC, METAL, OPAQUE = range(1, 5)


@dataclass(frozen=True, slots=True)
class Rules:
    """From which size and strength on something is proposed.

    Attributes:
        shield_cm2: Area that nothing shines through.
        dense_g_cm2: Mass per area of something organic; clothes have 1 to 3, a full bottle of water 7.
        dense_cm2: Area of it.
        hidden_g_cm2: Mass per area of something organic behind metal.
        hidden_cm2: Area of it.
        load_cm2: Area from which a region that is alike throughout counts as a load.
        load_change: Change of attenuation within a load, relative.
        load_change_cm2: Area of the change.

    """

    shield_cm2: float = 4.0
    dense_g_cm2: float = 4.0
    dense_cm2: float = 15.0
    hidden_g_cm2: float = 1.0
    hidden_cm2: float = 4.0
    load_cm2: float = 2_500.0
    load_change: float = 0.06
    load_change_cm2: float = 4.0


BAGGAGE: Final = Rules()
VEHICLE: Final = Rules(
    shield_cm2=60.0,
    dense_g_cm2=20.0,
    dense_cm2=400.0,
    hidden_g_cm2=2.5,
    hidden_cm2=12.0,
    load_cm2=4_000.0,
    load_change=0.05,
    load_change_cm2=12.0,
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A region that an officer ought to look at. Presumptive: it names no substance.

    Attributes:
        kind: ``shield``, ``dense_organic``, ``organic_behind_metal``, ``load_not_homogeneous`` or ``changed``.
        reason: In an officer's words, with the numbers.
        box: Around it, in pixels of the scan.
        polygon: Its outline, (column, row) in pixels of the scan.
        pixels: Of the scan that it covers.
        area_mm2: In the object's plane; None where the scanner does not say its pitch.
        material: The class that its attenuation resembles; empty where it cannot be told.
        attenuation: Median of -ln(T) of the high channel.
        steel_mm: Steel that weakens the high channel as much.
        mass_g: Effective mass, of what is added to its surroundings where the rule is about that; None without a pitch.
        score: How far beyond the rule's threshold, 0 to 1; it orders proposals, it is no probability.

    """

    kind: str
    reason: str
    box: Box
    polygon: tuple[tuple[int, int], ...]
    pixels: int
    area_mm2: float | None
    material: str
    attenuation: float
    steel_mm: float
    mass_g: float | None
    score: float


def propose(maps: Maps, calibration: Calibration, rules: Rules, structure: Mask) -> list[Proposal]:
    """What all rules that look at one scan by itself propose, the most urgent first."""
    found = [*shields(maps, calibration, rules, structure)]
    if maps.dual:
        found += hidden(maps, calibration, rules, structure)
        found += dense(maps, calibration, rules, structure)
    found += broken_loads(maps, calibration, rules, structure)
    return sorted(found, key=lambda proposal: -proposal.score)


def shields(maps: Maps, calibration: Calibration, rules: Rules, structure: Mask) -> Iterator[Proposal]:
    """Regions too dark to see through, apart from the structure that always is."""
    for spot in spots((maps.classes == OPAQUE) & ~structure, rules.shield_cm2 / maps.cell_cm2):
        # Slivers around the expected structure are its edges.
        if not shrink(np.pad(spot.mask, 1), 1).any():
            continue
        area = spot.cells * maps.cell_cm2
        least = float(curve(calibration, STEEL).thickness(np.array(calibration.opaque)))
        reason = (
            f"Too dark to see through: {_area(maps, area)} let less than {np.exp(-calibration.opaque):.2%} of the beam"
            f" pass, as more than {least:.0f} mm of steel would."
        )
        yield make(maps, calibration, "shield", reason, spot, "opaque", None, _score(area, rules.shield_cm2))


def dense(maps: Maps, calibration: Calibration, rules: Rules, structure: Mask) -> Iterator[Proposal]:
    """Regions that resemble organic material, thick and alike throughout."""
    plastic = curve(calibration, PMMA)
    least = np.interp(rules.dense_g_cm2 * 10 / PMMA.density, plastic.millimetres, plastic.high)
    mask = (maps.classes == ORGANIC) & (maps.high >= np.float32(least)) & ~structure
    for spot in spots(mask, rules.dense_cm2 / maps.cell_cm2):
        core = shrink(np.pad(spot.mask, 1), 1)[1:-1, 1:-1]
        if core.sum() < 4:
            continue
        inside = maps.high[spot.window][core]
        spread = float(np.subtract(*np.percentile(inside, (84, 16)))) / 2
        if spread > 0.35 * float(np.median(inside)):
            continue
        here = areal_density(calibration, maps.high[spot.window][spot.mask].astype(np.float64), "organic")
        area, mass = spot.cells * maps.cell_cm2, float(here.sum()) * maps.cell_cm2
        reason = (
            f"Dense, organic-like material: {_area(maps, area)} of {np.median(here):.1f} g/cm2"
            f"{f', {mass:.0f} g in all' if maps.known_pitch else ''}."
        )
        score = _score(float(np.median(here)), rules.dense_g_cm2)
        yield make(maps, calibration, "dense_organic", reason, spot, "organic", mass, 0.8 * score)


def hidden(maps: Maps, calibration: Calibration, rules: Rules, structure: Mask) -> Iterator[Proposal]:
    """Regions that add something organic to the metal around them (layer peeling).

    What stands out from its surroundings is sought at three sizes; what it adds is taken behind the layer beside it.
    """
    smooth = np.asarray(cv2.blur(maps.high, (3, 3)), np.float32)
    steps = (smooth * _STEPS).astype(np.uint16)  # which OpenCV compares twice as fast as floats
    taken = np.zeros(smooth.shape, np.bool_)
    least = 0.08 + 3 * maps.sigma
    seen = (maps.classes != OPAQUE) & ~structure
    for size in (60.0, 120.0, 240.0):
        side = 2 * (maps.cells(size) // 2) + 1
        ground = cv2.morphologyEx(
            steps, cv2.MORPH_OPEN, np.ones((side, side), np.uint8), borderType=cv2.BORDER_REPLICATE
        )
        bump = smooth - ground * np.float32(1 / _STEPS) > least
        bump &= seen
        # A cut of one cell parts what only touches.
        for spot in spots(bump, rules.hidden_cm2 / maps.cell_cm2):
            if taken[spot.window][spot.mask].mean() > 0.3:
                continue
            proposal = _behind(maps, calibration, rules, spot, structure)
            if proposal is not None:
                taken[spot.window] |= spot.mask
                yield proposal


def _behind(maps: Maps, calibration: Calibration, rules: Rules, spot: Spot, structure: Mask) -> Proposal | None:
    """A proposal if a spot adds something organic to the metal around it."""
    margin = 5
    rows, columns = spot.window
    window = (
        slice(max(rows.start - margin, 0), rows.stop + margin),
        slice(max(columns.start - margin, 0), columns.stop + margin),
    )
    high, low, classes = maps.high[window], maps.low[window], maps.classes[window]
    mask = np.zeros(high.shape, np.bool_)
    top, left = rows.start - window[0].start, columns.start - window[1].start
    mask[top : top + spot.mask.shape[0], left : left + spot.mask.shape[1]] = spot.mask
    core = shrink(mask, 1) if spot.cells > 30 else mask
    if core.sum() < 4:
        return None
    ring = grow(mask, 4) & ~grow(mask, 1) & ~structure[window]
    metal = ring & ((classes == METAL) | (classes == INORGANIC))
    if ring.sum() < 8 or metal.sum() < 0.7 * ring.sum():
        return None
    front_low, front_high = mean(low, metal), mean(high, metal)
    inside_low, inside_high = mean(low, core), mean(high, core)
    added = inside_high - front_high
    if added <= 0 or inside_high > calibration.opaque - 0.3:
        return None
    # Beside it there has to be one layer, not a step from one to another: on each side of the spot much the same.
    beside = np.sort(high[metal])
    if float(beside[len(beside) * 4 // 5] - beside[len(beside) // 5]) > 0.6 * added:
        return None
    found = peel(
        calibration, (np.array([front_low]), np.array([front_high])), (np.array([inside_low]), np.array([inside_high]))
    )
    density = float(found.plastic_mm[0]) / 10 * PMMA.density
    index, doubt = float(found.index[0]), uncertainty(low, high, core) / max(float(found.apart[0]), 1e-6)
    # Surely no metal, and organic as far as the photons tell.
    if index > 0.5 + min(doubt, 0.4) or index + 2 * doubt > 2 or density < rules.hidden_g_cm2:
        return None
    layer = float(curve(calibration, STEEL).thickness(np.array(front_high)))
    area = spot.cells * maps.cell_cm2
    reason = (
        f"Organic-like material behind metal: {_area(maps, area)} add {density:.1f} g/cm2 to a layer like"
        f" {layer:.1f} mm of steel."
    )
    mass = density * area
    score = _score(density, rules.hidden_g_cm2)
    return make(maps, calibration, "organic_behind_metal", reason, spot, "organic", mass, score)


def broken_loads(maps: Maps, calibration: Calibration, rules: Rules, structure: Mask) -> Iterator[Proposal]:
    """Places where a load that is alike throughout is not."""
    high = np.minimum(maps.high, np.float32(calibration.opaque))
    side = 2 * (maps.cells(15) // 2) + 3
    mean = np.asarray(cv2.blur(high, (side, side)), np.float32)
    spread = np.sqrt(np.maximum(cv2.blur(high * high, (side, side)) - mean * mean, 0))
    calm = (spread < 0.02 + 0.04 * mean + 2 * maps.sigma) & (mean > 0.3) & (maps.classes != OPAQUE) & ~structure
    reach = maps.cells(40)
    for spot in spots(calm, rules.load_cm2 / maps.cell_cm2):
        load = np.pad(spot.mask, reach + 1)
        # Gaps that the load surrounds belong to it.
        load = shrink(grow(load, reach), reach)[reach + 1 : -reach - 1, reach + 1 : -reach - 1]
        if spot.cells < 0.6 * load.size:
            continue
        inside = high[spot.window]
        fit = _plane(inside, spot.mask)
        rest = inside - fit
        quiet = float(np.median(np.abs(_some(rest[spot.mask])))) * 1.5
        if quiet > 0.5 * rules.load_change * float(np.median(_some(inside[spot.mask]))):
            continue
        off = load & (np.abs(rest) > np.maximum(rules.load_change * fit, 6 * quiet))
        off &= grow(shrink(np.ascontiguousarray(off), 1), 1) & ~structure[spot.window]
        off &= shrink(np.ascontiguousarray(load), 2)
        changes = spots(off, rules.load_change_cm2 / maps.cell_cm2)
        if len(changes) > _MOST_CHANGES:
            continue
        for change in changes:
            where = tuple(
                slice(outer.start + inner.start, outer.start + inner.stop)
                for outer, inner in zip(spot.window, change.window, strict=True)
            )
            part = Spot(change.mask, (where[0], where[1]), change.cells)
            if part.cells > 0.3 * spot.cells:
                continue
            by = float(np.median(rest[change.window][change.mask] / fit[change.window][change.mask]))
            area = part.cells * maps.cell_cm2
            reason = (
                f"The load is not alike throughout: {_area(maps, area)} weaken the beam {abs(by):.0%}"
                f" {'more' if by > 0 else 'less'} than the load around them."
            )
            material = CLASSES[int(np.median(maps.classes[part.window][part.mask]))] if maps.dual else ""
            score = 0.7 * _score(abs(by), rules.load_change)
            yield make(maps, calibration, "load_not_homogeneous", reason, part, material, None, score)


def _some(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Enough of them to judge by, evenly spread."""
    return values[:: max(len(values) // _MOST_CELLS, 1)]


def _plane(values: NDArray[np.float32], mask: Mask) -> NDArray[np.float32]:
    """A plane through the values of a mask, fitted twice, the second time without what was far from it."""
    rows, columns = (index[:: max(len(index) // _MOST_CELLS, 1)] for index in np.nonzero(mask))
    system = np.stack([np.ones(len(rows)), rows, columns], axis=1)
    wanted = values[rows, columns].astype(np.float64)
    use = np.ones(len(rows), np.bool_)
    for _ in range(2):
        known = system[use]
        answer = np.linalg.lstsq(known.T @ known, known.T @ wanted[use], rcond=None)[0]
        off = np.abs(wanted - system @ answer)
        use = off <= 3 * np.median(off) + 1e-6
    level, down, along = answer.astype(np.float32)
    height, width = values.shape
    return np.asarray(
        level + down * np.arange(height, dtype=np.float32)[:, None] + along * np.arange(width, dtype=np.float32)
    )


def make(
    maps: Maps,
    calibration: Calibration,
    kind: str,
    reason: str,
    spot: Spot,
    material: str,
    mass_g: float | None,
    score: float,
) -> Proposal:
    """A proposal for a spot, with the numbers that all have."""
    attenuation = float(np.median(maps.high[spot.window][spot.mask]))
    steel = float(curve(calibration, STEEL).thickness(np.array(attenuation)))
    return Proposal(
        kind=kind,
        reason=reason,
        box=maps.box(spot),
        polygon=maps.polygon(spot),
        pixels=spot.cells * maps.factor**2,
        area_mm2=spot.cells * maps.cell_cm2 * 100 if maps.known_pitch else None,
        material=material,
        attenuation=attenuation,
        steel_mm=steel,
        mass_g=mass_g if maps.known_pitch else None,
        score=score,
    )


def mean(attenuation: Map, mask: Mask) -> float:
    """Attenuation of the mean transmission: the mean of logarithms is off where few photons arrive."""
    return float(-np.log(np.exp(-attenuation[mask].astype(np.float64)).mean()))


def uncertainty(low: Map, high: Map, mask: Mask) -> float:
    """Standard deviation of the mean difference of both channels over a mask, from the spread of its cells."""
    return float((low[mask] - high[mask]).std() / mask.sum() ** 0.5)


def _area(maps: Maps, cm2: float) -> str:
    if not maps.known_pitch:
        return f"{round(cm2 / maps.cell_cm2) * maps.factor**2} pixels"
    return f"{cm2:.0f} cm2" if cm2 >= 10 else f"{cm2:.1f} cm2"


def _score(value: float, threshold: float) -> float:
    return float(1 - 0.5 * threshold / max(value, threshold))
