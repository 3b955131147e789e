"""Strips of ink with lines of blots in them."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def strip(seed: int, *, width: int = 400, height: float = 10.0) -> tuple[NDArray[np.float32], Floats]:
    """Two lines of blots, their middles as row at column 0 and rows per column."""
    rng = np.random.default_rng(seed)
    lines = np.array([(22.0 + rng.uniform(-2, 2), rng.uniform(-0.01, 0.01)) for _ in range(2)])
    lines[1, 0] += 24
    rows, columns = np.indices((68, width))
    ink = rng.uniform(0, 0.1, (68, width))
    for at, slope in lines:
        inside = np.clip(height / 2 + 0.5 - np.abs(rows - at - slope * columns), 0, 1)
        ink += inside * (columns % 10 < 7) * (columns > 60) * (columns < width - 60)
    return ink.astype(np.float32), lines


def blocks_of(ink: NDArray[np.float32], reach: int, blocks: int) -> tuple[Floats, list[NDArray[np.float32]]]:
    edges = reach + np.arange(blocks + 1) * (ink.shape[1] - 2 * reach) // blocks
    return (edges[:-1] + edges[1:] - 1) / 2, [ink[:, a:b] for a, b in itertools.pairwise(edges)]
