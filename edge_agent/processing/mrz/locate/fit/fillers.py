"""Which way the fillers point: the only character of the zone that tells left from right at a glance."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.locate.fit import kernels
from edge_agent.processing.mrz.locate.fit.cells import Cells

_WIDTH: Final = 9
_HEIGHT: Final = 12
"""Of a cell, in pixels."""
_ALIKE: Final = 0.5
"""Correlation from which a character looks like a filler."""


def pointing(ink: NDArray[np.float32], middles: NDArray[np.float64], grid: Cells, height: float) -> float:
    """-1 to 1: above 0 if the fillers in a straightened strip point to the left, as they do in upright text."""
    width = grid.columns * _WIDTH
    target = np.array([(0, 0), (width, 0), (0, _HEIGHT)], np.float32) - 0.5
    lines = np.empty((len(middles), _HEIGHT, width), np.float32)
    for i, (at, slope) in enumerate(middles):
        left, right = at + slope * grid.start - height / 2, at + slope * grid.end - height / 2
        source = np.array([(grid.start, left), (grid.end, right), (grid.start, left + height)], np.float32)
        cv2.warpAffine(ink, cv2.getAffineTransform(source, target), (width, _HEIGHT), lines[i])
    left, right = (kernels.alike(lines, filler, _ALIKE) for filler in _TEMPLATES)
    return float(np.tanh((left - right) / 2))


def _drawn() -> NDArray[np.float32]:
    """A filler in its cell: two strokes that meet on the left."""
    cell = np.zeros((_HEIGHT, _WIDTH), np.float32)
    corners = np.array([(0.83, 0.16), (0.17, 0.5), (0.83, 0.84)]) * (_WIDTH, _HEIGHT) * 16
    cv2.polylines(cell, [corners.astype(np.int32)], False, [1.0], 2, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(cell, (0, 0), 0.8), np.float32)


_TEMPLATES: Final = (_drawn(), np.ascontiguousarray(_drawn()[:, ::-1]))
"""The filler, and the filler turned."""
