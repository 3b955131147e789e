"""When something new has come to rest under a camera."""

from __future__ import annotations

from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

_LOOK = (64, 48)
"""Width and height in pixels at which two pictures are compared."""


class Scene(Enum):
    """What happens under the camera."""

    MOVING = "moving"
    SETTLED = "settled"
    KNOWN = "known"


class Stillness:
    """Tells from small grey pictures when something new has come to rest."""

    def __init__(self, still_seconds: float, motion: float) -> None:
        self._still_seconds = still_seconds
        self._motion = motion
        self._last: NDArray[np.int16] | None = None
        self._known: NDArray[np.int16] | None = None
        self._since = 0.0

    def look(self, image: NDArray[np.uint8], now: float) -> Scene:
        """What a picture taken at ``now`` (seconds) shows, compared with those before it."""
        grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        small = cv2.resize(grey, _LOOK, interpolation=cv2.INTER_AREA).astype(np.int16)
        last, self._last = self._last, small
        if last is None or self._differ(small, last):
            self._since = now
            self._known = None
            return Scene.MOVING
        if self._known is not None and not self._differ(small, self._known):
            return Scene.KNOWN
        return Scene.SETTLED if now - self._since >= self._still_seconds else Scene.MOVING

    def settle(self) -> None:
        """Nothing more is wanted of what lies there now."""
        self._known = self._last

    def _differ(self, one: NDArray[np.int16], other: NDArray[np.int16]) -> bool:
        return float(np.abs(one - other).mean()) > self._motion
