"""The loops of the recognizer, compiled: sampling strips, normalizing them, finding rows of characters, and searches.

Each has a plain NumPy reference in the tests that it must agree with.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

NORMALIZED_OVER: Final = 48
"""Half the width, in pixels, of the window in which brightness and contrast of a strip are evened out."""
_SOFT: Final = np.float32(3.0)
"""Grey levels of contrast below which noise is no longer amplified."""

_jit: Any = numba.njit(cache=True, nogil=True, fastmath=True, boundscheck=False)


@_jit
def sample(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], curve: NDArray[np.float64], middle: float, strip: Floats
) -> None:
    """Fill ``strip`` (rows, columns) with the grey ``image`` along a curved band, bilinear, borders repeated.

    Pixel (x, y) of the strip shows the image at ``matrix`` (3, 3) applied to (X, Y) with, for ``curve`` = (x0, x1, x2,
    x3, y0, y1, y2, h0, h1) and t = x / columns: X = x + x0 + x1 t + x2 t² + x3 t³ and
    Y = middle + (y - middle) (1 + h0 + h1 t) + y0 + y1 t + y2 t².
    """
    rows, columns = strip.shape
    height, width = image.shape
    for x in range(columns):
        t = x / columns
        at = x + curve[0] + t * (curve[1] + t * (curve[2] + t * curve[3]))
        scale = 1.0 + curve[7] + curve[8] * t
        shift = middle * (1.0 - scale) + curve[4] + t * (curve[5] + t * curve[6])
        a = matrix[0, 0] * at + matrix[0, 2]
        b = matrix[1, 0] * at + matrix[1, 2]
        c = matrix[2, 0] * at + matrix[2, 2]
        for y in range(rows):
            below = y * scale + shift
            w = 1.0 / (matrix[2, 1] * below + c)
            u = min(max((matrix[0, 1] * below + a) * w, 0.0), width - 1.0)
            v = min(max((matrix[1, 1] * below + b) * w, 0.0), height - 1.0)
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
    sums = np.zeros(columns + 1, np.float64)
    squares = np.zeros(columns + 1, np.float64)
    for x in range(columns):
        first = 0.0
        second = 0.0
        for y in range(rows):
            value = strip[y, x]
            first += value
            second += value * value
        sums[x + 1] = sums[x] + first
        squares[x + 1] = squares[x] + second
    for x in range(columns):
        start, end = max(0, x - NORMALIZED_OVER), min(columns, x + NORMALIZED_OVER + 1)
        count = (end - start) * rows
        mean = (sums[end] - sums[start]) / count
        variance = max(0.0, (squares[end] - squares[start]) / count - mean * mean)
        factor = 1.0 / (np.sqrt(variance) + _SOFT)
        for y in range(rows):
            strip[y, x] = (strip[y, x] - mean) * factor


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
def best_path(
    starts: NDArray[np.int64],
    odds: NDArray[np.float64],
    own: NDArray[np.int64],
    whole: NDArray[np.int64],
    closing: NDArray[np.int64],
    failure: float,
    chosen: NDArray[np.int64],
) -> float:
    """The likeliest choice of one alternative per symbol under two running check sums; returns its log probability.

    Alternatives ``starts[s]`` to ``starts[s + 1]`` belong to symbol s: ``odds`` are their log probabilities, ``own``
    and ``whole`` (0 to 9) what they add to the sum of the check digit that they stand under and to the composite's.
    ``closing[s]`` has bit 1 set if the own sum must be zero (modulo 10) after symbol s, bit 2 for the composite; where
    it is not, the choice is less likely by ``failure``, and goes on from zero. ``chosen`` receives the alternatives.
    """
    symbols = len(starts) - 1
    score = np.full(100, -1e18)
    score[0] = 0.0
    taken = np.zeros((symbols, 100), np.int64)
    before = np.zeros((symbols, 100), np.int64)
    folded = np.zeros((symbols, 100), np.int64)
    for s in range(symbols):
        grown = np.full(100, -1e18)
        for state in range(100):
            if score[state] < -1e17:
                continue
            a, b = state // 10, state % 10
            for k in range(starts[s], starts[s + 1]):
                target = (a + own[k]) % 10 * 10 + (b + whole[k]) % 10
                total = score[state] + odds[k]
                if total > grown[target]:
                    grown[target] = total
                    taken[s, target] = k
                    before[s, target] = state
        score = np.full(100, -1e18)
        for state in range(100):
            a, b = state // 10, state % 10
            total = grown[state]
            if closing[s] & 1 and a != 0:
                total += failure
                a = 0
            if closing[s] & 2 and b != 0:
                total += failure
                b = 0
            target = a * 10 + b
            if total > score[target]:
                score[target] = total
                folded[s, target] = state
    best = int(np.argmax(score))
    result = float(score[best])
    for s in range(symbols - 1, -1, -1):
        state = folded[s, best]
        chosen[s] = taken[s, state]
        best = before[s, state]
    return result


@_jit
def posterior(
    starts: NDArray[np.int64],
    odds: NDArray[np.float64],
    own: NDArray[np.int64],
    whole: NDArray[np.int64],
    closing: NDArray[np.int64],
    failure: float,
    marginals: NDArray[np.float64],
) -> float:
    """As ``best_path``, summed over all choices: returns the log of the sum, and each alternative's probability."""
    symbols = len(starts) - 1
    wrong = np.exp(failure)
    ahead = np.zeros((symbols + 1, 100))
    ahead[0, 0] = 1.0
    scale = 0.0
    factors = np.exp(odds)
    for s in range(symbols):
        grown = np.zeros(100)
        for state in range(100):
            if ahead[s, state] > 0.0:
                a, b = state // 10, state % 10
                for k in range(starts[s], starts[s + 1]):
                    grown[(a + own[k]) % 10 * 10 + (b + whole[k]) % 10] += ahead[s, state] * factors[k]
        total = 0.0
        for state in range(100):
            a, b = state // 10, state % 10
            value = grown[state]
            if closing[s] & 1 and a != 0:
                value *= wrong
                a = 0
            if closing[s] & 2 and b != 0:
                value *= wrong
                b = 0
            ahead[s + 1, a * 10 + b] += value
            total += value
        scale += np.log(total)
        for state in range(100):
            ahead[s + 1, state] /= total
    behind = np.ones(100)
    for s in range(symbols - 1, -1, -1):
        after = np.zeros(100)
        for state in range(100):
            a, b = state // 10, state % 10
            value = 1.0
            if closing[s] & 1 and a != 0:
                value *= wrong
                a = 0
            if closing[s] & 2 and b != 0:
                value *= wrong
                b = 0
            after[state] = value * behind[a * 10 + b]
        earlier = np.zeros(100)
        total = 0.0
        for k in range(starts[s], starts[s + 1]):
            marginals[k] = 0.0
        for state in range(100):
            if ahead[s, state] > 0.0:
                a, b = state // 10, state % 10
                for k in range(starts[s], starts[s + 1]):
                    way = factors[k] * after[(a + own[k]) % 10 * 10 + (b + whole[k]) % 10]
                    earlier[state] += way
                    marginals[k] += ahead[s, state] * way
        largest = earlier.max()
        for state in range(100):
            behind[state] = earlier[state] / largest
        for k in range(starts[s], starts[s + 1]):
            total += marginals[k]
        for k in range(starts[s], starts[s + 1]):
            marginals[k] /= total
    return scale
