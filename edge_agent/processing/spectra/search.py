"""Finding the spectra of a library that are like another one, and saying how far that goes.

The measure is Pearson's correlation (the hit quality index), of the bands and of their first derivative. All rows
are screened in eight bits; how far that can be off is bounded for each row, and whatever could still be among the best
is measured in double precision: the result is that of double precision throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.spectra.baseline import Grid
from edge_agent.processing.spectra.kernels import correlate, screen
from edge_agent.processing.spectra.prepare import MIN_COMMON, Prepared, alive
from edge_agent.processing.spectra.spectrum import Array, Technique

TOP: Final = 10
MIN_OVERLAP: Final = 0.5
"""Share of the query's range that an entry must cover to be compared with it."""


@dataclass(frozen=True, slots=True)
class Rows:
    """One kind of curve of all entries.

    Attributes:
        exact: shape (n, count).
        small: the same in eight bits, each row scaled to its own largest value.
        totals: shape (n, 2): the sums of each row of ``small``, and of its squares.
        lost: shape (n,): the norm of what the eight bits lost of each row, in their own unit.

    """

    exact: NDArray[np.float32]
    small: NDArray[np.int8]
    totals: NDArray[np.int32]
    lost: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The spectra of a library. ``starts`` and ``ends`` say where on the grid each entry has values."""

    technique: Technique
    grid: Grid
    bands: Rows
    slopes: Rows
    starts: NDArray[np.int32]
    ends: NDArray[np.int32]

    def __len__(self) -> int:
        return int(self.starts.size)


@dataclass(frozen=True, slots=True)
class Hit:
    """How like one entry is: correlations, -1 to 1, of the bands, of their slope, and of that without dead regions."""

    entry: int
    correlation: float
    derivative: float
    masked: float


def shelve(technique: Technique, grid: Grid, prepared: list[Prepared]) -> Shelf:
    """Make a library of spectra that ``prepare`` has made ready on this grid."""
    return Shelf(
        technique,
        grid,
        _rows(np.array([each.bands for each in prepared], np.float32).reshape(-1, grid.count)),
        _rows(np.array([each.slope for each in prepared], np.float32).reshape(-1, grid.count)),
        np.array([each.start for each in prepared], np.int32),
        np.array([each.end for each in prepared], np.int32),
    )


def _rows(exact: NDArray[np.float32]) -> Rows:
    largest = np.abs(exact).max(axis=1, keepdims=True, initial=0.0).astype(np.float64)
    scaled = exact * (127.0 / np.where(largest > 0, largest, 1.0))
    small = np.rint(scaled).astype(np.int8)
    wide = small.astype(np.int32)
    totals = np.stack([wide.sum(axis=1), (wide * wide).sum(axis=1)], axis=1).astype(np.int32)
    return Rows(exact, small, totals, np.sqrt(((scaled - small) ** 2).sum(axis=1)).astype(np.float32))


def search(shelf: Shelf, query: Prepared, top: int = TOP) -> list[Hit]:
    """The entries whose slopes are most like the query's, and those whose bands are, at most ``top`` of each.

    Sorted by the slope. Entries that cover less than half of what the query has are left out.
    """
    if not len(shelf):
        return []
    slopes = _best(shelf, shelf.slopes, query.slope, query, top)
    bands = _best(shelf, shelf.bands, query.bands, query, top)
    chosen = np.unique(np.concatenate([slopes, bands]))
    everywhere = np.ones(shelf.grid.count)
    living = alive(shelf.technique, shelf.grid)
    measured = zip(
        chosen,
        _exact(shelf, shelf.bands, chosen, query.bands, everywhere, query),
        _exact(shelf, shelf.slopes, chosen, query.slope, everywhere, query),
        _exact(shelf, shelf.slopes, chosen, query.slope, living, query),
        strict=True,
    )
    hits = [Hit(int(entry), float(bands), float(slope), float(masked)) for entry, bands, slope, masked in measured]
    return sorted(hits, key=lambda hit: (-hit.derivative, hit.entry))


def _best(shelf: Shelf, rows: Rows, curve: Array, query: Prepared, top: int) -> NDArray[np.int64]:
    """The ``top`` rows most like a curve, in no order."""
    guess, slack = screened(shelf, rows, curve, query)
    comparable = np.isfinite(guess)
    count = min(top, int(comparable.sum()))
    if count == 0:
        return np.empty(0, np.int64)
    surely = np.where(comparable, guess - slack, -np.inf)
    bar = np.partition(surely, -count)[-count]
    possible = np.flatnonzero(comparable & (guess + slack >= bar))
    exact = _exact(shelf, rows, possible, curve, np.ones(shelf.grid.count), query)
    order = np.lexsort((possible, -exact))
    return possible[order[:count]]


def screened(shelf: Shelf, rows: Rows, curve: Array, query: Prepared) -> tuple[Array, Array]:
    """Correlations of all rows with a curve, and by how much each may be off; NaN where too little is shared.

    The angle between a row and its rounded self is at most asin(lost / norm), and likewise for the curve; a
    correlation is a cosine, which changes by no more than the angle does.
    """
    small, scale, sums = sums_of(shelf, rows, curve, query.start, query.end)
    low = np.clip(shelf.starts, query.start, query.end)
    high = np.clip(shelf.ends, low, query.end)
    n = np.maximum(high - low, 1).astype(np.float64)
    total, squares = (np.concatenate([[0.0], np.cumsum(small**power)]) for power in (1, 2))
    qx = total[high] - total[low]
    vx = squares[high] - squares[low] - qx * qx / n
    product, row_total, row_squares = sums
    vy = row_squares - row_total * row_total / n
    enough = (high - low >= max(MIN_COMMON, MIN_OVERLAP * (query.end - query.start))) & (vx > 0) & (vy > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        guess = (product - qx * row_total / n) / np.sqrt(vx * vy)
        slack = _angle(rows.lost / np.sqrt(vy)) + _angle(
            np.sqrt(((curve * scale - small) ** 2)[query.start : query.end].sum()) / np.sqrt(vx)
        )
    guess[~enough] = np.nan
    return guess, slack + 1e-9


def sums_of(shelf: Shelf, rows: Rows, curve: Array, start: int, end: int) -> tuple[Array, float, Array]:
    """A curve rounded to 14 bits or fewer between two points of the grid, its scale, and its sums with all rows.

    The sums have shape (3, n): of row x rounded curve, of the row, of its squares, rows in their eight bits.
    """
    limit = min(8191, (2**31 - 1) // (127 * shelf.grid.count))
    scale = limit / max(float(np.abs(curve[start:end]).max(initial=0.0)), 1e-300)
    small = np.zeros(shelf.grid.count)
    small[start:end] = np.rint(curve[start:end] * scale)
    sums = np.empty((len(shelf), 3), np.int32)
    screen(rows.small, rows.totals, shelf.starts, shelf.ends, small.astype(np.int16), start, end, sums)
    return small, scale, sums.T.astype(np.float64)


def _angle(sine: Array) -> Array:
    """At least the arc sine, for not too large ones; else everything."""
    return np.where(sine < 0.5, sine * (1 + sine * sine), np.pi)


def _exact(shelf: Shelf, rows: Rows, chosen: NDArray[np.int64], curve: Array, weights: Array, query: Prepared) -> Array:
    out = np.empty(chosen.size)
    correlate(rows.exact, chosen, shelf.starts, shelf.ends, curve, weights, query.start, query.end, out)
    return out


def warm() -> None:
    """Compile, or load from the cache, what a search runs."""
    grid = Grid(400.0, 2.0, 64)
    curve = np.sin(np.arange(64.0))
    one = Prepared(curve, np.cos(np.arange(64.0)), 0, 64)
    search(shelve(Technique.INFRARED, grid, [one]), one)
