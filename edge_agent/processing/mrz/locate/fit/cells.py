"""The grid of character cells along the lines of a straightened strip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.locate.fit import kernels
from edge_agent.processing.mrz.locate.strip.kernels import bands

Array = NDArray[np.float64]

THREE_LINES: Final = 30
"""Characters in each line of a zone with three lines."""
COLUMNS: Final = {2: (44, 36, THREE_LINES), 3: (THREE_LINES,)}
"""Characters in a line, for so many lines: two of 30 are part of three."""
_PITCHES: Final = np.geomspace(6.5, 22.0, 96)
"""Of the cells, in columns of the strip."""
_NEAR: Final = np.linspace(0.96, 1.04, 17)
"""How far the width of a cell may be from the strongest rhythm."""
_WINDOW: Final = 200
"""Columns of the strip, some 16 to 20 characters, over which the pitch is taken to be constant."""
_PHASES: Final = 2 * np.pi * np.arange(_WINDOW)[:, None] / _PITCHES
_WAVES: Final = np.concatenate((np.cos(_PHASES), np.sin(_PHASES)), axis=1)


@dataclass(frozen=True, slots=True)
class Cells:
    """The grid that suits the lines best; ``start`` and ``pitch`` in columns of the strip."""

    columns: int
    start: float
    pitch: float
    full: float
    """Presence of text inside the grid in the emptiest line, 0 to 1."""
    beyond: float
    """Presence of text just outside, 0 to 1."""
    rhythm: float
    """How far the pitch stands out of the spectrum of the ink in the line where it does so least, about 0 to 1.5."""

    @property
    def end(self) -> float:
        """Where the last cell ends."""
        return self.start + self.columns * self.pitch


def presence(ink: NDArray[np.float32], middles: Array, height: float, reach: int) -> tuple[Array, Array]:
    """For each line and column of the strip: presence of text (0 to 1, smooth over a character), and mean ink.

    A pattern of the paper is in the gaps as well as in the lines, and a blot has no strokes.
    """
    strokes = np.asarray(np.abs(cv2.Sobel(ink, cv2.CV_32F, 1, 0, ksize=1)), np.float32)
    there = np.minimum(*(kernels.presence(kind, middles, height, reach) for kind in (ink, strokes)))
    return there, bands(ink, middles, -height / 2, height / 2)


def cells(there: Array, profiles: Array, square: float, reach: int) -> Cells | None:
    """The grid of 30, 36 or 44 cells that covers the text and nothing else; None if nothing has such a rhythm.

    ``square`` is how wide a cell is if it is as wide as the capitals are high.
    """
    each = _spectrum(profiles[:, reach:-reach])
    spectrum = each.mean(axis=0)
    likely = spectrum * np.exp(-0.5 * (np.log(_PITCHES / square) / 0.35) ** 2)
    peak = _PITCHES[int(np.argmax(likely))]
    pitches = peak * _NEAR
    rhythm = 0.1 * np.interp(pitches, _PITCHES, spectrum)
    best = max((*kernels.grid(there, pitches, rhythm, columns, 2 * reach), columns) for columns in COLUMNS[len(there)])
    _, start, pitch, columns = best
    width = there.shape[1]
    first, last = (min(max(round(x), 0), width) for x in (start, start + columns * pitch))
    if not pitch or last - first < 0.7 * columns * pitch:
        return None
    beside = np.concatenate((there[:, max(0, first - 30) : max(0, first - 6)], there[:, last + 6 : last + 30]), axis=1)
    return Cells(
        columns,
        start,
        pitch,
        float(there[:, first:last].mean(axis=1).min()),
        float(beside.mean()) if beside.size else 0.0,
        min(float(np.interp(pitch, _PITCHES, line)) for line in each),
    )


_hanning = cache(np.hanning)


def _spectrum(profiles: Array) -> Array:
    """Power of each of ``_PITCHES`` in the ink along each line, relative to all of it; shape (count, 96)."""
    count, length = profiles.shape
    size = min(_WINDOW, length)
    starts = sorted({i * (length - size) // 3 for i in range(4)})
    pieces = np.stack([profiles[:, start : start + size] for start in starts], axis=1)
    window = _hanning(size)
    pieces = (pieces - pieces.mean(axis=2, keepdims=True)) * window
    power = ((pieces.reshape(-1, size) @ _WAVES[:size]) ** 2).reshape(count, -1, len(_PITCHES)).sum(axis=1)
    energy = (pieces**2).sum(axis=(1, 2)) * (window**2).sum()
    return np.asarray(3 * power / np.maximum(energy, 1e-9)[:, None])
