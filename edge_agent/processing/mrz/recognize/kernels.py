"""The loops of the recognizer, compiled: sampling strips, normalizing them, finding rows of characters.

Each has a plain NumPy reference in the tests that it must agree with.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.kernels import solved

Floats = NDArray[np.float32]

CURVE: Final = 11
"""Numbers that tell how a band is bent."""
NORMALIZED_OVER: Final = 48
"""Half the width, in pixels, of the window in which brightness and contrast of a strip are evened out."""
_SOFT: Final = np.float32(3.0)
"""Grey levels of contrast below which noise is no longer amplified."""

_jit: Any = numba.njit(cache=True, nogil=True, fastmath=True, boundscheck=False)


@_jit
def placed(
    points: NDArray[np.float64], matrix: NDArray[np.float64], curve: NDArray[np.float64], middle: float, columns: int
) -> NDArray[np.float64]:
    """Where ``points`` x, y (n, 2) of a curved band's strip lie in the picture: see ``sample``."""
    out = np.empty_like(points)
    for i in range(len(points)):
        t = points[i, 0] / columns
        down = (points[i, 1] - middle) * (1.0 + curve[7] + curve[8] * t)
        x = points[i, 0] + curve[0] + t * (curve[1] + t * (curve[2] + t * curve[3])) + down * (curve[9] + curve[10] * t)
        y = middle + down + curve[4] + t * (curve[5] + t * curve[6])
        w = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
        out[i, 0] = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / w
        out[i, 1] = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / w
    return out


@_jit
def sample(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], curve: NDArray[np.float64], middle: float, strip: Floats
) -> None:
    """Fill ``strip`` (rows, columns) with the grey ``image`` along a curved band, bilinear, borders repeated.

    Pixel (x, y) of the strip shows the image at ``matrix`` (3, 3) applied to (X, Y). With ``curve`` = (x0, x1, x2, x3,
    y0, y1, y2, h0, h1, l0, l1), t = x / columns and d = (y - middle) (1 + h0 + h1 t), which is down the text:
    X = x + x0 + x1 t + x2 t² + x3 t³ + d (l0 + l1 t) and Y = middle + d + y0 + y1 t + y2 t².
    """
    rows, columns = strip.shape
    height, width = image.shape
    # Along a column of the strip numerators and denominator of the place grow evenly.
    top, step = np.empty((2, 3, columns))
    for x in range(columns):
        t = x / columns
        scale = 1.0 + curve[7] + curve[8] * t
        lean = scale * (curve[9] + curve[10] * t)
        at = x + curve[0] + t * (curve[1] + t * (curve[2] + t * curve[3])) - middle * lean
        shift = middle * (1.0 - scale) + curve[4] + t * (curve[5] + t * curve[6])
        for i in range(3):
            top[i, x] = matrix[i, 0] * at + matrix[i, 1] * shift + matrix[i, 2]
            step[i, x] = matrix[i, 0] * lean + matrix[i, 1] * scale
    us, vs = np.empty((2, columns))
    for y in range(rows):
        for x in range(columns):
            w = 1.0 / (step[2, x] * y + top[2, x])
            us[x] = min(max((step[0, x] * y + top[0, x]) * w, 0.0), width - 1.0)
            vs[x] = min(max((step[1, x] * y + top[1, x]) * w, 0.0), height - 1.0)
        for x in range(columns):
            u, v = us[x], vs[x]
            i, j = int(v), int(u)
            k, m = min(i + 1, height - 1), min(j + 1, width - 1)
            fu, fv = u - j, v - i
            upper = image[i, j] * (1.0 - fu) + image[i, m] * fu
            lower = image[k, j] * (1.0 - fu) + image[k, m] * fu
            strip[y, x] = upper * (1.0 - fv) + lower * fv


