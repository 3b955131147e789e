"""A picture at several sizes, each made when it is asked for."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz import kernels

Grey = NDArray[np.uint8]
"""Shape (h, w)."""


class Picture:
    """A picture in grey, and its halves, quarters and so on.

    The full size of a colour picture is the most expensive of them, and only characters that are small for a page of
    its size need it.
    """

    def __init__(self, image: NDArray[np.uint8]) -> None:
        """``image`` is BGR, shape (h, w, 3), or grey, shape (h, w)."""
        self._image = np.ascontiguousarray(image)
        self._levels: dict[int, Grey] = {} if image.ndim == 3 else {0: self._image}

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the full picture, in pixels."""
        height, width = self._image.shape[:2]
        return height, width

    def halved(self, times: int) -> Grey:
        """The picture at 1 / 2 ** times; a side of odd length loses its last row or column."""
        if times not in self._levels:
            if times == 0:
                self._levels[0] = np.asarray(cv2.cvtColor(self._image, cv2.COLOR_BGR2GRAY), np.uint8)
            elif times == 1 and 0 not in self._levels and min(self.shape) > 1:
                height, width = self.shape
                self._levels[1] = np.empty((height // 2, width // 2), np.uint8)
                kernels.half_in_grey(self._image.reshape(height, -1), self._levels[1])
            else:
                self._levels[times] = half(self.halved(times - 1))
        return self._levels[times]

    def around(self, points: NDArray[np.float64], times: int) -> tuple[Grey, NDArray[np.float64]]:
        """What shows these points x, y, shape (n, 2), halved so many times, and the matrix from the picture to it.

        Of the full size of a colour picture no more than that is made.
        """
        if times == 0 and 0 not in self._levels:
            height, width = self.shape
            x0, y0 = (int(v) for v in np.clip(np.floor(points.min(axis=0)) - 2, 0, (width - 1, height - 1)))
            x1, y1 = (int(v) for v in np.clip(np.ceil(points.max(axis=0)) + 3, (x0 + 1, y0 + 1), (width, height)))
            part = np.asarray(cv2.cvtColor(self._image[y0:y1, x0:x1], cv2.COLOR_BGR2GRAY), np.uint8)
            return part, np.array(((1.0, 0.0, -x0), (0.0, 1.0, -y0), (0.0, 0.0, 1.0)))
        by = 1 / 2**times
        return self.halved(times), np.array(((by, 0.0, by / 2 - 0.5), (0.0, by, by / 2 - 0.5), (0.0, 0.0, 1.0)))

    def sized(self, longest: float) -> tuple[Grey, float]:
        """The picture with its longest side near ``longest``, and how many pixels of the full one make one of it."""
        by = max(self.shape) / longest
        times = max(0, int(np.floor(np.log2(by) + 1e-6)))
        nearest = self.halved(times)
        factor = by / 2**times
        if abs(factor - 1) < 0.06:
            return nearest, float(2**times)
        size = (max(round(nearest.shape[1] / factor), 1), max(round(nearest.shape[0] / factor), 1))
        # Less than halved, which leaves too little to alias to be worth the slow way of averaging areas.
        resized = np.asarray(cv2.resize(nearest, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        return resized, 2**times * nearest.shape[1] / size[0]

    def negative(self) -> Picture:
        """Light print becomes dark."""
        return Picture(255 - self.halved(0))


def half(pixels: NDArray[Any]) -> NDArray[Any]:
    """Half of a picture; a side of odd length loses its last row or column."""
    # Exact halving is the one reduction for which OpenCV has a fast path.
    size = (max(pixels.shape[1] // 2, 1), max(pixels.shape[0] // 2, 1))
    return cv2.resize(pixels[: 2 * size[1], : 2 * size[0]], size, interpolation=cv2.INTER_AREA)
