"""From lines of text anywhere in a picture to strips of one height, level, evenly lit, in one pitch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.picture import Picture
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

_BORDER: Final = np.array([(x / 4, y) for y in (0.0, 1.0) for x in range(5)])
"""Points on the border of a strip, in parts of its width and height."""
_MIDDLE_ABOVE: Final = 2
_MIDDLE_BELOW: Final = 7


@dataclass(frozen=True)
class Band:
    """A line of text as a map from its strip to the picture: see ``kernels.sample`` for both parts."""

    matrix: NDArray[np.float64]
    columns: int
    curve: NDArray[np.float64] = field(default_factory=lambda: np.zeros(kernels.CURVE))

    @property
    def width(self) -> int:
        """Of the strip, in pixels."""
        return self.columns * PITCH + 2 * MARGIN

    def to_picture(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points x, y of the strip, shape (n, 2), in the picture."""
        there: NDArray[np.float64] = kernels.placed(points, self.matrix, self.curve, MIDDLE, self.width)
        return there


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
    curve = np.zeros(kernels.CURVE)
    curve[4:7] = CAPITALS * _parabola(columns, len(sag)) @ sag
    return replace(straight, curve=curve)


@cache
def _parabola(columns: int, points: int) -> NDArray[np.float64]:
    """Shape (3, points): from values at evenly spaced points of a line's strip to the terms of ``Band.curve``."""
    width = Band(np.eye(3), columns).width
    at = np.linspace(MARGIN - 0.5, MARGIN + columns * PITCH - 0.5, points) / width
    return np.asarray(np.linalg.pinv(at[:, None] ** np.arange(3)), np.float64)


def strips(picture: Picture, bands: Sequence[Band]) -> NDArray[np.float32]:
    """The strips of these bands, all of one width, evenly lit: shape (lines, HEIGHT, width)."""
    result = np.empty((len(bands), HEIGHT, bands[0].width), np.float32)
    borders = np.array([line.to_picture(_BORDER * (line.width, HEIGHT)) for line in bands])
    # Pixels of the picture per pixel of a strip, where there are fewest, across the middle of a line.
    finest = float(np.hypot(*(borders[:, _MIDDLE_BELOW] - borders[:, _MIDDLE_ABOVE]).T).min()) / HEIGHT
    times = max(math.ceil(math.log2(max(finest / _SHARPEST, 1e-3))), 0)
    pixels, scaled = picture.around(borders.reshape(-1, 2), times)
    for strip, line in zip(result, bands, strict=True):
        kernels.sample(pixels, scaled @ line.matrix, line.curve, MIDDLE, strip)
        kernels.normalize(strip)
    return result
