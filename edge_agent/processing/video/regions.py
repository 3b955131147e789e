"""From pixels that stand out to regions that may be objects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.kernels import connected, paint
from edge_agent.processing.video import kernels

CELLS: Final = 180
"""Rows of the grid on which regions are joined; a gap of one cell does not part them."""
VALLEY: Final = 0.6
"""Where a region is this much lower than on both sides, two objects stand beside each other."""
_PEAK: Final = 0.6
"""Share of the region's height that both of them have at least."""

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
    # Of 0 and 1 the mean that is rounded says whether half of a cell stands out (two of four pixels do).
    grid = np.asarray(cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8) if step > 1 else mask
    whole = rows * columns
    joined = _joined(grid, math.ceil(smallest * whole), limit)
    found: list[Region] = []
    for together, x, y in joined:
        for cells, left, top in _parted(together, x, y):
            high, wide = cells.shape
            box = (left / columns, top / rows, (left + wide) / columns, (top + high) / rows)
            covered = int(np.count_nonzero(cells)) / whole
            if covered >= smallest:
                found.append(Region(*box, covered, cells))
    return found


def _joined(grid: NDArray[np.uint8], least: int, limit: int) -> list[tuple[Cells, int, int]]:
    """The largest sets of joined cells, also over corners, that have ``least`` of them, with their places."""
    runs, sets = connected(grid, 1, least)
    numbers = np.empty(grid.shape, np.int32)
    paint(runs, numbers)
    largest = sorted(enumerate(sets[:, :5].tolist()), key=lambda each: -each[1][4])[:limit]
    return [(numbers[top:bottom, left:right] == number, left, top) for number, (left, top, right, bottom, _) in largest]


def _parted(cells: Cells, left: int, top: int) -> list[tuple[Cells, int, int]]:
    """Cut where the outline has a valley, as between people side by side; the parts with their places."""
    count = cells.shape[1]
    at = kernels.valley(cells, _PEAK, VALLEY) if count >= 8 else -1
    if at < 3 or at > count - 3:
        return [(cells, left, top)]
    parts = []
    for part, x in ((cells[:, :at], left), (cells[:, at:], left + at)):
        used = np.flatnonzero(part.any(axis=1))
        parts += _parted(np.ascontiguousarray(part[used[0] : used[-1] + 1]), x, top + int(used[0]))
    return parts
