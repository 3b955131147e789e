"""The loops of the fit that NumPy cannot do at speed. Each has its NumPy reference in the tests."""

from __future__ import annotations

from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

FAINT: Final = 0.42
"""Presence from which text rather belongs to the zone than not: shadow and glare leave half of it."""


@numba.njit(cache=True)
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
            for j in range(begin, end):
                rows[b, i] += ink[i, j]
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


@numba.njit(cache=True)
def edges(
    ink: NDArray[np.float32], lines: NDArray[np.float64], reach: int, shortest: float, tallest: float
) -> tuple[NDArray[np.float64], float, float]:
    """Fit the strip between top and base line of the capitals to each line: where ink begins and where it ends.

    Args:
        ink: Shape (h, w), lines along x.
        lines: Shape (count, 2): middle of each line, row at column 0 and rows per column.
        reach: Columns left out at both sides.
        shortest: Least height of the capitals, in rows.
        tallest: Largest.

    Returns:
        The lines moved to the middle between top and base; the height; and the contrast between inside and outside.
    """
    h, w = ink.shape
    fine = 4  # steps in a row
    span = 10 * fine  # steps to both sides
    blocks = 6
    count = len(lines)
    x = np.empty(blocks)
    profile = np.zeros((count, blocks, 2 * span + 1))
    for b in range(blocks):
        begin = reach + b * (w - 2 * reach) // blocks
        end = reach + (b + 1) * (w - 2 * reach) // blocks
        x[b] = 0.5 * (begin + end - 1)
        sums = np.zeros(h)
        for i in range(h):
            for j in range(begin, end):
                sums[i] += ink[i, j]
        sums /= max(end - begin, 1)
        for line in range(count):
            middle = lines[line, 0] + lines[line, 1] * x[b]
            for k in range(2 * span + 1):
                y = min(max(middle + (k - span) / fine, 0.0), h - 1.001)
                i = int(y)
                profile[line, b, k] = sums[i] + (y - i) * (sums[i + 1] - sums[i])
    # Rise of the ink over two rows, so that a single sharp row does not decide.
    slope = np.zeros_like(profile)
    slope[:, :, fine : 2 * span + 1 - fine] = profile[:, :, 2 * fine :] - profile[:, :, : 2 * span + 1 - 2 * fine]
    best_total, best_height = -1.0, 0.0
    out = lines.copy()
    trial = np.empty((count, 2))
    steps = round((tallest - shortest) * fine / 2) + 1
    for s in range(steps):
        height = round(shortest * fine / 2) + s  # half the height, in steps
        total = 0.0
        for line in range(count):
            top_score = -1e9
            for shift in range(-14, 15):
                for tilt in range(-8, 9, 2):
                    score = 0.0
                    for b in range(blocks):
                        off = span + shift + round(tilt * (x[b] / w - 0.5) * 2)
                        if off - height >= 0 and off + height <= 2 * span:
                            score += slope[line, b, off - height] - slope[line, b, off + height]
                    score -= 0.004 * blocks * (abs(shift) + abs(tilt)) / fine
                    if score > top_score:
                        top_score = score
                        trial[line, 1] = lines[line, 1] + 2.0 * tilt / fine / w
                        trial[line, 0] = lines[line, 0] + (shift - tilt) / fine
            total += top_score
        if total > best_total:
            best_total, best_height = total, 2.0 * height / fine
            out[:] = trial
    return out, best_height, best_total / (count * blocks)


@numba.njit(cache=True)
def bands(ink: NDArray[np.float32], lines: NDArray[np.float64], top: float, base: float) -> NDArray[np.float64]:
    """Mean ink of each column between two rows that are given relative to the middle of each line; shape (count, w)."""
    h, w = ink.shape
    out = np.zeros((len(lines), w))
    for line in range(len(lines)):
        for x in range(w):
            middle = lines[line, 0] + lines[line, 1] * x
            begin = min(max(round(middle + top), 0), h - 1)
            end = min(max(round(middle + base), begin + 1), h)
            for y in range(begin, end):
                out[line, x] += ink[y, x]
            out[line, x] /= end - begin
    return out


@numba.njit(cache=True)
def grid(
    presence: NDArray[np.float64], pitches: NDArray[np.float64], rhythm: NDArray[np.float64], columns: int, pad: int
) -> tuple[float, float, float]:
    """The place of ``columns`` cells that holds most text and leaves least outside.

    Args:
        presence: Of text in each line and column of the strip, 0 to 1, shape (count, w).
        pitches: Widths of a cell to try, in pixels.
        rhythm: How welcome each of them is.
        columns: Number of cells.
        pad: Columns that the grid may begin before the strip or end after it.

    Returns:
        Score per line and column, start of the first cell and width of the cells.
    """
    count, w = presence.shape
    total = np.zeros(w + 1)
    for x in range(w):
        total[x + 1] = total[x]
        for line in range(count):
            total[x + 1] += presence[line, x] - FAINT
    best, best_start, best_pitch = -1e9, 0.0, 0.0
    for p in range(len(pitches)):
        length = columns * pitches[p]
        for start in range(-pad, int(w + pad - length) + 1):
            end = start + length
            inside = total[min(max(round(end), 0), w)] - total[max(start, 0)]
            # There is no text outside the strip.
            inside -= FAINT * count * (max(-start, 0) + max(end - w, 0.0))
            score = inside / (count * w) + rhythm[p]
            if score > best:
                best, best_start, best_pitch = score, float(start), pitches[p]
    return best, best_start, best_pitch
