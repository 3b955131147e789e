"""Which way the fillers point: the only character of the zone that tells left from right at a glance."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.locate.fit.cells import Cells

_WIDTH: Final = 12
_HEIGHT: Final = 16
"""Of a cell, in pixels."""
_ALIKE: Final = 0.5
"""Correlation from which a character looks like a filler."""


def pointing(ink: NDArray[np.float32], middles: NDArray[np.float64], grid: Cells, height: float) -> float:
    """-1 to 1: above 0 if the fillers in a straightened strip point to the left, as they do in upright text."""
    score = 0.0
    width = grid.columns * _WIDTH
    target = np.array([(0, 0), (width, 0), (0, _HEIGHT)], np.float32) - 0.5
    for at, slope in middles:
        left, right = at + slope * grid.start - height / 2, at + slope * grid.end - height / 2
        source = np.array([(grid.start, left), (grid.end, right), (grid.start, left + height)], np.float32)
        line = cv2.warpAffine(ink, cv2.getAffineTransform(source, target), (width, _HEIGHT))
        for template, sign in ((_FILLER, 1), (_TURNED, -1)):
            alike = cv2.matchTemplate(line, template, cv2.TM_CCOEFF_NORMED)
            score += sign * float(np.maximum(alike - _ALIKE, 0).sum())
    return float(np.tanh(score / 2))


def _drawn() -> NDArray[np.float32]:
    """A filler in its cell: two strokes that meet on the left."""
    cell = np.zeros((_HEIGHT, _WIDTH), np.float32)
    corners = np.array([(10, 2.5), (2, 8), (10, 13.5)]) * 16
    cv2.polylines(cell, [corners.astype(np.int32)], False, [1.0], 2, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(cell, (0, 0), 1.0), np.float32)


_FILLER: Final = _drawn()
_TURNED: Final = np.ascontiguousarray(_FILLER[:, ::-1])
