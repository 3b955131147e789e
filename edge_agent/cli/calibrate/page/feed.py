"""What the camera sees now, the scene without what moves, and the figures of its health, kept up to date."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.driver import DriverError
from edge_agent.processing.images import encode_jpeg
from edge_agent.processing.video.scene import Scene

LONGEST_SIDE: Final = 1280
PAUSE_SECONDS: Final = 2.0

Pictures = Callable[[], Iterator[NDArray[np.uint8] | None]]
"""Opens the camera; yields its pictures (BGR, shape (h, w, 3)) as they come, and None while there is none."""


class Feed(threading.Thread):
    """Watches a camera until it is stopped; opens it again whenever it fails.

    Attributes:
        picture: the last picture; None before there is one.
        trouble: why there is none; empty while there are.

    """

    def __init__(self, pictures: Pictures, scene: Scene, height: int) -> None:
        super().__init__(name="feed", daemon=True)
        self.picture: NDArray[np.uint8] | None = None
        self.trouble = "no picture yet"
        self._pictures, self._scene, self._height = pictures, scene, height
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Close the camera."""
        self._stopping.set()
        self.join(5)

    def run(self) -> None:
        """Watch."""
        while not self._stopping.is_set():
            try:
                for picture in self._pictures():
                    if self._stopping.is_set():
                        return
                    if picture is not None:
                        self._take(picture)
            except DriverError as error:
                self.trouble = str(error)
            self._stopping.wait(PAUSE_SECONDS)

    def wait(self, seconds: float) -> NDArray[np.uint8]:
        """The picture, once there is one.

        Raises:
            DriverError: none came in time; says why.
        """
        until = time.monotonic() + seconds
        while self.picture is None:
            if time.monotonic() > until:
                raise DriverError(self.trouble or "no picture came")
            time.sleep(0.05)
        return self.picture

    def jpeg(self) -> bytes | None:
        """The picture."""
        return None if self.picture is None else encode_jpeg(self.picture, longest_side=LONGEST_SIDE)

    def background(self) -> bytes | None:
        """The scene without what moves."""
        background = self._scene.background
        return None if background is None else encode_jpeg(background)

    def figures(self) -> dict[str, float]:
        """Those of health, by name."""
        return dict(self._scene.figures)

    def _take(self, picture: NDArray[np.uint8]) -> None:
        height, width = picture.shape[:2]
        self.picture, self.trouble = picture, ""
        grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
        if height > self._height:
            size = (round(width * self._height / height), self._height)
            grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
        self._scene.step(grey, time.monotonic())
