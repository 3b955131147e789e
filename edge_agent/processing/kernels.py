"""Connected regions of a mask or a map of classes, for every family; held against OpenCV in the tests."""

from __future__ import annotations

from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

REGION: Final = 7
"""Numbers that ``connected`` returns for each region."""


@numba.njit(cache=True)
def connected(classes: NDArray[np.uint8], wanted: int, least: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Connected regions (8 neighbours) of the pixels of one class, from runs rather than pixels.

    Args:
        classes: Shape (rows, columns).
        wanted: The class; 255 for all but 0.
        least: Pixels below which a region is left out.

    Returns:
        The runs of the regions, shape (n, 4): row, first column, column behind the last, region. And the regions,
        shape (m, ``REGION``): left, top, right, bottom (the last two behind the region), pixels, sum of the columns
        and sum of the rows of its pixels.

    """
    rows, columns = classes.shape
    flat = classes.ravel()
    words = flat[: flat.size // 8 * 8].view(np.uint64)
    runs = np.empty((4096, 3), np.int32)
    parent = np.empty(4096, np.int32)
    count = 0
    before, start = 0, 0
    for y in range(rows):
        x = 0
        above = before
        start = count
        while x < columns:
            x = _skip(flat, words, y * columns, x, columns, wanted, False)
            if x == columns:
                break
            first = x
            x = _skip(flat, words, y * columns, x, columns, wanted, True)
            if count == len(runs):
                wider = np.empty((2 * count, 3), np.int32)
                wider[:count] = runs
                runs = wider
                longer = np.empty(2 * count, np.int32)
                longer[:count] = parent
                parent = longer
            runs[count, 0], runs[count, 1], runs[count, 2] = y, first, x
            parent[count] = count
            while above < start and runs[above, 2] < first:
                above += 1
            k = above
            while k < start and runs[k, 1] <= x:
                _join(parent, k, count)
                k += 1
            # The last run above may also touch the next run of this row.
            above = max(above, k - 1)
            count += 1
        before = start
    out = np.zeros((count, REGION), np.int64)
    label = np.empty(count, np.int32)
    found = 0
    for k in range(count):
        root = k
        while parent[root] != root:
            root = parent[root]
        parent[k] = root
        y, first, end = runs[k, 0], runs[k, 1], runs[k, 2]
        if root == k:
            label[k] = found
            out[found, 0], out[found, 1], out[found, 2], out[found, 3] = first, y, end, y + 1
            found += 1
        m = label[root]
        out[m, 0] = min(out[m, 0], first)
        out[m, 2] = max(out[m, 2], end)
        out[m, 3] = max(out[m, 3], y + 1)
        n = end - first
        out[m, 4] += n
        out[m, 5] += n * (first + end - 1) // 2
        out[m, 6] += n * y
    # Renumber those that are large enough.
    number = np.full(found, -1, np.int32)
    kept = 0
    for m in range(found):
        if out[m, 4] >= least:
            number[m] = kept
            out[kept] = out[m]
            kept += 1
    lines = np.empty((count, 4), np.int32)
    n = 0
    for k in range(count):
        m = number[label[parent[k]]]
        if m >= 0:
            lines[n, 0], lines[n, 1], lines[n, 2], lines[n, 3] = runs[k, 0], runs[k, 1], runs[k, 2], m
            n += 1
    return lines[:n], out[:kept]


@numba.njit(cache=True, inline="always")
def _skip(
    flat: NDArray[np.uint8], words: NDArray[np.uint64], row: int, x: int, columns: int, wanted: int, inside: bool
) -> int:
    """The first column from ``x`` on that is, or is not, of a region: eight pixels at once where they are equal."""
    while x < columns:
        value = flat[row + x]
        if (value == wanted or (wanted == 255 and value != 0)) != inside:
            return x
        x += 1
        equal = np.uint64(value) * np.uint64(0x0101010101010101)
        if (row + x) & 7 == 0:
            while x + 8 <= columns and words[(row + x) >> 3] == equal:
                x += 8
    return columns


@numba.njit(cache=True)
def _join(parent: NDArray[np.int32], a: int, b: int) -> None:
    """Make the earlier of two roots the root of both, so that a root is always met first."""
    while parent[a] != a:
        parent[a] = parent[parent[a]]
        a = parent[a]
    while parent[b] != b:
        parent[b] = parent[parent[b]]
        b = parent[b]
    if a < b:
        parent[b] = a
    elif b < a:
        parent[a] = b


@numba.njit(cache=True)
def paint(runs: NDArray[np.int32], out: NDArray[np.int32]) -> None:
    """Write the region of each run into a map that holds -1 elsewhere; ``runs`` as of ``connected``."""
    out[:] = -1
    for k in range(len(runs)):
        out[runs[k, 0], runs[k, 1] : runs[k, 2]] = runs[k, 3]
