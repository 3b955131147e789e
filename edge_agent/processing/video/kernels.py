"""The loops over pixels. Each has its NumPy reference in the tests, with which it agrees exactly.

Grey levels are int16 in units of 1/128 level (8.7 fixed point, 0 to 32640), so that a row of them is worked on in
registers of 16 values and more; every operation is cast back to int16, or the compiler would widen it.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import DTypeLike, NDArray

LEVEL: Final = 128
"""One grey level."""
MOST: Final = 8 * 1024
"""Largest deviation that is kept, so that two and a half times as much still fits."""

Fixed = NDArray[np.int16]
Bytes = NDArray[np.uint8]
Sums = NDArray[np.int32]

_LINE: Final = 64
_i = np.int16
_u = np.uint8


def plane(shape: tuple[int, int], kind: DTypeLike, value: int = 0) -> NDArray[Any]:
    """An array full of ``value`` that begins on a line of the cache: across two of them a register loads slowly."""
    size = math.prod(shape) * np.dtype(kind).itemsize
    room = np.empty(size + _LINE, np.uint8)
    begin = -room.ctypes.data % _LINE
    array = room[begin : begin + size].view(kind).reshape(shape)
    array[:] = value
    return array


@numba.njit(cache=True)
def _line(size: int, before: int) -> Bytes:
    """Room for a row of which byte number ``before`` begins a line of the cache, as in ``plane``."""
    room = np.empty(size + _LINE, np.uint8)
    begin = (_LINE - (room.ctypes.data + before) % _LINE) % _LINE
    return room[begin : begin + size]


@numba.njit(cache=True)
def compare(grey: Bytes, mean: Fixed, deviation: Fixed, least: int, level: Fixed, out: Bytes) -> None:
    """Smooth a picture, and mark what lies outside of all that the background shows within a pixel's distance.

    ``level`` becomes ``grey`` in fixed point after binomial smoothing (1 2 1 in both directions). ``out`` becomes 1
    where that is more than ``max(least, 2.5 * deviation)`` below the least, or above the greatest, of the nine means
    around it. Borders are repeated; all arrays have shape (h, w).
    """
    h, w = grey.shape
    size = 2 * (w + 2)
    row, low, high = _line(size, 2).view(np.int16), _line(size, 2).view(np.int16), _line(size, 2).view(np.int16)
    floor = _i(least)
    for y in range(h):
        up, down = max(y - 1, 0), min(y + 1, h - 1)
        above, here, below = grey[up], grey[y], grey[down]
        for x in range(w):
            row[x + 1] = _i(_i(above[x]) + _i(below[x]) + _i(_i(here[x]) << 1))
        mean_above, mean_here, mean_below = mean[up], mean[y], mean[down]
        for x in range(w):
            a, b, c = mean_above[x], mean_here[x], mean_below[x]  # read once: what is written might lie over them
            low[x + 1] = min(a, b, c)
            high[x + 1] = max(a, b, c)
        row[0], row[w + 1] = row[1], row[w]
        low[0], low[w + 1], high[0], high[w + 1] = low[1], low[w], high[1], high[w]
        levels, deviations, to = level[y], deviation[y], out[y]
        for x in range(w):
            now = _i(_i(row[x] + row[x + 2] + _i(row[x + 1] << 1)) << 3)
            levels[x] = now
            lowest = min(low[x], low[x + 1], low[x + 2])
            highest = max(high[x], high[x + 1], high[x + 2])
            allowed = max(_i(_i(deviations[x] << 1) + _i(deviations[x] >> 1)), floor)
            beyond = max(_i(lowest - now), _i(now - highest))
            to[x] = _u(beyond > allowed)


@numba.njit(cache=True)
def gain(grey: Bytes, mean: Fixed, darkest: int, brightest: int, fewest: int) -> float:
    """Median of the picture, smoothed as by ``compare``, over ``mean`` at every 16th pixel of every 16th row.

    From the fourth on; only where ``mean`` is more than ``darkest`` and both are less than ``brightest``; 1 if those
    are fewer than ``fewest``.
    """
    h, w = grey.shape
    ratios = np.empty(((h + 11) // 16) * ((w + 11) // 16), np.float64)
    count = 0
    for y in range(4, h, 16):
        for x in range(4, w, 16):
            then = mean[y, x]
            now = np.int64(0)
            for v in range(-1, 2):
                for u in range(-1, 2):
                    pixel = np.int64(grey[min(y + v, h - 1), min(x + u, w - 1)])
                    now += pixel << (5 - v * v - u * u)
            if then > darkest and then < brightest and now < brightest:
                ratios[count] = now / then
                count += 1
    return np.median(ratios[:count]) if count >= fewest else 1.0


@numba.njit(cache=True)
def adapt(
    level: Fixed, mean: Fixed, deviation: Fixed, moving: Bytes, raw: Bytes, before: Bytes, shift: int, blink: int
) -> None:
    """Move mean and deviation of the background towards a picture, in place; all of shape (h, w).

    Where nothing is ``moving`` (0) the mean takes 1/2**shift of the difference, and the deviation 1/32 of what the
    absolute difference has beyond it. Where ``raw`` differs from ``before`` (something blinks, as leaves and water do)
    the deviation grows by ``blink``; at most to ``MOST``.
    """
    h, w = level.shape
    by, half, step, most = _i(shift), _i(1 << (shift - 1)), _i(blink), _i(MOST)
    still, jumped = np.empty(w, np.int16), np.empty(w, np.int16)
    for y in range(h):
        levels, means, deviations = level[y], mean[y], deviation[y]
        busy, now, then = moving[y], raw[y], before[y]
        for x in range(w):  # bytes are widened apart from the rest, or all of it would be
            still[x] = _i(_i(busy[x]) - _i(1))  # all bits where still, none where it moves
            jumped[x] = _i(_i(0) - _i(now[x] ^ then[x]))
        for x in range(w):
            off = _i(levels[x] - means[x])
            step_of_mean = np.right_shift(_i(off + half), by)  # >> would widen, as long as it is no constant
            means[x] = _i(means[x] + _i(step_of_mean & still[x]))
            beyond = _i(_i(max(off, _i(-off)) - deviations[x] + _i(16)) >> _i(5))
            grown = _i(deviations[x] + _i(beyond & still[x]) + _i(step & jumped[x]))
            deviations[x] = min(grown, most)


@numba.njit(cache=True)
def majority(marked: Bytes, out: Bytes, least: int) -> None:
    """Mark, with 1, where at least ``least`` of the 25 pixels around are marked (1): 13 is the median.

    Beyond the left and right border nothing is marked; the first and last rows are repeated.
    """
    h, w = marked.shape
    row = _line(w + 4, 2)
    row[:2] = row[w + 2 :] = 0
    needed = _u(least)
    first, second = marked[0], marked[min(1, h - 1)]
    for x in range(w):
        row[x + 2] = _u(_u(first[x] << 2) + second[x])  # of the five rows around the one before the first
    for y in range(h):
        enters, leaves = marked[min(y + 2, h - 1)], marked[max(y - 3, 0)]
        for x in range(w):
            row[x + 2] = _u(_u(row[x + 2] + enters[x]) - leaves[x])
        to = out[y]
        for x in range(w):
            to[x] = _u(_u(row[x] + row[x + 1] + row[x + 2] + row[x + 3] + row[x + 4]) >= needed)


@numba.njit(cache=True)
def spread(marked: Bytes, out: Bytes) -> None:
    """Mark, with 1, what is within three pixels of something marked (1), over corners too; both of shape (h, w)."""
    h, w = marked.shape
    row = np.zeros(w + 6, np.uint8)
    for y in range(h):
        a, b, c, d = marked[max(y - 3, 0)], marked[max(y - 2, 0)], marked[max(y - 1, 0)], marked[y]
        e, f, g = marked[min(y + 1, h - 1)], marked[min(y + 2, h - 1)], marked[min(y + 3, h - 1)]
        for x in range(w):
            row[x + 3] = a[x] | b[x] | c[x] | d[x] | e[x] | f[x] | g[x]
        to = out[y]
        for x in range(w):
            to[x] = row[x] | row[x + 1] | row[x + 2] | row[x + 3] | row[x + 4] | row[x + 5] | row[x + 6]


@numba.njit(cache=True)
def shrink(marked: Bytes, out: Bytes) -> None:
    """Mark, with 1, what has nothing unmarked (0) within three pixels; both of shape (h, w), and all marked outside."""
    h, w = marked.shape
    row = np.ones(w + 6, np.uint8)
    for y in range(h):
        a, b, c, d = marked[max(y - 3, 0)], marked[max(y - 2, 0)], marked[max(y - 1, 0)], marked[y]
        e, f, g = marked[min(y + 1, h - 1)], marked[min(y + 2, h - 1)], marked[min(y + 3, h - 1)]
        for x in range(w):
            row[x + 3] = a[x] & b[x] & c[x] & d[x] & e[x] & f[x] & g[x]
        to = out[y]
        for x in range(w):
            to[x] = row[x] & row[x + 1] & row[x + 2] & row[x + 3] & row[x + 4] & row[x + 5] & row[x + 6]


@numba.njit(cache=True)
def profiles(level: Fixed) -> tuple[Sums, Sums]:
    """Sums of the columns, shape (w,), and of the rows, shape (h,), of a picture, shape (h, w)."""
    h, w = level.shape
    columns, rows = np.zeros(w, np.int32), np.zeros(h, np.int32)
    for y in range(h):
        line = level[y]
        for x in range(w):
            columns[x] += np.int32(line[x])
        total = np.int32(0)
        for x in range(w):
            total += np.int32(line[x])
        rows[y] = total
    return columns, rows


@numba.njit(cache=True)
def mismatches(profile: Sums, before: Sums, reach: int) -> NDArray[np.int64]:
    """How far the steps of a profile are off those of an earlier one, moved against it by -reach to reach.

    Sums of absolute differences over all places but the outermost ``reach`` of ``before``, shape (2 * reach + 1,).
    """
    out = np.zeros(2 * reach + 1, np.int64)
    for moved in range(out.size):
        wrong = np.int64(0)
        for i in range(reach, before.size - 1 - reach):
            at = i + moved - reach
            step, then = np.int32(profile[at + 1] - profile[at]), np.int32(before[i + 1] - before[i])
            wrong += abs(np.int32(step - then))
        out[moved] = wrong
    return out


@numba.njit(cache=True)
def shade(
    level: Fixed, mean: Fixed, marked: Bytes, out: Bytes, black: float, darkest: float, brightest: float, rough: float
) -> None:
    """Unmark what is only lit otherwise: shadows and gentle light, by cells of 4 x 4 pixels.

    In the 8 x 8 pixels around a cell (every second of each row and column), light scales the background by one
    factor, so that the mean absolute difference between the picture and the scaled background is small.

    Args:
        level: The picture in fixed point, shape (h, w).
        mean: The background.
        marked: What differs (1).
        out: As ``marked``, but 0 in cells that are only lit otherwise.
        black: What light does not scale, as haze, in levels * 128.
        darkest: Least factor of a shadow.
        brightest: Largest factor of light.
        rough: Difference beyond which it is something else, in levels * 128, plus 1/32 of the background.

    """
    h, w = level.shape
    strip = np.zeros((w + 3) // 4 * 4, np.uint8)
    for top in range(0, h, 4):
        strip[:] = 0
        seen = _u(0)
        for y in range(top, min(top + 4, h)):
            line, to = marked[y], out[y]
            for x in range(w):
                to[x] = line[x]
                strip[x] |= line[x]
                seen |= line[x]
        if seen == 0:
            continue
        for left in range(0, w, 4):
            if strip[left] | strip[left + 1] | strip[left + 2] | strip[left + 3] == 0:
                continue
            y0, y1, x0, x1 = max(top - 2, 0), min(top + 6, h), max(left - 2, 0), min(left + 6, w)
            total, ground, count = 0, 0, 0
            for y in range(y0, y1, 2):
                for x in range(x0, x1, 2):
                    total += level[y, x]
                    ground += mean[y, x]
                    count += 1
            haze = np.float32(black)
            lit, unlit = np.float32(total) - count * haze, max(np.float32(ground) - count * haze, np.float32(1))
            if lit < darkest * unlit or lit > brightest * unlit:
                continue
            factor = lit / unlit
            wrong = np.float32(0)
            for y in range(y0, y1, 2):
                for x in range(x0, x1, 2):
                    wrong += abs(np.float32(level[y, x]) - haze - factor * (np.float32(mean[y, x]) - haze))
            if wrong < count * rough + lit / np.float32(32):
                for y in range(top, min(top + 4, h)):
                    for x in range(left, min(left + 4, w)):
                        out[y, x] = 0


@numba.njit(cache=True)
def valley(cells: NDArray[np.bool_], peak: float, deepest: float) -> int:
    """The column in which a set of cells, shape (h, w), is lowest against the lower of the highest on both sides.

    Only where both of those have at least ``peak`` of the rows; -1 if there is none with at most ``deepest`` of it.
    """
    h, w = cells.shape
    heights, after = np.zeros(w, np.int32), np.empty(w, np.int32)
    for y in range(h):
        for x in range(w):
            heights[x] += cells[y, x]
    high = np.int32(0)
    for x in range(w - 1, -1, -1):
        high = max(high, heights[x])
        after[x] = high
    at, lowest, high = -1, deepest, np.int32(0)
    for x in range(w):
        high = max(high, heights[x])
        lower = min(high, after[x])
        if lower >= peak * h and lower > 0:
            depth = heights[x] / lower
            if depth < lowest or (at < 0 and depth == lowest):
                at, lowest = x, depth
    return at


@numba.njit(cache=True)
def texture(grey: Bytes, before: Bytes, out: NDArray[np.int32]) -> None:
    """What the cells of 16 x 16 pixels of a picture look like; what does not fill a cell is left out.

    Args:
        grey: The picture, shape (h, w).
        before: An earlier one.
        out: Sums over each cell, shape (h // 16, w // 16, 4): grey levels; squared differences of horizontal
            neighbours; squared differences of pixels four apart; absolute differences to the earlier picture. Pixels
            whose neighbour lies in another cell have no part in the differences.

    """
    rows, columns = out.shape[0], out.shape[1]
    width = 16 * columns
    total, change = np.empty(width, np.int32), np.empty(width, np.int32)
    fine, coarse = np.zeros(width, np.int32), np.zeros(width, np.int32)
    for i in range(rows):
        total[:], change[:], fine[:], coarse[:] = 0, 0, 0, 0
        for y in range(16 * i, 16 * i + 16):
            line, then = grey[y], before[y]
            for x in range(width):
                total[x] += np.int32(line[x])
                change[x] += abs(np.int32(line[x]) - np.int32(then[x]))
            for x in range(width - 1):
                step = np.int32(line[x + 1]) - np.int32(line[x])
                fine[x] += step * step
            for x in range(width - 4):
                step = np.int32(line[x + 4]) - np.int32(line[x])
                coarse[x] += step * step
        for j in range(columns):
            left = 16 * j
            out[i, j, 0] = total[left : left + 16].sum()
            out[i, j, 1] = fine[left : left + 15].sum()
            out[i, j, 2] = coarse[left : left + 12].sum()
            out[i, j, 3] = change[left : left + 16].sum()
