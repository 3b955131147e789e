"""The background of a scene, and what stands out from it.

A running average with a deviation of its own for each pixel, in fixed point. A pixel stands out if it differs from all
that the background shows one pixel around it, which forgives a trembling camera; what leaves and water do raises the
deviation of their place; a change of the exposure is taken out as one factor; what only shades or lights the ground
does not stand out. After each picture holes are closed and specks removed.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.video import kernels

LEAST: Final = 10.0
"""Levels that a pixel must differ by, in a picture of full contrast."""
BLINK: Final = 0.4
"""Levels by which the deviation grows each time that a pixel begins or ceases to stand out."""
DARKEST: Final = 0.5
"""Least factor of a shadow."""
BRIGHTEST: Final = 1.15
"""Largest factor of a light."""
ROUGH: Final = 2.0
"""Difference in levels beyond which it is neither."""
SECONDS: Final = 4.0
"""Time in which the background follows the scene."""
ABSORB_SECONDS: Final = 300.0
"""Time in which what stands still becomes background."""
FULL: Final = 150.0
"""Levels between black and white of a picture of full contrast."""
FAINTEST: Final = 0.3
_BLIND: Final = 8
"""Pictures at the start that are all taken for background."""
_FASTEST: Final = 3
_SLOWEST: Final = 8
_GAIN: Final = 0.02
RESTLESS: Final = 0.02
"""Share of the picture that must stand out before a shaking camera is thought of."""
_REACH: Final = 8
"""Pixels by which it may shake."""


class Background:
    """State of one camera's background; ``step`` takes its pictures in order."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.mean: NDArray[np.int16] = kernels.plane(shape, np.int16)
        """Levels in units of 1/128."""
        self.deviation: NDArray[np.int16] = kernels.plane(shape, np.int16, 2 * kernels.LEVEL)
        self._level = kernels.plane(shape, np.int16)
        self._raw, self._before, self._lit, self._clean = (kernels.plane(shape, np.uint8) for _ in range(4))
        self._nothing = kernels.plane(shape, np.uint8)
        self._seen = 0
        self._time = 0.0
        self._interval = 0.0
        self._updated = -1e9
        self._absorbed = 0
        self._black, self._contrast = 0.0, 1.0

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The background as a grey picture, shape (h, w)."""
        return (self.mean >> 7).astype(np.uint8)

    def step(self, grey: NDArray[np.uint8], time: float) -> NDArray[np.uint8]:
        """What stands out in a picture, 1 or 0, shape (h, w); the background follows the picture.

        ``grey`` has shape (h, w); ``time`` in seconds never goes back.
        """
        if self._seen == 0:
            self._compare(grey)
            self.mean[:] = self._level
        self._tempo(time)
        self._expose(grey)
        self._compare(grey)
        dx, dy = self._tremble(grey)
        kernels.shade(
            self._level,
            self.mean,
            self._raw,
            self._lit,
            self._black,
            DARKEST,
            BRIGHTEST,
            ROUGH * kernels.LEVEL * self._contrast,
        )
        kernels.majority(self._lit, self._clean, 13)
        kernels.spread(self._clean, self._lit)
        mask = np.empty_like(self._clean)
        kernels.shrink(self._lit, mask)
        self._follow(mask, time)
        return _shifted(mask, -dx, -dy) if dx or dy else mask

    def _compare(self, grey: NDArray[np.uint8]) -> None:
        least = int(LEAST * kernels.LEVEL * self._contrast)
        kernels.compare(grey, self.mean, self.deviation, least, self._level, self._raw)

    def _tremble(self, grey: NDArray[np.uint8]) -> tuple[int, int]:
        """Where much stands out, see whether the camera shook, and if so put the picture back in its place.

        Returns:
            By how many columns and rows the picture was moved back.

        """
        share = share_of(self._raw)
        if share < RESTLESS or self._seen < 2:
            return 0, 0
        now, then = kernels.profiles(self._level), kernels.profiles(self.mean)
        dx, dy = (_offset(profile, before) for profile, before in zip(now, then, strict=True))
        if dx == dy == 0:
            return 0, 0
        self._compare(_shifted(grey, dx, dy))
        if share_of(self._raw) < 0.8 * share:
            return dx, dy
        self._compare(grey)
        return 0, 0

    def forget(self) -> None:
        """Learn the scene anew with the next picture."""
        self._seen = 0
        self.deviation[:] = 2 * kernels.LEVEL

    def _tempo(self, time: float) -> None:
        step = min(max(time - self._time, 0.001), 2.0) if self._seen else 0.2
        self._interval = step if self._seen < 2 else self._interval + 0.1 * (step - self._interval)
        self._time = time
        self._seen += 1

    def _expose(self, grey: NDArray[np.uint8]) -> None:
        """Take a change of the exposure out of the background: the median factor of places all over the picture."""
        dark, bright = 12 * kernels.LEVEL, 250 * kernels.LEVEL
        factor = float(kernels.gain(grey, self.mean, dark, bright, 64))
        if abs(factor - 1) > _GAIN:
            np.clip(self.mean * np.float32(factor), 0, 255 * kernels.LEVEL, out=self.mean, casting="unsafe")

    def _measure(self) -> None:
        """Black level and contrast of the background: in fog and at night all differences are small."""
        black, white = np.percentile(self.mean[4::8, 4::8], (1, 99))
        self._contrast = min(max(float(white - black) / (FULL * kernels.LEVEL), FAINTEST), 1.0)
        self._black = float(black) * min(2 * (1 - self._contrast), 1.0)

    def _follow(self, mask: NDArray[np.uint8], time: float) -> None:
        every = SECONDS / 2**_SLOWEST
        if self._seen > 2**_SLOWEST and time - self._updated < every:
            return
        if self._absorbed % 16 == 0:
            self._measure()
        self._updated = time
        interval = max(self._interval, every)
        wanted = min(max(round(math.log2(SECONDS / interval)), _FASTEST), _SLOWEST)
        shift = min(wanted, max(1, round(math.log2(self._seen + 1))))
        self._absorbed += 1
        if self._seen <= _BLIND:
            moving = self._nothing
        elif self._seen < 2**wanted:
            moving = self._raw
        elif self._absorbed * SECONDS >= ABSORB_SECONDS:
            self._absorbed = 0
            moving = self._nothing
        else:
            # Around what stands out nothing is learned: it would creep in from there.
            kernels.majority(mask, self._lit, 1)
            moving = self._lit
        kernels.adapt(
            self._level,
            self.mean,
            self.deviation,
            moving,
            self._raw,
            self._before,
            shift,
            int(BLINK * kernels.LEVEL * self._contrast),
        )
        self._raw, self._before = self._before, self._raw


def share_of(mask: NDArray[np.uint8]) -> float:
    """Share of a mask that is not 0."""
    return cv2.countNonZero(mask) / mask.size


def _offset(profile: NDArray[np.int32], before: NDArray[np.int32]) -> int:
    """Pixels by which a profile of a picture, the sums of its columns or rows, must move to match an earlier one."""
    if len(before) <= 6 * _REACH:
        return 0
    wrong = kernels.mismatches(profile, before, _REACH)
    best = int(np.argmin(wrong))
    return _REACH - best if wrong[best] < 0.8 * wrong[_REACH] else 0


def _shifted(picture: NDArray[np.uint8], dx: int, dy: int) -> NDArray[np.uint8]:
    """A picture moved to the right and down, its borders repeated."""
    by = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    size = picture.shape[1], picture.shape[0]
    moved = cv2.warpAffine(picture, by, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)
