"""Structure that is dark in every scan of its kind, and therefore no news: wheels, axles, frame, edges of the belt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np

from edge_agent.processing.xray.maps import Maps, Mask, grow, shrink, spots
from edge_agent.processing.xray.scan import Orientation

Kind = Literal["baggage", "vehicle"]

_VEHICLE_PITCH_MM: Final = 2.5
"""Pixels from this size on are those of a scanner for vehicles."""
_SOMETHING: Final = 0.25
"""Attenuation from which a cell is no air."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is scanned here, so what is dark without meaning anything.

    Attributes:
        kind: ``baggage`` on a belt, or a ``vehicle`` that stands upright in the scan.
        belt_edge_mm: Width, on either side of the belt, in which edges of it may lie.
        wheel_mm: Smallest and largest diameter of a wheel.
        frame_mm: Height above the wheels' centres up to which the frame, a long dark bar, may lie.

    """

    kind: Kind
    belt_edge_mm: float = 60.0
    wheel_mm: tuple[float, float] = (350.0, 1_300.0)
    frame_mm: float = 700.0


def guess(maps: Maps) -> Expected:
    """What is scanned, by the size of the pixels."""
    small = maps.pitch_mm[0] / maps.factor < _VEHICLE_PITCH_MM or not maps.known_pitch
    return Expected("baggage" if small else "vehicle")


def structure(maps: Maps, expected: Expected, lines: Orientation) -> Mask:
    """Where the expected structure lies, with a margin of a cell."""
    return _belt(maps, expected, lines) if expected.kind == "baggage" else _running_gear(maps, expected)


def _belt(maps: Maps, expected: Expected, lines: Orientation) -> Mask:
    """Elements near the ends of the detector line that are dark nearly all along."""
    upright = lines is Orientation.LINES_ARE_ROWS
    high = maps.high if upright else maps.high.T
    pitch = maps.pitch_mm[1 if upright else 0]
    out = np.zeros(high.shape, np.bool_)
    dark = np.mean(high > _SOMETHING, axis=0) > 0.9
    # The edge is narrow: what is dark from one side of the belt to the other is the object itself.
    reach = max(round(2 * expected.belt_edge_mm / pitch), 2)
    for side in (slice(0, reach), slice(len(dark) - reach, None)):
        if dark[side].any() and not dark.all():
            out[:, side] = dark[side]
    out = grow(np.ascontiguousarray(out), 1)
    return out if upright else np.ascontiguousarray(out.T)


def _running_gear(maps: Maps, expected: Expected) -> Mask:
    """Wheels stand on the ground and are round; axles lie at their centres, the frame just above."""
    disc = np.zeros(maps.high.shape, np.uint8)
    out = disc.view(np.bool_)
    there = shrink(maps.high > _SOMETHING, 1)
    filled = np.flatnonzero(there.sum(axis=1) > maps.cells(80))
    if not filled.size:
        return out
    ground = int(filled[-1]) + 2
    rows_mm, columns_mm = maps.pitch_mm
    least, most = expected.wheel_mm
    # Where the wheels are free of the body, between their lowest point and a third of the smallest diameter above it.
    height = max(round(0.3 * least / rows_mm), 2)
    band = there[max(ground - height, 0) : ground].sum(axis=0) > 0.3 * height
    edges = np.flatnonzero(np.diff(np.concatenate([[False], band, [False]]).astype(np.int8)))
    centres = []
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        chord = (end - first) * columns_mm
        # The widest chord up to `h` above the ground belongs to a circle of this diameter.
        h = height * rows_mm * 0.7
        diameter = (chord / 2) ** 2 / h + h
        if not 0.5 * least <= diameter <= 1.3 * most:
            continue
        diameter = float(np.clip(diameter * 1.1, least, most))
        x, y = (first + end) / 2, ground - diameter / 2 / rows_mm
        centres.append(y)
        axes = (round(diameter / 2 * 1.35 / columns_mm), round(diameter / 2 * 1.35 / rows_mm))
        cv2.ellipse(disc, (round(x), round(y)), axes, 0, 0, 360, 1, -1)
    if not centres:
        return out
    # The frame: a long bar, dark against what is above it, between the wheels' centres and a little above the wheels.
    top = max(round(np.median(centres) - expected.frame_mm / rows_mm), 0)
    bottom = ground
    bars = np.zeros(out.shape, np.bool_)
    bars[top:bottom] = maps.high[top:bottom] > 1.0
    for spot in spots(bars, maps.cells(1500)):
        wide = (spot.window[1].stop - spot.window[1].start) * columns_mm
        row_share = spot.mask.sum(axis=1) * columns_mm / wide
        long_rows = np.flatnonzero(row_share > 0.6)
        if wide >= 2000 and long_rows.size and long_rows.size * rows_mm <= 400:
            rows = slice(spot.window[0].start + int(long_rows[0]), spot.window[0].start + int(long_rows[-1]) + 1)
            out[rows, spot.window[1]] |= bars[rows, spot.window[1]]
    return grow(out, 1)
