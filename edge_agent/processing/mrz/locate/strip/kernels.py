"""The loops of straightening that NumPy cannot do at speed. Each has its NumPy reference in the tests."""

from __future__ import annotations

import math
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.kernels import solved

BEND: Final = 4
"""Terms of the polynomial that follows a bent page."""

_jit: Any = numba.njit(cache=True, error_model="numpy")
"""A division that must be asked whether it is one by zero keeps a loop from becoming vectors."""


@_jit
def extent(lines: NDArray[np.float64]) -> tuple[float, float]:
    """Mean distance of the middles of neighbouring lines, and mean length: of ends x, y, shape (count, 2, 2)."""
    count = len(lines)
    spacing = length = 0.0
    for i in range(count):
        length += math.hypot(lines[i, 1, 0] - lines[i, 0, 0], lines[i, 1, 1] - lines[i, 0, 1]) / count
        if i:
            step = 0.5 * (lines[i] + lines[i, ::-1] - lines[i - 1] - lines[i - 1, ::-1])[0]
            spacing += math.hypot(step[0], step[1]) / (count - 1)
    return spacing, length


@_jit
def bent(matrix: NDArray[np.float64], bend: NDArray[np.float64], height: int) -> NDArray[np.float32]:
    """Where in the picture each pixel of a strip lies whose columns are bent down by ``bend`` (w,) rows.

    ``matrix`` (3, 3) leads from the strip to the picture. Returns x and y, shape (2, ``height``, w).
    """
    m = matrix.astype(np.float32)
    w = len(bend)
    out = np.empty((2, height, w), np.float32)
    for i in range(height):
        for x in range(w):
            y = np.float32(i + bend[x])
            depth = m[2, 0] * np.float32(x) + m[2, 1] * y + m[2, 2]
            out[0, i, x] = (m[0, 0] * np.float32(x) + m[0, 1] * y + m[0, 2]) / depth
            out[1, i, x] = (m[1, 0] * np.float32(x) + m[1, 1] * y + m[1, 2]) / depth
    return out


@_jit
def relief(dark: NDArray[np.uint8], stripe: int, around: int) -> NDArray[np.float32]:
    """Dark strokes relative to the strokes around them, 0 to 1, so that shadow and glare do not count.

    Stripes along the lines (frames, edges, the grain of a desk) do not change from column to column; text does.

    Args:
        dark: How much darker each pixel is than what lies about it, shape (h, w).
        stripe: Columns to both sides over which ink that does not change is a stripe.
        around: Columns to both sides whose strokes a stroke is compared with.

    Returns:
        Ink, shape (h, w).
    """
    h, w = dark.shape
    ink = np.empty((h, w), np.float32)
    # Sums up to each column, padded so that each window is the difference of two of them.
    padded = w + 2 * stripe + 1
    levels, changes = np.zeros(padded, np.int32), np.zeros(padded, np.int32)
    steps = np.zeros(w, np.int32)
    share = np.empty(w, np.float32)
    for x in range(w):
        share[x] = 1 / (min(x + stripe + 1, w) - max(x - stripe, 0))
    columns = np.zeros(w, np.float32)
    for y in range(h):
        # Rows of their own and loops that do one thing each, which the compiler turns into vectors.
        line, out, inside = dark[y], ink[y], steps[1:]
        before, after = line[: w - 2], line[2:]
        for x in range(w - 2):
            inside[x] = abs(np.int32(after[x]) - np.int32(before[x]))
        level, change = np.int32(0), np.int32(0)
        for x in range(w):
            level += np.int32(line[x])
            change += steps[x]
            levels[stripe + 1 + x] = level
            changes[stripe + 1 + x] = change
        levels[stripe + 1 + w :] = level
        changes[stripe + 1 + w :] = change
        levels_end, changes_end = levels[2 * stripe + 1 :], changes[2 * stripe + 1 :]
        for x in range(w):
            changing = np.float32(changes_end[x] - changes[x]) * share[x]
            usual = np.float32(levels_end[x] - levels[x]) * share[x]
            text = min(changing / (np.float32(0.3) * usual + np.float32(1)), np.float32(1))
            out[x] = np.float32(line[x]) * text
        for x in range(w):
            columns[x] += out[x]
    total = np.zeros(w + 1)
    for x in range(w):
        total[x + 1] = total[x] + columns[x]
    near = np.empty(w, np.float32)
    for x in range(w):
        first, end = max(x - around, 0), min(x + around + 1, w)
        near[x] = (total[end] - total[first]) / ((end - first) * h)
    least = np.float32(0.3) * max(near.mean(), np.float32(1))
    for x in range(w):
        near[x] = 1 / (3 * max(near[x], least))
    for y in range(h):
        out = ink[y]
        for x in range(w):
            out[x] = min(out[x] * near[x], np.float32(1))
    return ink


@numba.njit(cache=True, fastmath={"reassoc"})
def total_of(values: NDArray[np.float32]) -> float:
    """Added up in whichever order is fastest."""
    total = 0.0
    for i in range(len(values)):
        total += values[i]
    return total


