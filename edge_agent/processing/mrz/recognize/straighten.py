"""From lines of text anywhere in a picture to strips of one height, level, evenly lit, in one pitch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.recognize import kernels

Quad = NDArray[np.float32]
"""Shape (4, 2): the corners x, y of a line in pixels, clockwise from the top left of its text."""

HEIGHT: Final = 32
PITCH: Final = 16
"""Pixels from one character to the next in a strip."""
CAPITALS: Final = 19.0
"""Height of the capitals in a strip, in pixels."""
MIDDLE: Final = (HEIGHT - 1) / 2
MARGIN: Final = 3 * PITCH
"""Pixels before and after the text, for ends that were found too short."""

_SHARPEST: Final = 1.5
"""Pixels of the picture per pixel of a strip above which it is halved first, so that nothing is skipped."""


@dataclass(frozen=True)
class Band:
    """A line of text as a map from its strip to the picture: see ``kernels.sample`` for both parts."""

    matrix: NDArray[np.float64]
    columns: int
    curve: NDArray[np.float64] = field(default_factory=lambda: np.zeros(9))

    @property
    def width(self) -> int:
        """Of the strip, in pixels."""
        return self.columns * PITCH + 2 * MARGIN

    def to_picture(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points x, y of the strip, shape (n, 2), in the picture."""
        x, y = points[:, 0], points[:, 1]
        t, c = x / self.width, self.curve
        at = x + c[0] + t * (c[1] + t * (c[2] + t * c[3]))
        scale = 1 + c[7] + c[8] * t
        below = MIDDLE + (y - MIDDLE) * scale + c[4] + t * (c[5] + t * c[6])
        u, v, w = self.matrix @ np.stack((at, below, np.ones_like(at)))
        return np.stack((u / w, v / w), axis=1)


def band(quad: Quad, columns: int, sag: Sequence[float] = ()) -> Band:
    """The band of a line that is thought to have so many characters.

    ``sag`` is how far the line lies below the straight one between its ends, in heights of the capitals, at evenly
    spaced points from the first to the last.
    """
    left, right = MARGIN - 0.5, MARGIN + columns * PITCH - 0.5
    top, base = MIDDLE - CAPITALS / 2, MIDDLE + CAPITALS / 2
    corners = np.array(((left, top), (right, top), (right, base), (left, base)), np.float32)
    matrix = cv2.getPerspectiveTransform(corners, np.ascontiguousarray(quad, np.float32))
    straight = Band(np.asarray(matrix, np.float64), columns)
    if not any(sag):
        return straight
    curve = np.zeros(9)
    at = np.linspace(left, right, len(sag)) / straight.width
    curve[4:7] = np.polynomial.polynomial.polyfit(at, CAPITALS * np.array(sag), 2)
    return replace(straight, curve=curve)


def strips(grey: NDArray[np.uint8], bands: Sequence[Band]) -> NDArray[np.float32]:
    """The strips of these bands, all of one width, evenly lit: shape (lines, HEIGHT, width).

    ``grey`` has shape (height, width).
    """
    result = np.empty((len(bands), HEIGHT, bands[0].width), np.float32)
    picture, matrices = _scaled_down(grey, bands)
    for strip, matrix, line in zip(result, matrices, bands, strict=True):
        kernels.sample(picture, matrix, line.curve, MIDDLE, strip)
        kernels.normalize(strip)
    return result


def _scaled_down(grey: NDArray[np.uint8], bands: Sequence[Band]) -> tuple[NDArray[np.uint8], list[NDArray[np.float64]]]:
    """The part of the picture that shows these bands, no sharper than needed, and the matrices into it."""
    width = bands[0].width
    points = np.array(((0, 0), (width, 0), (width, HEIGHT), (0, HEIGHT), (width / 2, 0), (width / 2, HEIGHT)), float)
    corners = np.concatenate([line.to_picture(points) for line in bands])
    factor = min(float(np.hypot(*(ends[5] - ends[4]))) / HEIGHT for ends in np.split(corners, len(bands)))
    matrices = [line.matrix for line in bands]
    if factor <= _SHARPEST:
        return grey, matrices
    times = math.ceil(math.log2(factor / _SHARPEST))
    height, width = grey.shape
    x0, y0 = (int(v) for v in np.clip(np.floor(corners.min(axis=0)) - 2, 0, (width - 2**times, height - 2**times)))
    x1, y1 = (int(v) for v in np.clip(np.ceil(corners.max(axis=0)) + 3, 0, (width, height)))
    part = grey[y0:y1, x0:x1]
    for _ in range(times):
        # Exact halving is the one reduction for which OpenCV has a fast path.
        size = (max(part.shape[1] // 2, 1), max(part.shape[0] // 2, 1))
        part = np.asarray(cv2.resize(part[: 2 * size[1], : 2 * size[0]], size, interpolation=cv2.INTER_AREA), np.uint8)
    by = 1 / 2**times
    shrink = np.array(((by, 0, (0.5 - x0) * by - 0.5), (0, by, (0.5 - y0) * by - 0.5), (0, 0, 1)))
    return part, [shrink @ matrix for matrix in matrices]
