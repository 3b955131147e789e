"""From a guess to a zone: the guess is straightened, and its lines and character cells are measured."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.locate.fit import kernels
from edge_agent.processing.mrz.locate.fit.cells import THREE_LINES, Cells, cells, presence
from edge_agent.processing.mrz.locate.fit.fillers import pointing
from edge_agent.processing.mrz.locate.strip import REACH, SPACING, Strip, straightened
from edge_agent.processing.mrz.locate.strip.kernels import bands, extent
from edge_agent.processing.mrz.locate.zone import Quad, Zone, turned
from edge_agent.processing.mrz.picture import Picture

Array = NDArray[np.float64]

LEAST: Final = 0.08
"""Plausibility below which a zone is not worth a reader's time."""
SAGS: Final = 9
"""Points at which the sag of bent lines is told."""
_HEIGHTS: Final = (6.0, 16.0)
"""Of the capitals in the strip."""
_RHYTHM: Final = 0.6
"""Of 99 in 100 zones; 95 in 100 of other texts have less than a third of it."""


def measure(picture: Picture, lines: Array) -> Zone | None:
    """Measure the zone that a guess points at; None if nothing there is as even as the lines of a zone.

    ``lines`` has shape (2 or 3, 2, 2): the ends of each line's middle in pixels of the full picture. Of two lines with
    30 characters each the third was overlooked, and is sought on both sides.
    """
    zone = _measure(picture, lines)
    if zone is None or len(lines) == 3 or zone.columns != THREE_LINES:
        return zone
    step = lines[1] - lines[0]
    wider = (np.stack((lines[0] - step, *lines)), np.stack((*lines, lines[1] + step)))
    return max(filter(None, (_measure(picture, three) for three in wider)), key=lambda z: z.plausibility, default=None)


def _measure(picture: Picture, lines: Array) -> Zone | None:
    spacing, _ = extent(lines)
    halvings = max(0, int(math.log2(max(spacing, 1.0) / (0.9 * SPACING))))
    strip = straightened(picture.halved(halvings), (lines + 0.5) / 2**halvings - 0.5)
    if strip is None:
        return None
    middles, height, contrast = kernels.edges(strip.ink, strip.lines, REACH, *_HEIGHTS)
    if contrast <= 0:
        return None
    there, profiles = presence(strip.ink, middles, height, REACH)
    grid = cells(there, profiles, height * strip.stretch, REACH)
    if grid is None:
        return None
    plausibility = _plausibility(strip, middles, grid, height)
    if plausibility < LEAST:
        return None
    quads = tuple(
        ((quad + 0.5) * 2**halvings - 0.5).astype(np.float32) for quad in _quads(strip, middles, grid, height)
    )
    upright = pointing(strip.ink, middles, grid, height)
    sag = _sag(strip, grid, height)
    if upright < 0:
        quads, sag = turned(quads), tuple(-s for s in reversed(sag))
    return Zone(quads, grid.columns, plausibility, abs(upright), sag)


def _quads(strip: Strip, middles: Array, grid: Cells, height: float) -> list[Quad]:
    ends = np.array([grid.start, grid.end])
    bent = strip.bend_at(ends)
    out = []
    for at, slope in middles:
        left, right = at + slope * ends + bent
        corners = [
            (ends[0], left - height / 2),
            (ends[1], right - height / 2),
            (ends[1], right + height / 2),
            (ends[0], left + height / 2),
        ]
        out.append(cv2.perspectiveTransform(np.array([corners]), strip.to_picture)[0])
    return out


def _sag(strip: Strip, grid: Cells, height: float) -> tuple[float, ...]:
    """How far the lines sag below the straight line between their ends, at evenly spaced points, in heights."""
    columns = np.linspace(grid.start, grid.end, SAGS)
    bent = strip.bend_at(columns)
    return tuple(float(s) for s in (bent - np.linspace(bent[0], bent[-1], SAGS)) / height)


def _plausibility(strip: Strip, middles: Array, grid: Cells, height: float) -> float:
    """0 to 1: lines full of text, gaps between them empty, an even rhythm, and the proportions of OCR-B."""
    ink = strip.ink
    first = int(min(max(grid.start, 0), ink.shape[1] - 2))
    last = int(min(max(grid.end, first + 1), ink.shape[1]))
    text = bands(ink, middles, -0.35 * height, 0.35 * height)[:, first:last].mean()
    below = bands(ink, middles, 0.65 * height, SPACING - 0.65 * height)[:-1, first:last].mean()
    contrast = min(max(1 - below / max(text, 1e-6), 0), 1)
    even = min(1.0, 0.05 + grid.rhythm / _RHYTHM)
    proportion = math.exp(-0.5 * (math.log(grid.pitch / height / strip.stretch) / 0.5) ** 2)
    return float(contrast * grid.full**1.5 * (1 - 0.7 * grid.beyond) * even * proportion)
