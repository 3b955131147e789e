"""The loops of the fit that NumPy cannot do at speed. Each has its NumPy reference in the tests."""

from __future__ import annotations

import math
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.locate.strip.kernels import bands, total_of

FAINT: Final = 0.42
"""Presence from which text rather belongs to the zone than not: shadow and glare leave half of it."""

SHIFT: Final = 14
TILT: Final = 8
"""Steps of a quarter row by which a line is moved at most, and its right end against its middle."""

_jit: Any = numba.njit(cache=True, error_model="numpy")


@_jit
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
        sums = np.empty(h)
        for i in range(h):
            sums[i] = total_of(ink[i, begin:end]) / max(end - begin, 1)
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
    offsets = np.empty((TILT + 1, blocks), np.int64)
    for t in range(TILT + 1):
        for b in range(blocks):
            offsets[t, b] = span - SHIFT + round((2 * t - TILT) * (x[b] / w - 0.5) * 2)
    scores = np.empty(2 * SHIFT + 1)
    steps = round((tallest - shortest) * fine / 2) + 1
    for s in range(steps):
        height = round(shortest * fine / 2) + s  # half the height, in steps
        total = 0.0
        for line in range(count):
            top_score = -1e9
            for t in range(TILT + 1):
                tilt = 2 * t - TILT
                for k in range(2 * SHIFT + 1):
                    scores[k] = -0.004 * blocks * (abs(k - SHIFT) + abs(tilt)) / fine
                for b in range(blocks):
                    # Only shifts with which top and base are within the profile.
                    off = offsets[t, b]
                    first, end = max(height - off, 0), min(2 * span + 1 - height - off, 2 * SHIFT + 1)
                    within = scores[first:end]
                    top, base = slope[line, b, off - height + first :], slope[line, b, off + height + first :]
                    for k in range(len(within)):
                        within[k] += top[k] - base[k]
                for k in range(2 * SHIFT + 1):
                    if scores[k] > top_score:
                        top_score = scores[k]
                        trial[line, 1] = lines[line, 1] + 2.0 * tilt / fine / w
                        trial[line, 0] = lines[line, 0] + (k - SHIFT - tilt) / fine
            total += top_score
        if total > best_total:
            best_total, best_height = total, 2.0 * height / fine
            out[:] = trial
    return out, best_height, best_total / (count * blocks)


@_jit
def presence(ink: NDArray[np.float32], lines: NDArray[np.float64], height: float, reach: int) -> NDArray[np.float64]:
    """Presence of text in each line and column, 0 to 1, smooth over a character, shape (count, w).

    Text is present where a line has more ink than the gaps beside it, relative to what it usually has more inside
    ``reach``.
    """
    count, w = len(lines), ink.shape[1]
    text = bands(ink, lines, -height / 2, height / 2)
    below = bands(ink, lines, height / 2 + 3, height / 2 + 8)
    above = bands(ink, lines, -height / 2 - 7, -height / 2 - 2)
    gap = (below + above).sum(axis=0) / (2 * count)
    width = max(3, round(1.5 * height))
    out = np.empty((count, w))
    sums = np.zeros(w + width)
    for line in range(count):
        for i in range(w + width - 1):
            x = min(max(i - width // 2, 0), w - 1)
            sums[i + 1] = sums[i] + text[line, x] - gap[x]
        smooth = (sums[width:] - sums[:-width]) / width
        inside = smooth[reach : w - reach]
        usual = max(np.partition(inside, len(inside) // 2)[len(inside) // 2], 0.02)
        for x in range(w):
            out[line, x] = min(max(smooth[x] / (0.75 * usual), 0.0), 1.0)
    return out


@_jit
def alike(lines: NDArray[np.float32], template: NDArray[np.float32], least: float) -> float:
    """How often a template occurs: the correlation coefficients above ``least``, less this, summed over all places.

    ``lines`` has shape (count, h, w), ``template`` (h, narrower).
    """
    count, h, w = lines.shape
    wide = template.shape[1]
    places = w - wide + 1
    pixels = h * wide
    pattern = template - template.mean()
    energy = (pattern * pattern).sum()
    total = 0.0
    for line in range(count):
        product, sums, squares = np.zeros((3, places), np.float32)
        for i in range(h):
            for j in range(wide):
                for x in range(places):
                    value = lines[line, i, x + j]
                    product[x] += pattern[i, j] * value
                    sums[x] += value
                    squares[x] += value * value
        for x in range(places):
            spread = squares[x] - sums[x] * sums[x] / pixels
            total += max(product[x] / math.sqrt(max(spread * energy, 1e-12)) - least, 0.0)
    return total


@_jit
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
