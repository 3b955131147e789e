"""A picture at several sizes, each made when it is asked for."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
"""Shape (h, w)."""


class Pyramid:
    """A grey picture and its halves, quarters and so on."""

    def __init__(self, grey: Grey) -> None:
        self._halvings = [grey]

    @cached_property
    def longest(self) -> int:
        """Longest side of the full picture, in pixels."""
        return int(max(self._halvings[0].shape))

    def halved(self, times: int) -> Grey:
        """The picture at 1 / 2 ** times; a side of odd length loses its last row or column."""
        while len(self._halvings) <= times:
            above = self._halvings[-1]
            # Exact halving is the one reduction for which OpenCV has a fast path.
            size = (max(above.shape[1] // 2, 1), max(above.shape[0] // 2, 1))
            even = above[: 2 * size[1], : 2 * size[0]]
            self._halvings.append(np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), np.uint8))
        return self._halvings[times]

    def sized(self, longest: float) -> tuple[Grey, float]:
        """The picture with its longest side near ``longest``, and how many pixels of the full one make one of it."""
        times = max(0, int(np.floor(np.log2(self.longest / longest) + 1e-6)))
        nearest = self.halved(times)
        factor = self.longest / longest / 2**times
        if abs(factor - 1) < 0.06:
            return nearest, float(2**times)
        size = (max(round(nearest.shape[1] / factor), 1), max(round(nearest.shape[0] / factor), 1))
        # Less than halved, which leaves too little to alias to be worth the slow way of averaging areas.
        resized = np.asarray(cv2.resize(nearest, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        return resized, 2**times * nearest.shape[1] / size[0]
