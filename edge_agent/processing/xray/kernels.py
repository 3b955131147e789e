"""The loops over pixels that NumPy cannot do at speed. Each has its NumPy reference in the tests.

No kernel takes a logarithm: a table, indexed by the leading bits of a count as a float, knows it. Large results go to
arrays that the caller made: NumPy asks for huge pages, numba does not, and its page faults cost more than the work.
"""

from __future__ import annotations

from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

AIR: Final = 60_000
"""Corrected counts of the open beam; what is brighter still fits."""
BITS: Final = 10
"""Bits of a float's mantissa that index a table: steps of 0.1 %, or 0.001 of attenuation."""
FIRST: Final = 120 << BITS
"""Index of 2**-7 counts, the first of ``limits``; what is darker counts as that."""
SIZE: Final = 23 << BITS
"""Entries of ``limits``: up to 2**16 counts."""
LEAST: Final = np.float32(0.5)
"""Corrected counts below which ``colour`` knows no difference."""
UNBENT: Final = 1 << 22
"""Steps of ``colour`` are alike up to about here (attenuation 0.35), and grow with attenuation beyond."""
STEP_BITS: Final = 7
"""As ``BITS``, for ``colour``: its table has to stay in the second cache."""
_BRIGHTEST: Final = np.float32(AIR)
_STEP_SHIFT: Final = np.uint32(23 - STEP_BITS)
_FIRST_STEP: Final = np.uint32(np.float32(UNBENT).view(np.uint32) >> _STEP_SHIFT)
BRIGHT: Final = np.int32(_BRIGHTEST.view(np.int32) + UNBENT)
"""Of which ``colour`` takes away the bits of a count: how much darker it is than the open beam, and ``UNBENT``."""
STEPS: Final = int((np.float32(BRIGHT - LEAST.view(np.int32)).view(np.uint32) >> _STEP_SHIFT) - _FIRST_STEP) + 1
"""Of attenuation in the tables of ``colour``."""
BLOCK: Final = 128
"""Columns that ``denoise`` looks at together for whether they are dark."""

DARK: Final = np.float32(1_000)
"""Corrected counts of the high channel (attenuation 4.1) below which single photons are counted, nearly."""

Counts = NDArray[np.uint16]


@numba.njit(cache=True)
def correct(
    raw: Counts,
    row_dark: NDArray[np.float32],
    column_dark: NDArray[np.float32],
    row_gain: NDArray[np.float32],
    column_gain: NDArray[np.float32],
    out: Counts,
) -> None:
    """Remove dark level and gain: ``(raw - row_dark - column_dark) * row_gain * column_gain``, in [0, 65535].

    Args:
        raw: Counts, shape (rows, columns).
        row_dark: Dark level of each row, shape (rows,).
        column_dark: The same of each column, shape (columns,).
        row_gain: From counts to ``AIR`` for the open beam, shape (rows,).
        column_gain: The same, shape (columns,).
        out: Is filled with corrected counts, shape (rows, columns).

    """
    for y in range(raw.shape[0]):
        _correct(raw[y], row_dark[y], column_dark, row_gain[y], column_gain, out[y])


@numba.njit(cache=True)
def _correct(
    raw: Counts,
    dark: float,
    column_dark: NDArray[np.float32],
    gain: float,
    column_gain: NDArray[np.float32],
    out: Counts,
) -> None:
    """One row of ``correct``."""
    for x in range(raw.size):
        value = (np.float32(raw[x]) - (dark + column_dark[x])) * (gain * column_gain[x]) + np.float32(0.5)
        out[x] = np.uint16(min(max(value, np.float32(0)), np.float32(65535)))


