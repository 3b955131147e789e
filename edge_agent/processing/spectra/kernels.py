"""The loops of the library search. Each has a NumPy reference in the tests that it must agree with."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Sums = NDArray[np.int32]


@njit(cache=True)
def _product(row: NDArray[np.int8], query: NDArray[np.int16]) -> np.int32:
    """Narrowed at each step, without which the compiler does not use its vectors."""
    total = np.int32(0)
    for at in range(row.size):
        total = np.int32(total + np.int32(row[at]) * np.int32(query[at]))
    return total


@njit(cache=True)
def _total(row: NDArray[np.int8]) -> np.int32:
    total = np.int32(0)
    for at in range(row.size):
        total = np.int32(total + np.int32(row[at]))
    return total


@njit(cache=True)
def _squares(row: NDArray[np.int8]) -> np.int32:
    total = np.int32(0)
    for at in range(row.size):
        total = np.int32(total + np.int32(row[at]) * np.int32(row[at]))
    return total


@njit(cache=True)
def screen(
    rows: NDArray[np.int8],
    totals: NDArray[np.int32],
    starts: NDArray[np.int32],
    ends: NDArray[np.int32],
    query: NDArray[np.int16],
    start: int,
    end: int,
    sums: Sums,
) -> None:
    """For each row, over what it shares with the query: the sums of row x query, of the row, and of its squares.

    ``rows`` has shape (n, count), ``query`` (count,), ``sums`` (n, 3); ``totals``, shape (n, 2), are the last two sums
    over all that a row has. No sum may exceed 31 bits: that is for the caller, who scales the query.
    """
    for row in range(rows.shape[0]):
        low = max(start, starts[row])
        high = max(low, min(end, ends[row]))
        shared = rows[row, low:high]
        sums[row, 0] = _product(shared, query[low:high])
        if low == starts[row] and high == ends[row]:
            sums[row, 1] = totals[row, 0]
            sums[row, 2] = totals[row, 1]
        else:
            sums[row, 1] = _total(shared)
            sums[row, 2] = _squares(shared)


@njit(cache=True)
def correlate(
    rows: NDArray[np.float32],
    chosen: NDArray[np.int64],
    starts: NDArray[np.int32],
    ends: NDArray[np.int32],
    query: NDArray[np.float64],
    weights: NDArray[np.float64],
    start: int,
    end: int,
    out: NDArray[np.float64],
) -> None:
    """Pearson's correlation of the query with the chosen rows, in double precision, over what both have.

    ``weights`` has shape (count,): 0 leaves a point out. ``out`` has the shape of ``chosen``; 0 where nothing varies.
    """
    for index in range(chosen.shape[0]):
        row = chosen[index]
        low = max(start, starts[row])
        high = min(end, ends[row])
        n = sx = sy = sxx = syy = sxy = 0.0
        for at in range(low, high):
            w = weights[at]
            x = w * query[at]
            y = w * np.float64(rows[row, at])
            n += w
            sx += x
            sy += y
            sxx += x * query[at]
            syy += y * np.float64(rows[row, at])
            sxy += x * np.float64(rows[row, at])
        out[index] = 0.0
        if n > 0.0:
            vx = sxx - sx * sx / n
            vy = syy - sy * sy / n
            if vx > 0.0 and vy > 0.0:
                out[index] = (sxy - sx * sy / n) / np.sqrt(vx * vy)
