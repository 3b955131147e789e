"""The loops of the search that NumPy cannot do at speed. Each has its NumPy reference in the tests."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

SEGMENT: int = 8
"""Numbers that ``grow`` returns for each segment: x0, y0, x1, y1, weight, points, spread, contrast."""


@numba.njit(cache=True)
def ridges(
    ink: NDArray[np.float32],
    xx: NDArray[np.float32],
    yy: NDArray[np.float32],
    xy: NDArray[np.float32],
    floor: float,
    contrast: float,
) -> NDArray[np.float32]:
    """Direction of the ridge through each pixel, NaN where there is none.

    A pixel lies on a ridge if there is more ink than beside it, and ``contrast`` times as much as further away, on
    both sides; the direction is that of least change in the structure tensor ``xx``, ``yy``, ``xy``.

    Args:
        ink: Smoothed ink, shape (h, w).
        xx: Mean square of the ink's derivative to x, shape (h, w).
        yy: The same to y.
        xy: Mean of their product.
        floor: Ink below which no ridge is sought.
        contrast: How much more ink than in the gaps beside the line.

    Returns:
        Radians from the x axis, in (-pi/2, pi/2], shape (h, w).
    """
    h, w = ink.shape
    out = np.full((h, w), np.nan, np.float32)
    for y in range(h):
        for x in range(w):
            here = ink[y, x]
            if here <= floor:
                continue
            difference = xx[y, x] - yy[y, x]
            cross = 2 * xy[y, x]
            coherent = math.sqrt(difference * difference + cross * cross)
            if coherent < 0.25 * (xx[y, x] + yy[y, x]):
                continue
            normal = 0.5 * math.atan2(cross, difference)
            nx, ny = math.cos(normal), math.sin(normal)
            on = True
            for side in (-1, 1):
                i = min(max(int(round(y + side * ny)), 0), h - 1)
                j = min(max(int(round(x + side * nx)), 0), w - 1)
                if ink[i, j] > here:
                    on = False
                    break
                least = here
                for step in range(3, 8):
                    i = min(max(int(round(y + side * step * ny)), 0), h - 1)
                    j = min(max(int(round(x + side * step * nx)), 0), w - 1)
                    least = min(least, ink[i, j])
                if least * contrast > here:
                    on = False
                    break
            if on:
                direction = normal + math.pi / 2
                if direction > math.pi / 2:
                    direction -= math.pi
                out[y, x] = direction
    return out


@numba.njit(cache=True)
def grow(
    direction: NDArray[np.float32], ink: NDArray[np.float32], tolerance: float, shortest: float
) -> NDArray[np.float32]:
    """Join neighbouring ridge pixels of like direction to straight segments.

    Args:
        direction: Of the ridge through each pixel, NaN where there is none, shape (h, w).
        ink: Smoothed ink, the weight of each pixel, shape (h, w).
        tolerance: Largest angle between a pixel's direction and that of the segment so far, in radians.
        shortest: Length in pixels below which a segment is dropped.

    Returns:
        Shape (n, ``SEGMENT``): ends x0, y0, x1, y1, mean ink, number of pixels, spread across (rms, pixels), length.
    """
    h, w = direction.shape
    taken = np.isnan(direction)
    queue = np.empty((h * w, 2), np.int32)
    out = np.empty((256, SEGMENT), np.float32)
    found = 0
    for y0 in range(h):
        for x0 in range(w):
            if taken[y0, x0]:
                continue
            queue[0] = y0, x0
            taken[y0, x0] = True
            size, done = 1, 0
            # Doubled angles: a direction and its opposite are the same line.
            c = math.cos(2 * direction[y0, x0])
            s = math.sin(2 * direction[y0, x0])
            while done < size:
                y, x = queue[done]
                done += 1
                for i in range(max(y - 2, 0), min(y + 3, h)):
                    for j in range(max(x - 2, 0), min(x + 3, w)):
                        if taken[i, j]:
                            continue
                        away = abs(2 * direction[i, j] - math.atan2(s, c))
                        away = min(away % (2 * math.pi), 2 * math.pi - away % (2 * math.pi))
                        if away > 2 * tolerance:
                            continue
                        taken[i, j] = True
                        queue[size] = i, j
                        size += 1
                        c += math.cos(2 * direction[i, j])
                        s += math.sin(2 * direction[i, j])
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
            across = max(sxx * uy * uy + syy * ux * ux - 2 * sxy * ux * uy, 0.0)
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
            out[found, 6] = math.sqrt(across)
            out[found, 7] = high - low
            found += 1
    return out[:found]
