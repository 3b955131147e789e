"""From pixels that stand out to regions that may be objects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

CELLS: Final = 180
"""Rows of the grid on which regions are joined; a gap of one cell does not part them."""
VALLEY: Final = 0.6
"""Where a region is this much lower than on both sides, two objects stand beside each other."""
_PEAK: Final = 0.6
"""Share of the region's height that both of them have at least."""
_FULL: Final = 110
"""Of 255: share of a cell that must stand out."""


Cells = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A box around what stands out, in shares of the picture's width and height, and the share that stands out."""

    left: float
    top: float
    right: float
    bottom: float
    area: float
    cells: Cells | None = None
    """Which cells within the box stand out, shape (rows, columns)."""

    @property
    def width(self) -> float:
        """Of the box."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Of the box."""
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        """Of the box: x, y."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


def places(region: Region) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middles of a region's cells, x and y, in shares of the picture."""
    if region.cells is None:
        return np.array([region.centre[0]]), np.array([region.centre[1]])
    rows, columns = region.cells.shape
    y, x = np.nonzero(region.cells)
    return region.left + (x + 0.5) * region.width / columns, region.top + (y + 0.5) * region.height / rows


def regions(mask: NDArray[np.uint8], smallest: float, *, limit: int = 64) -> list[Region]:
    """The regions of a mask of 0 and 1, shape (h, w), the largest first, at most ``limit`` of them.

    ``smallest`` is the share of the picture that a region must cover.
    """
    height, width = mask.shape
    step = max(height // CELLS, 1)
    rows, columns = height // step, width // step
    if step > 1:
        shares = cv2.resize(mask * np.uint8(255), (columns, rows), interpolation=cv2.INTER_AREA)
        grid = (shares > _FULL).view(np.uint8)
    else:
        grid = mask
    whole = rows * columns
    joined = _joined(grid, math.ceil(smallest * whole))
    joined.sort(key=lambda each: -int(np.count_nonzero(each[0])))
    found: list[Region] = []
    for together, x, y in joined[:limit]:
        for cells, left, top in _parted(together, x, y):
            high, wide = cells.shape
            box = (left / columns, top / rows, (left + wide) / columns, (top + high) / rows)
            covered = int(np.count_nonzero(cells)) / whole
            if covered >= smallest:
                found.append(Region(*box, covered, cells))
    return found


def _joined(grid: NDArray[np.uint8], least: int) -> list[tuple[Cells, int, int]]:
    """The sets of joined cells, also over corners, that have ``least`` of them, with their places.

    By their outlines: with few regions that takes an eighth of the time that labels and their statistics take.
    """
    outlines, hierarchy = cv2.findContours(grid, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    found: list[tuple[Cells, int, int]] = []
    for index, outline in enumerate(outlines):
        x, y, w, h = cv2.boundingRect(outline)
        if hierarchy[0, index, 3] >= 0 or w * h < least:  # the outline of a hole, or too small
            continue
        inner = np.zeros((h, w), np.uint8)
        cv2.drawContours(inner, outlines, index, [1], cv2.FILLED, cv2.LINE_8, hierarchy, 1, (-x, -y))
        cells = (inner & grid[y : y + h, x : x + w]).astype(np.bool_)
        if np.count_nonzero(cells) >= least:
            found.append((cells, x, y))
    return found


def _parted(cells: Cells, left: int, top: int) -> list[tuple[Cells, int, int]]:
    """Cut where the outline has a valley, as between people side by side; the parts with their places."""
    heights = cells.sum(axis=0)
    count = len(heights)
    if count < 8:
        return [(cells, left, top)]
    before = np.maximum.accumulate(heights)
    after = np.maximum.accumulate(heights[::-1])[::-1]
    depth = heights / np.minimum(before, after)
    depth[np.minimum(before, after) < _PEAK * cells.shape[0]] = 1.0
    at = int(np.argmin(depth))
    if depth[at] > VALLEY or at < 3 or at > count - 3:
        return [(cells, left, top)]
    parts = []
    for part, x in ((cells[:, :at], left), (cells[:, at:], left + at)):
        used = np.flatnonzero(part.any(axis=1))
        parts += _parted(part[used[0] : used[-1] + 1], x, top + int(used[0]))
    return parts