@_jit
def normalize(strip: Floats) -> None:
    """Even out brightness and contrast in place: minus the mean, over the deviation, of a window about each column."""
    rows, columns = strip.shape
    first, second = np.zeros((2, columns))
    for y in range(rows):
        for x in range(columns):
            value = np.float64(strip[y, x])
            first[x] += value
            second[x] += value * value
    sums, squares = np.zeros((2, columns + 1))
    for x in range(columns):
        sums[x + 1] = sums[x] + first[x]
        squares[x + 1] = squares[x] + second[x]
    mean, factor = np.empty((2, columns), np.float32)
    for x in range(columns):
        start, end = max(0, x - NORMALIZED_OVER), min(columns, x + NORMALIZED_OVER + 1)
        count = (end - start) * rows
        level = (sums[end] - sums[start]) / count
        mean[x] = level
        factor[x] = 1.0 / (np.sqrt(max(0.0, (squares[end] - squares[start]) / count - level * level)) + _SOFT)
    for y in range(rows):
        for x in range(columns):
            strip[y, x] = (strip[y, x] - mean[x]) * factor[x]


@_jit
def march(odds: Floats, pitch: float, most: int, scores: Floats, steps: NDArray[np.int8]) -> None:
    """The best row of n characters ending at each step, for all n up to ``most``.

    ``odds`` (steps,) are the log odds that a character's centre lies at a step. Neighbours are 3, 4 or 5 steps apart,
    with a penalty on the deviation from ``pitch``. ``scores`` (most + 1, steps) receives the sums of odds and
    penalties, ``steps`` (most + 1, steps) how far back the character before stands.
    """
    length = odds.shape[0]
    for t in range(length):
        scores[0, t] = 0.0
        scores[1, t] = odds[t]
        steps[1, t] = 0
    for n in range(2, most + 1):
        for t in range(length):
            best = np.float32(-1e9)
            back = 4
            for step in range(3, 6):
                if t >= step:
                    score = scores[n - 1, t - step] - np.float32(0.5 * (step - pitch) ** 2)
                    if score > best:
                        best, back = score, step
            scores[n, t] = best + odds[t]
            steps[n, t] = back


@_jit
def path(steps: NDArray[np.int8], columns: int, end: int) -> NDArray[np.int64]:
    """The steps of the best row of so many characters that ends at this step, from what ``march`` found."""
    at = np.empty(columns, np.int64)
    for i in range(columns, 0, -1):
        at[i - 1] = end
        end -= steps[i, end]
    return at


@_jit
def centroids(odds: Floats, at: NDArray[np.int64], places: NDArray[np.float64], plain: NDArray[np.float64]) -> None:
    """The centres of the characters near these steps to fractions of a step, and how plain each is (0 to 1).

    ``odds`` (steps,) are the log odds that a centre lies at a step.
    """
    for i in range(len(at)):
        total = moment = 0.0
        for beside in range(-1, 2):
            step = min(max(at[i] + beside, 0), len(odds) - 1)
            weight = 1.0 / (1.0 + np.exp(-np.float64(odds[step])))
            total += weight
            moment += weight * step
        places[i] = moment / total
        plain[i] = min(total, 1.0)


@_jit
def between(values: Floats, places: NDArray[np.float64], out: Floats) -> None:
    """``values`` (steps, n) at fractions of steps, into ``out`` (places, n)."""
    for i in range(len(places)):
        place = min(max(places[i], 0.0), len(values) - 1.001)
        low = int(place)
        part = np.float32(place - low)
        for k in range(values.shape[1]):
            out[i, k] = values[low, k] * (np.float32(1) - part) + values[low + 1, k] * part


@_jit
def even(
    powers: NDArray[np.float64], values: NDArray[np.float64], weights: NDArray[np.float64], fit: NDArray[np.float64]
) -> None:
    """The least squares fit of ``values`` (n,) by the columns of ``powers`` (n, terms), by their ``weights`` (n,).

    Fitted twice: the second time what lies far from the first ``fit`` counts for little.
    """
    count, terms = powers.shape
    matrix = np.empty((terms, terms + 1))
    trust = weights + 1e-6
    for _ in range(2):
        matrix[:] = 0.0
        for i in range(count):
            for a in range(terms):
                weighted = trust[i] * powers[i, a]
                for b in range(terms):
                    matrix[a, b] += weighted * powers[i, b]
                matrix[a, terms] += weighted * values[i]
        solution = solved(matrix)
        mean = 0.0
        for i in range(count):
            fit[i] = 0.0
            for a in range(terms):
                fit[i] += powers[i, a] * solution[a]
            mean += abs(values[i] - fit[i]) / count
        for i in range(count):
            trust[i] = (weights[i] + 1e-6) / (1.0 + (abs(values[i] - fit[i]) / (1.5 * mean + 1e-3)) ** 2)
