"""The loops of the search that NumPy cannot do at speed. Each has its NumPy reference in the tests."""

from __future__ import annotations

import math
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

SEGMENT: Final = 8
"""Numbers that ``grow`` returns for each segment."""
LINE: Final = 6
"""Numbers that ``join`` returns for each line."""

_jit: Any = numba.njit(cache=True, error_model="numpy")


@_jit
def ridges(
    ink: NDArray[np.float32],
    xx: NDArray[np.float32],
    yy: NDArray[np.float32],
    xy: NDArray[np.float32],
    floor: float,
    contrast: float,
) -> NDArray[np.complex64]:
    """Direction of the ridge through each pixel, 0 where there is none.

    A pixel lies on a ridge if there is more ink than beside it, and ``contrast`` times as much as further away, on
    both sides; the direction is that of least change in the structure tensor ``xx``, ``yy``, ``xy``.

    Args:
        ink: Smoothed ink, shape (h, w).
        xx: Mean square of the ink's derivative to x around each second pixel, shape (h // 2, w // 2).
        yy: The same to y.
        xy: Mean of their product.
        floor: Ink below which no ridge is sought.
        contrast: How much more ink than in the gaps beside the line.

    Returns:
        Unit numbers with twice the angle from the x axis, shape (h, w): both ways along a line are the same direction.
    """
    h, w = ink.shape
    out = np.zeros((h, w), np.complex64)
    coarse = xx.shape[1]
    along = np.empty(coarse, np.complex64)
    ny, nx = np.empty((2, coarse))
    plain = np.empty(coarse, np.bool_)
    for y in range(h):
        i = min(y // 2, len(xx) - 1)
        if y % 2 == 0 and y // 2 < len(xx):
            for j in range(coarse):
                total = np.float64(xx[i, j] + yy[i, j])
                difference, cross = np.float64(xx[i, j] - yy[i, j]), np.float64(2 * xy[i, j])
                coherent = math.sqrt(difference * difference + cross * cross)
                plain[j] = coherent > 0.25 * total
                # The normal is the first eigenvector of the tensor, from the half angle without trigonometry.
                cosine = difference / max(coherent, 1e-30)
                nx[j] = math.sqrt(max(0.5 + 0.5 * cosine, 0.0))
                ny[j] = math.copysign(math.sqrt(max(0.5 - 0.5 * cosine, 0.0)), cross)
                along[j] = complex(-cosine, -cross / max(coherent, 1e-30))
        for x in range(w):
            here, j = ink[y, x], min(x // 2, coarse - 1)
            if here <= floor or not plain[j]:
                continue
            dy, dx = math.floor(ny[j] + 0.5), math.floor(nx[j] + 0.5)
            before = ink[min(max(y - dy, 0), h - 1), max(x - dx, 0)]
            behind = ink[min(max(y + dy, 0), h - 1), min(x + dx, w - 1)]
            if max(before, behind) > here:
                continue
            on = True
            for side in (-1, 1):
                if not on:
                    break
                on = False
                for step in range(2, 8):
                    p, q = math.floor(y + side * step * ny[j] + 0.5), math.floor(x + side * step * nx[j] + 0.5)
                    # Beyond the border there is nothing.
                    if not (0 <= p < h and 0 <= q < w) or ink[p, q] * contrast <= here:
                        on = True
                        break
            if on:
                out[y, x] = along[j]
    return out


@_jit
def grow(
    direction: NDArray[np.complex64],
    ink: NDArray[np.float32],
    sharp: NDArray[np.float32],
    tolerance: float,
    shortest: float,
) -> NDArray[np.float32]:
    """Join neighbouring ridge pixels of like direction to straight segments.

    Args:
        direction: Of the ridge through each pixel, from ``ridges``, shape (h, w).
        ink: Smoothed ink, the weight of each pixel, shape (h, w).
        sharp: Ink before it was smoothed, shape (h, w).
        tolerance: Largest angle between a pixel's direction and that of the segment so far, in radians.
        shortest: Length in pixels below which a segment is dropped.

    Returns:
        Shape (n, ``SEGMENT``): ends x0, y0, x1, y1, mean ink, number of pixels, length, and how much the ink changes
        along the segment, relative to the ink itself: little on frames and edges, much on text.
    """
    h, w = direction.shape
    taken = direction == 0
    within = math.cos(2 * tolerance)
    queue = np.empty((h * w, 2), np.int32)
    out = np.empty((256, SEGMENT), np.float32)
    found = 0
    for y0 in range(h):
        for x0 in range(w):
            if taken[y0, x0]:
                continue
            queue[0] = y0, x0
            taken[y0, x0] = True
            size, done, length = 1, 0, 1.0
            mean = direction[y0, x0]
            while done < size:
                y, x = queue[done]
                done += 1
                for i in range(max(y - 2, 0), min(y + 3, h)):
                    for j in range(max(x - 2, 0), min(x + 3, w)):
                        if taken[i, j]:
                            continue
                        here = direction[i, j]
                        if here.real * mean.real + here.imag * mean.imag < within * length:
                            continue
                        taken[i, j] = True
                        queue[size] = i, j
                        size += 1
                        mean += here
                        length = math.hypot(mean.real, mean.imag)
            if size < shortest * 0.5:
                continue
            total = sx = sy = sxx = syy = sxy = 0.0
            for k in range(size):
                i, j = queue[k]
                weight = ink[i, j]
                total += weight
                sx += weight * j
                sy += weight * i
                sxx += weight * j * j
                syy += weight * i * i
                sxy += weight * i * j
            sx /= total
            sy /= total
            sxx = sxx / total - sx * sx
            syy = syy / total - sy * sy
            sxy = sxy / total - sx * sy
            along = 0.5 * math.atan2(2 * sxy, sxx - syy)
            ux, uy = math.cos(along), math.sin(along)
            low = high = 0.0
            for k in range(size):
                at = (queue[k, 1] - sx) * ux + (queue[k, 0] - sy) * uy
                low = min(low, at)
                high = max(high, at)
            if high - low < shortest:
                continue
            change = level = 0.0
            for k in range(size):
                y, x = queue[k]
                i0 = min(max(round(y - 1.5 * uy), 0), h - 1)
                j0 = min(max(round(x - 1.5 * ux), 0), w - 1)
                i1 = min(max(round(y + 1.5 * uy), 0), h - 1)
                j1 = min(max(round(x + 1.5 * ux), 0), w - 1)
                change += abs(sharp[i1, j1] - sharp[i0, j0])
                level += sharp[y, x]
            if found == len(out):
                wider = np.empty((2 * found, SEGMENT), np.float32)
                wider[:found] = out
                out = wider
            out[found, 0] = sx + low * ux
            out[found, 1] = sy + low * uy
            out[found, 2] = sx + high * ux
            out[found, 3] = sy + high * uy
            out[found, 4] = total / size
            out[found, 5] = size
            out[found, 6] = high - low
            out[found, 7] = change / max(level, 1e-6)
            found += 1
    return out[:found]


@_jit
def join(segments: NDArray[np.float32], gap: float) -> NDArray[np.float64]:
    """Join segments that continue one another to lines, the heaviest first.

    Args:
        segments: Shape (n, ``SEGMENT``), from ``grow``.
        gap: Pixels that a line may be interrupted.

    Returns:
        Shape (m, ``LINE``): ends x0, y0, x1, y1, length covered by segments, ink times that length.
    """
    n = len(segments)
    weight = segments[:, 4] * segments[:, 6] * np.minimum(segments[:, 7] / 0.8, 1.0) ** 2
    order = np.argsort(-weight)
    free = np.ones(n, np.bool_)
    members = np.empty(n, np.int64)
    out = np.empty((n, LINE), np.float64)
    lines = 0
    for seed in order:
        if not free[seed]:
            continue
        free[seed] = False
        members[0] = seed
        size = 1
        ox = 0.5 * (segments[seed, 0] + segments[seed, 2])
        oy = 0.5 * (segments[seed, 1] + segments[seed, 3])
        ux = (segments[seed, 2] - segments[seed, 0]) / segments[seed, 6]
        uy = (segments[seed, 3] - segments[seed, 1]) / segments[seed, 6]
        low, high = -0.5 * segments[seed, 6], 0.5 * segments[seed, 6]
        at, slope = 0.0, 0.0
        grown = True
        while grown:
            grown = False
            for i in order:
                if not free[i]:
                    continue
                xa = (segments[i, 0] - ox) * ux + (segments[i, 1] - oy) * uy
                xb = (segments[i, 2] - ox) * ux + (segments[i, 3] - oy) * uy
                ya = (segments[i, 1] - oy) * ux - (segments[i, 0] - ox) * uy
                yb = (segments[i, 3] - oy) * ux - (segments[i, 2] - ox) * uy
                if xa > xb:
                    xa, xb, ya, yb = xb, xa, yb, ya
                if xa > high + gap or xb < low - gap:
                    continue
                off = max(abs(ya - at - slope * xa), abs(yb - at - slope * xb))
                away = max(xb - high, low - xa, 0.0)
                if off > 1.5 + 0.03 * away or min(high, xb) - max(low, xa) > 0.5 * (xb - xa):
                    continue
                free[i] = False
                members[size] = i
                size += 1
                low, high = min(low, xa), max(high, xb)
                # The straight line through the ends of all members, weighted by their lengths.
                s = sx = sy = sxx = sxy = 0.0
                for k in range(size):
                    j = members[k]
                    for e in (0, 2):
                        x = (segments[j, e] - ox) * ux + (segments[j, e + 1] - oy) * uy
                        y = (segments[j, e + 1] - oy) * ux - (segments[j, e] - ox) * uy
                        w = segments[j, 6]
                        s += w
                        sx += w * x
                        sy += w * y
                        sxx += w * x * x
                        sxy += w * x * y
                spread = sxx - sx * sx / s
                slope = (sxy - sx * sy / s) / max(spread, 1e-9)
                at = (sy - slope * sx) / s
                grown = True
        out[lines, 0] = ox + low * ux - (at + slope * low) * uy
        out[lines, 1] = oy + low * uy + (at + slope * low) * ux
        out[lines, 2] = ox + high * ux - (at + slope * high) * uy
        out[lines, 3] = oy + high * uy + (at + slope * high) * ux
        out[lines, 4] = 0.0
        out[lines, 5] = 0.0
        for k in range(size):
            out[lines, 4] += segments[members[k], 6]
            out[lines, 5] += weight[members[k]]
        lines += 1
    return out[:lines]


@_jit
def abreast(lines: NDArray[np.float64], a: int, b: int) -> tuple[float, float]:
    """How far line ``b`` lies beside line ``a``, and how much of the longer they share (0 to 1, 0 if not parallel)."""
    ax, ay = lines[a, 2] - lines[a, 0], lines[a, 3] - lines[a, 1]
    length = math.hypot(ax, ay)
    ux, uy = ax / length, ay / length
    x0 = (lines[b, 0] - lines[a, 0]) * ux + (lines[b, 1] - lines[a, 1]) * uy
    x1 = (lines[b, 2] - lines[a, 0]) * ux + (lines[b, 3] - lines[a, 1]) * uy
    y0 = (lines[b, 1] - lines[a, 1]) * ux - (lines[b, 0] - lines[a, 0]) * uy
    y1 = (lines[b, 3] - lines[a, 1]) * ux - (lines[b, 2] - lines[a, 0]) * uy
    if x0 > x1:
        x0, x1, y0, y1 = x1, x0, y1, y0
    if x1 - x0 < 1 or abs(y1 - y0) > 1.5 + 0.12 * (x1 - x0):
        return 0.0, 0.0
    low, high = max(x0, 0.0), min(x1, length)
    if high <= low:
        return 0.0, 0.0
    middle = 0.5 * (low + high)
    distance = y0 + (y1 - y0) * (middle - x0) / (x1 - x0)
    return distance, (high - low) / max(length, x1 - x0)


@_jit
def stack(lines: NDArray[np.float64], seeds: int, closest: float, farthest: float, shared: float) -> NDArray[np.int64]:
    """Pairs and evenly spaced triples of parallel lines of like length.

    Args:
        lines: Shape (m, ``LINE``), from ``join``, the heaviest first.
        seeds: Only stacks with one of so many heaviest lines are wanted.
        closest: Least distance between neighbours, in pixels.
        farthest: Largest.
        shared: Part of the longer line that lies beside the shorter one, at least.

    Returns:
        Shape (k, 3): indices of the lines from one side to the other, the third -1 in a pair.
    """
    m = len(lines)
    out = np.empty((1024, 3), np.int64)
    found = 0
    for a in range(min(seeds, m)):
        for b in range(m):
            step, common = abreast(lines, a, b)
            if b == a or common < shared or not closest < abs(step) < farthest:
                continue
            if b > a:  # else this pair was seen from its other line
                if found == len(out):
                    return out
                out[found] = a, b, -1
                found += 1
            for c in range(m):
                if c in (a, b):
                    continue
                other, common = abreast(lines, a, c)
                # b next to a and c beyond b; or a between two lines that are no seeds. Each triple is taken once.
                beyond = abs(other - 2 * step) < 0.2 * abs(step) and c > a
                between = abs(other + step) < 0.2 * abs(step) and seeds <= b < c
                if common < shared or not (beyond or between):
                    continue
                if found == len(out):
                    return out
                if beyond:
                    out[found] = a, b, c
                else:
                    out[found] = b, a, c
                found += 1
    return out[:found]


@_jit
def cut(lines: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float, float]:
    """The lines of a stack, cut or lengthened so that all begin and end abreast.

    Args:
        lines: Shape (2 or 3, ``LINE``), from ``join``, in the order of a stack.

    Returns:
        Their ends x, y, shape (2 or 3, 2, 2), so that the next line lies to the right of who looks along one; their
        length; and the spacing at both ends, below 0 at one end if lines cross.
    """
    count = len(lines)
    lengths = np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1])
    longest = lengths.argmax()
    ox, oy = lines[longest, 0], lines[longest, 1]
    ux, uy = (lines[longest, 2] - ox) / lengths[longest], (lines[longest, 3] - oy) / lengths[longest]
    x, y = np.empty((2, count, 2))
    for i in range(count):
        for e in range(2):
            dx, dy = lines[i, 2 * e] - ox, lines[i, 2 * e + 1] - oy
            x[i, e] = dx * ux + dy * uy
            y[i, e] = dy * ux - dx * uy
    low, high = x.min(), x.max()
    # The less of a line is seen, the more it takes the slope of the others.
    slopes = (y[:, 1] - y[:, 0]) / (x[:, 1] - x[:, 0])
    seen = np.minimum(lines[:, 4] / (high - low), 1.0)
    slopes = seen * slopes + (1 - seen) * (slopes * seen).sum() / seen.sum()
    at = np.empty((2, count))
    for i in range(count):
        middle = 0.5 * (y[i, 0] + y[i, 1]) - slopes[i] * 0.5 * (x[i, 0] + x[i, 1])
        at[0, i] = middle + slopes[i] * low
        at[1, i] = middle + slopes[i] * high
    mirrored = at[:, -1].sum() < at[:, 0].sum()
    ends = np.empty((count, 2, 2))
    for i in range(count):
        for e, along in enumerate((low, high)):
            line = count - 1 - i if mirrored else i
            ends[line, e, 0] = ox + along * ux - at[e, i] * uy
            ends[line, e, 1] = oy + along * uy + at[e, i] * ux
    sign = -1 if mirrored else 1
    left, right = sign * (at[0, -1] - at[0, 0]) / (count - 1), sign * (at[1, -1] - at[1, 0]) / (count - 1)
    return ends, high - low, left, right
