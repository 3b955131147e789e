"""Find the machine readable zone on a page: any size, any direction, no orientation assumed.

At a few scales, coarse first, ridges of ink give parallel lines (``search``); each guess is straightened and measured
in the full picture (``fit``). The search ends at the first scale with a zone that leaves no doubt.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

import numpy as np

from edge_agent.processing.mrz.locate.fit import measure
from edge_agent.processing.mrz.locate.search import guesses
from edge_agent.processing.mrz.locate.zone import Quad, Zone
from edge_agent.processing.mrz.picture import Picture

__all__ = ["Quad", "Zone", "locate", "warm"]

MOST: Final = 4
"""Zones at most."""
SIDES: Final = (400, 280, 560, 800, 1120, 1600)
"""Longest sides of the reduced pictures. A zone as wide as the picture is found in the first two."""
CERTAIN: Final = 0.36
"""Plausibility that ends the search: 99 in 100 zones have more, nothing else was seen above 0.2."""
_LOWEST: Final = 24
"""Pixels; two lines need more."""
_SMALLEST: Final = 800
"""Side to which even the smallest picture is enlarged; others only if their characters could be read at all then."""
_GUESSES: Final = 5
"""At one scale."""


def locate(picture: Picture, *, thorough: bool = False) -> list[Zone]:
    """Places that may hold a machine readable zone, the most plausible first; at most four, empty if there is none.

    Args:
        picture: The page.
        thorough: Go on after a zone that leaves no doubt: for when it could not be read, or two documents lie together.
            Takes as long as a page without a zone, some ten times longer.
    """
    if min(picture.shape) < _LOWEST:
        return []
    found: list[Zone] = []
    for side in SIDES:
        if side > max(1.25 * max(picture.shape), _SMALLEST):
            continue
        reduced, scale = picture.sized(side)
        for guess in islice(guesses(reduced, scale), _GUESSES):
            zone = measure(picture, guess.lines)
            if zone is None:
                continue
            found.append(zone)
            if zone.plausibility > CERTAIN and not thorough:
                return _distinct(found)[:MOST]
    return _distinct(found)[:MOST]


def _distinct(zones: list[Zone]) -> list[Zone]:
    """Without those that lie on a more plausible one, by plausibility."""
    kept: list[Zone] = []
    for zone in sorted(zones, key=lambda zone: -zone.plausibility):
        if not any(_same(zone, other) for other in kept):
            kept.append(zone)
    return kept


def _same(a: Zone, b: Zone) -> bool:
    """Whether both claim the same cells of the same lines, to within a line's height, from either end."""
    if len(a.quads) != len(b.quads) or a.columns != b.columns:
        return False
    height = float(np.hypot(*(a.quads[0][3] - a.quads[0][0])))
    mine, other = (np.array([quad.mean(axis=0) for quad in zone.quads]) for zone in (a, b))
    return min(float(np.abs(mine - way).max()) for way in (other, other[::-1])) < height


def warm() -> None:
    """Compile the kernels, or load them from their cache, by a search on a page with some lines that bend."""
    page = np.full((300, 400), 230, np.uint8)
    for line in (200, 225):
        for x in range(20, 380, 8):
            y = line + (x - 200) ** 2 // 8000
            page[y : y + 8, x : x + 2] = page[y : y + 2, x : x + 5] = 20
    locate(Picture(page))