@_jit
def middles(
    ink: NDArray[np.float32], count: int, first: float, spacing: float, reach: int, block: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The straight line along the middle of each line of text in a straightened strip, and how the text bends from it.

    Args:
        ink: Shape (h, w), lines along x.
        count: How many lines.
        first: Where the first is expected, in rows.
        spacing: Rows from line to line.
        reach: Columns left out at both sides.
        block: Columns over which the place of a line is averaged.

    Returns:
        The lines, shape (count, 2): row at column 0, rows per column; the middle columns of the blocks, shape (b,);
        rows by which the text lies below its line there, and the ink that says so, shape (count, b) both.
    """
    h, w = ink.shape
    blocks = max(2, round((w - 2 * reach) / block))
    rows = np.zeros((blocks, h))
    x = np.empty(blocks)
    for b in range(blocks):
        begin = reach + b * (w - 2 * reach) // blocks
        end = reach + (b + 1) * (w - 2 * reach) // blocks
        x[b] = 0.5 * (begin + end - 1)
        for i in range(h):
            rows[b, i] = total_of(ink[i, begin:end])
        rows[b] -= rows[b].min()
    out = np.empty((count, 2))
    moved = np.empty(blocks)
    below = np.empty((count, blocks))
    weights = np.empty((count, blocks))
    for line in range(count):
        at, slope = first + line * spacing, 0.0
        weight = weights[line]
        # The window narrows to the line, and moves with it.
        for window in (0.55, 0.4, 0.4):
            for b in range(blocks):
                centre = at + slope * x[b]
                total = moment = 0.0
                for i in range(h):
                    share = min(max(window * spacing + 1 - abs(i - centre), 0.0), 1.0)
                    total += share * rows[b, i]
                    moment += share * rows[b, i] * i
                weight[b] = max(total, 1e-6)
                moved[b] = moment / total if total > 0 else centre
            trust = weight.copy()
            for _ in range(3):
                mean_x = (trust * x).sum() / trust.sum()
                mean_y = (trust * moved).sum() / trust.sum()
                slope = (trust * (x - mean_x) * (moved - mean_y)).sum() / (trust * (x - mean_x) ** 2).sum()
                at = mean_y - slope * mean_x
                trust = weight / (1 + ((moved - at - slope * x) / 0.8) ** 2)
        out[line] = at, slope
        below[line] = moved - at - slope * x
    return out, x, below, weights


@_jit
def bend(
    columns: NDArray[np.float64],
    below: NDArray[np.float64],
    weights: NDArray[np.float64],
    width: int,
    block: int,
) -> NDArray[np.float64]:
    """Rows by which all lines bend down together, as a page does, in each of ``width`` columns; 0 if they do not agree.

    ``columns``, ``below`` and ``weights`` are what ``middles`` returned for blocks of ``block`` columns.
    """
    count, blocks = below.shape
    curve = np.zeros(width)
    if blocks < BEND:
        return curve
    weight = weights.sum(axis=0)
    most = np.median(weight)
    matrix = np.zeros((BEND, BEND + 1))
    powers = np.empty(BEND + 1)
    for b in range(blocks):
        common = (below[:, b] * weights[:, b]).sum() / max(weight[b], 1e-9)
        for i in range(BEND):
            powers[i] = (columns[b] / width - 0.5) ** i
        powers[BEND] = common
        for i in range(BEND):
            for j in range(BEND + 1):
                matrix[i, j] += min(weight[b], most) * powers[i] * powers[j]
    terms = solved(matrix)
    for x in range(width):
        # No further out than one block, where a polynomial would run away.
        at = min(max(x, columns[0] - block), columns[-1] + block) / width - 0.5
        for i in range(BEND - 1, -1, -1):
            curve[x] = curve[x] * at + terms[i]
    before = after = 0.0
    for line in range(count):
        for b in range(blocks):
            before += weights[line, b] * below[line, b] ** 2
            after += weights[line, b] * (below[line, b] - curve[int(columns[b])]) ** 2
    if after >= 0.5 * before:
        curve[:] = 0.0
    return curve


@_jit
def bands(ink: NDArray[np.float32], lines: NDArray[np.float64], top: float, base: float) -> NDArray[np.float64]:
    """Mean ink of each column between two rows that are given relative to the middle of each line; shape (count, w)."""
    h, w = ink.shape
    out = np.zeros((len(lines), w))
    begin, end = np.empty((2, w), np.int32)
    for line in range(len(lines)):
        total = out[line]
        for x in range(w):
            middle = lines[line, 0] + lines[line, 1] * x + 0.5
            begin[x] = min(max(math.floor(middle + top), 0), h - 1)
            end[x] = min(max(math.floor(middle + base), begin[x] + 1), h)
        for y in range(begin.min(), end.max()):
            row = ink[y]
            for x in range(w):
                total[x] += row[x] if begin[x] <= y < end[x] else np.float32(0)
        for x in range(w):
            total[x] /= end[x] - begin[x]
    return out


@_jit
def beyond(ink: NDArray[np.float32], lines: NDArray[np.float64], spacing: float, reach: int) -> tuple[float, float]:
    """Text in the outer half of the ``reach`` columns at the left and at the right, relative to the text inside."""
    half = reach // 2
    text = bands(ink, lines, -4.0, 4.0) - bands(ink, lines, spacing / 2 - 3, spacing / 2 + 3)
    inside = max(text[:, reach:-reach].mean(), 1e-6)
    return text[:, :half].mean() / inside, text[:, -half:].mean() / inside


@_jit
def contrast(ink: NDArray[np.float32], lines: NDArray[np.float64], spacing: float, reach: int) -> float:
    """Of the ink of the faintest line, how much there is not in the darkest gap between lines; 1 if that is empty."""
    text = bands(ink, lines, -4.0, 4.0)[:, reach:-reach]
    gaps = bands(ink, lines[:-1], spacing / 2 - 3, spacing / 2 + 3)[:, reach:-reach]
    faintest, darkest = text[0].mean(), gaps[0].mean()
    for line in range(1, len(text)):
        faintest = min(faintest, text[line].mean())
    for line in range(1, len(gaps)):
        darkest = max(darkest, gaps[line].mean())
    return float(1 - darkest / max(faintest, 1e-6))