@numba.njit(cache=True)
def bin_means(counts: Counts, factor: int, out: Counts) -> None:
    """Means of ``factor`` by ``factor`` pixels, rounded; what does not fill a whole cell is left out.

    Args:
        counts: Shape (at least rows * factor, at least columns * factor).
        factor: 1 to 128.
        out: Is filled with means, shape (rows, columns).

    """
    rows, columns = out.shape
    sums = np.empty(columns * factor, np.uint32)
    cells, half = np.uint32(factor * factor), np.uint32(factor * factor // 2)
    for y in range(rows):
        sums[:] = 0
        for k in range(y * factor, (y + 1) * factor):
            line = counts[k]
            for x in range(sums.size):
                sums[x] += np.uint32(line[x])
        for x in range(columns):
            total = half
            for k in range(x * factor, (x + 1) * factor):
                total += sums[k]
            out[y, x] = np.uint16(total // cells)


@numba.njit(cache=True)
def denoise(
    low: Counts,
    high: Counts,
    noise: tuple[float, float],
    wide: float,
    out_low: NDArray[np.float32],
    out_high: NDArray[np.float32],
) -> None:
    """Mean of the widest square of pixels that the pixel agrees with, in both channels alike.

    Squares are 5 x 5, 3 x 3 or the pixel alone, and 9 x 9 where few photons arrive. A pixel agrees with the mean around
    it if it is off by no more than ``wide`` standard deviations of its noise, so flat places lose their noise and edges
    keep their place. Beyond the border the outermost pixel is repeated.

    Args:
        low: Corrected counts, shape (rows, columns).
        high: The same of the other channel.
        noise: Variance of a count divided by the count, of low and high.
        wide: Standard deviations.
        out_low: Is filled with counts of low, shape (rows, columns).
        out_high: The same of high.

    """
    sums = np.empty((6, low.shape[1] + 8), np.float32)
    for y in range(low.shape[0]):
        _smooth(low, high, y, noise, wide, sums, out_low[y], out_high[y])


@numba.njit(cache=True)
def classify(
    low: Counts,
    high: Counts,
    noise: tuple[float, float],
    wide: float,
    limits: NDArray[np.float32],
    empty: float,
    opaque: float,
    out: NDArray[np.uint8],
) -> None:
    """The class of each denoised pixel: how many limits its low channel is darker than, for what the high one says.

    Args:
        low: Corrected counts, shape (rows, columns).
        high: The same of the other channel.
        noise: As for ``denoise``.
        wide: As for ``denoise``.
        limits: Counts of the low channel for each count of the high one, by the leading bits of its float: from
            organic to inorganic, and from there to metal; shape (``SIZE``, 2).
        empty: Counts of the high channel from which there is nothing.
        opaque: Counts of the high channel below which nothing is seen.
        out: Is filled with 0 nothing, 1 organic, 2 inorganic, 3 metal, 4 opaque; shape (rows, columns).

    """
    columns = low.shape[1]
    sums = np.empty((6, columns + 8), np.float32)
    l, h = np.empty(columns, np.float32), np.empty(columns, np.float32)  # noqa: E741
    bits, flat = h.view(np.uint32), limits.ravel()
    # Unsigned, so that no index needs to be looked at for whether it counts from the end.
    shift, begin, last = np.uint32(23 - BITS), np.uint32(FIRST), np.uint32(SIZE - 1)
    brightest, darkest = np.float32(empty), np.float32(opaque)
    for y in range(low.shape[0]):
        _smooth(low, high, y, noise, wide, sums, l, h)
        line = out[y]
        for x in range(columns):  # what is next to nothing is mostly nothing too: branches cost less than look-ups
            if h[x] >= brightest:
                line[x] = 0
            elif h[x] < darkest:
                line[x] = 4
            else:
                at = min(np.uint32((bits[x] >> shift) - begin), last) * np.uint32(2)
                line[x] = 1 + (l[x] < flat[at]) + (l[x] < flat[at + np.uint32(1)])


@numba.njit(cache=True)
def _smooth(
    low: Counts,
    high: Counts,
    y: int,
    noise: tuple[float, float],
    wide: float,
    sums: NDArray[np.float32],
    out_low: NDArray[np.float32],
    out_high: NDArray[np.float32],
) -> None:
    """One row of ``denoise``; ``sums`` is room for sums over rows, shape (6, columns + 8)."""
    rows, columns = low.shape
    limit_low, limit_high = np.float32(wide * wide * noise[0]), np.float32(wide * wide * noise[1])
    fifth, ninth = np.float32(1 / 25), np.float32(1 / 9)
    a, b = max(y - 2, 0), max(y - 1, 0)
    c, d = min(y + 1, rows - 1), min(y + 2, rows - 1)
    for x in range(columns):
        three = np.int32(low[b, x]) + np.int32(low[y, x]) + np.int32(low[c, x])
        sums[1, x + 4] = np.float32(three)
        sums[0, x + 4] = np.float32(three + np.int32(low[a, x]) + np.int32(low[d, x]))
    for x in range(columns):
        three = np.int32(high[b, x]) + np.int32(high[y, x]) + np.int32(high[c, x])
        sums[3, x + 4] = np.float32(three)
        sums[2, x + 4] = np.float32(three + np.int32(high[a, x]) + np.int32(high[d, x]))
    _repeat(sums[:4], columns)
    for x in range(columns):
        l, h = np.float32(low[y, x]), np.float32(high[y, x])  # noqa: E741
        l5 = (sums[0, x + 2] + sums[0, x + 3] + sums[0, x + 4] + sums[0, x + 5] + sums[0, x + 6]) * fifth
        h5 = (sums[2, x + 2] + sums[2, x + 3] + sums[2, x + 4] + sums[2, x + 5] + sums[2, x + 6]) * fifth
        l3 = (sums[1, x + 3] + sums[1, x + 4] + sums[1, x + 5]) * ninth
        h3 = (sums[3, x + 3] + sums[3, x + 4] + sums[3, x + 5]) * ninth
        five = ((l - l5) * (l - l5) <= limit_low * l5) & ((h - h5) * (h - h5) <= limit_high * h5)
        near = ((l - l3) * (l - l3) <= limit_low * l3) & ((h - h3) * (h - h3) <= limit_high * h3)
        out_low[x] = l5 if five else (l3 if near else l)
        out_high[x] = h5 if five else (h3 if near else h)
    all_ = np.float32(1 / 81)
    high_line = high[y]
    for left in range(0, columns, BLOCK):
        right = min(left + BLOCK, columns)
        darkest = np.uint16(65535)
        for x in range(left, right):
            darkest = min(darkest, high_line[x])
        if darkest > DARK:
            continue
        first, last = max(left - 4, 0), min(right + 4, columns)
        sums[4:, first + 4 : last + 4] = 0
        for k in range(y - 4, y + 5):
            row = min(max(k, 0), rows - 1)
            _add(low[row, first:last], sums[4, first + 4 : last + 4])
            _add(high[row, first:last], sums[5, first + 4 : last + 4])
        _repeat(sums[4:], columns)
        for x in range(left, right):
            l9 = sums[4, x] + sums[4, x + 1] + sums[4, x + 2] + sums[4, x + 3] + sums[4, x + 4]
            l9 = (l9 + sums[4, x + 5] + sums[4, x + 6] + sums[4, x + 7] + sums[4, x + 8]) * all_
            h9 = sums[5, x] + sums[5, x + 1] + sums[5, x + 2] + sums[5, x + 3] + sums[5, x + 4]
            h9 = (h9 + sums[5, x + 5] + sums[5, x + 6] + sums[5, x + 7] + sums[5, x + 8]) * all_
            l, h = np.float32(low[y, x]), np.float32(high[y, x])  # noqa: E741
            agrees = ((l - l9) * (l - l9) <= limit_low * l9) & ((h - h9) * (h - h9) <= limit_high * h9) & (h9 < DARK)
            out_low[x] = l9 if agrees else out_low[x]
            out_high[x] = h9 if agrees else out_high[x]


@numba.njit(cache=True)
def _add(counts: Counts, sums: NDArray[np.float32]) -> None:
    for x in range(counts.size):
        sums[x] += np.float32(counts[x])


@numba.njit(cache=True)
def _repeat(sums: NDArray[np.float32], columns: int) -> None:
    """Fill the four columns on either side with the outermost one."""
    for k in range(len(sums)):
        sums[k, :4] = sums[k, 4]
        sums[k, columns + 4 :] = sums[k, columns + 3]


@numba.njit(cache=True)
def colour(
    low: Counts,
    high: Counts,
    low_row: NDArray[np.float32],
    low_column: NDArray[np.float32],
    high_row: NDArray[np.float32],
    high_column: NDArray[np.float32],
    table: NDArray[np.uint32],
    out: NDArray[np.uint32],
) -> None:
    """From raw counts to a coloured view in one pass.

    Args:
        low: Raw counts, shape (rows, columns).
        high: The same of the other channel.
        low_row: Dark level and gain of each row, shape (2, rows), as in ``correct``.
        low_column: Dark level and gain of each column, shape (2, columns).
        high_row: The same of the other channel.
        high_column: The same of the other channel.
        table: Colour for each step of the high and of the low channel, shape (``STEPS``, ``STEPS``): bytes R, G, B, A.
        out: Is filled with colours, shape (rows, columns).

    """
    rows, columns = low.shape
    places, flat = np.empty(columns, np.uint32), table.ravel()
    for y in range(rows):
        _places(
            (low[y], low_row[0, y], low_column[0], low_row[1, y], low_column[1]),
            (high[y], high_row[0, y], high_column[0], high_row[1, y], high_column[1]),
            places,
        )
        line = out[y]
        for x in range(columns):
            line[x] = flat[places[x]]


Line = tuple[Counts, float, NDArray[np.float32], float, NDArray[np.float32]]


@numba.njit(cache=True)
def _places(low: Line, high: Line, out: NDArray[np.uint32]) -> None:
    """Where in a table of colours a row's pixels stand. Without any look-up, so that the loop is done 16 at a time."""
    low_raw, low_dark, low_column_dark, low_gain, low_column_gain = low
    high_raw, high_dark, high_column_dark, high_gain, high_column_gain = high
    for x in range(out.size):
        l = (np.float32(low_raw[x]) - (low_dark + low_column_dark[x])) * (low_gain * low_column_gain[x])  # noqa: E741
        h = (np.float32(high_raw[x]) - (high_dark + high_column_dark[x])) * (high_gain * high_column_gain[x])
        out[x] = _step(h) * np.uint32(STEPS) + _step(l)


@numba.njit(cache=True)
def _step(count: np.float32) -> np.uint32:
    """The step of a corrected count, 0 to ``STEPS - 1``.

    The bits of a float, read as a whole number, grow nearly as its logarithm does: so do those of a count, and those of
    its attenuation, which makes steps the wider the darker it is.
    """
    within = np.float32(min(max(count, LEAST), _BRIGHTEST))
    darker = np.float32(np.int32(BRIGHT - within.view(np.int32)))
    return np.uint32((darker.view(np.uint32) >> _STEP_SHIFT) - _FIRST_STEP)


@numba.njit(cache=True)
def histogram(classes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many pixels of a map, shape (rows, columns < 65536), have each class from 0 to 5, shape (6,)."""
    out = np.zeros(6, np.int64)
    for y in range(classes.shape[0]):
        line = classes[y]
        for number in range(1, len(out)):
            count = np.uint16(0)  # as narrow as it may be, for as many pixels at a time
            for x in range(line.size):
                count += np.uint16(line[x] == number)
            out[number] += count
    out[0] = classes.size - out.sum()
    return out
