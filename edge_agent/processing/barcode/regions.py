"""Where in a picture a bar code may be, and how it is turned: many edges close together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE: Final = 800
"""Pixels of the longer side in which regions are looked for."""
_WINDOW: Final = 21
_MINIMUM: Final = 0.0015
"""Of the picture's area; what is smaller is taken for text or texture."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle full of edges.

    Attributes:
        centre: x and y in pixels.
        size: along the direction in which brightness changes most, and across.
        angle: of that direction, in degrees, clockwise from the x axis; -90 to 90.
        coherence: 1 where all edges run the same way, as bars do; near 0 for a matrix of squares.
    """

    centre: tuple[float, float]
    size: tuple[float, float]
    angle: float
    coherence: float


def regions(grey: NDArray[np.uint8], most: int = 8) -> list[Region]:
    """Candidate regions of a grey picture, the likeliest first.

    The structure tensor of the gradients, smoothed over a window, says how many edges there are and whether they run
    one way (Bigun and Granlund, 1987). Strokes of text run all ways and lie in thin lines; bars and modules do not.
    """
    scale = min(1.0, _SIDE / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    if min(small.shape) < _WINDOW:
        return []
    dx = cv2.Sobel(small, cv2.CV_32F, 1, 0)
    dy = cv2.Sobel(small, cv2.CV_32F, 0, 1)
    xx, yy, xy = (cv2.boxFilter(product, -1, (_WINDOW, _WINDOW)) for product in (dx * dx, dy * dy, dx * dy))
    energy = xx + yy
    strong = energy > max(0.25 * float(np.percentile(energy, 99)), 400.0)
    coherence = np.hypot(xx - yy, 2 * xy) / (energy + 1)
    found: list[tuple[float, Region]] = []
    for mask in (strong & (coherence > 0.5), strong):
        closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
        found_outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        outlines = [np.asarray(outline, np.int32) for outline in found_outlines]
        for outline in sorted(outlines, key=cv2.contourArea, reverse=True)[: 2 * most]:
            area = cv2.contourArea(outline)
            if area < _MINIMUM * small.size:
                break
            inside = np.zeros(small.shape, np.uint8)
            cv2.drawContours(inside, [outline], -1, 1, -1)
            chosen = inside.astype(bool)
            a, b, c = (float(part[chosen].sum()) for part in (xx, yy, xy))
            angle = 0.5 * float(np.degrees(np.arctan2(2 * c, a - b)))
            directed = float(np.hypot(a - b, 2 * c) / (a + b + 1))
            if directed < 0.3:  # squares: their sides say more than their gradients
                angle = _side_angle(outline)
            found.append((area * (0.5 + directed), _box(outline, angle, directed, 1 / scale)))
    found.sort(key=lambda each: -each[0])
    return [region for _, region in found[:most]]


def _side_angle(outline: NDArray[np.int32]) -> float:
    angle = float(cv2.minAreaRect(outline)[2])
    return (angle + 45) % 90 - 45


def _box(outline: NDArray[np.int32], angle: float, coherence: float, scale: float) -> Region:
    """The smallest rectangle at this angle around an outline."""
    radians = np.radians(angle)
    along = np.array([np.cos(radians), np.sin(radians)])
    across = np.array([-along[1], along[0]])
    points = outline[:, 0, :].astype(np.float64)
    a, b = points @ along, points @ across
    centre = (along * (a.min() + a.max()) + across * (b.min() + b.max())) / 2 * scale
    size = (float(np.ptp(a)) * scale, float(np.ptp(b)) * scale)
    return Region((float(centre[0]), float(centre[1])), size, angle, coherence)
