"""A camera on this machine: V4L2, or a video file in its place."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pydantic import Field

from edge_agent.driver import DriverError, DriverSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOOK_SECONDS = 0.2


class VideoSettings(DriverSettings):
    """Settings of every driver that looks through a camera."""

    device: str = Field(
        description="/dev/video0, better a name from /dev/v4l/by-id/ that stays when another camera is plugged in"
    )
    width: int = Field(default=1920, ge=320, le=8192, description="Pixels; the camera takes its nearest mode")
    height: int = Field(default=1080, ge=240, le=8192, description="Pixels")


class Camera:
    """An open camera.

    Raises:
        DriverError: it cannot be opened.
    """

    def __init__(self, settings: VideoSettings) -> None:
        import cv2

        self._device = settings.device
        backend = cv2.CAP_V4L2 if settings.device.startswith("/dev/") else cv2.CAP_ANY
        self._capture = cv2.VideoCapture(settings.device, backend)
        if not self._capture.isOpened():
            raise DriverError(
                f"The camera {settings.device} cannot be opened: plug it in, put the agent into group video."
            )
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def picture(self) -> NDArray[np.uint8]:
        """The next picture, BGR; those of a live camera in between are not even decoded.

        Raises:
            DriverError: none comes any more.
        """
        import numpy as np

        due = time.monotonic() + (LOOK_SECONDS if self._device.startswith("/dev/") else 0)
        while grabbed := self._capture.grab():
            if time.monotonic() >= due:
                break
        delivered, image = self._capture.retrieve()
        if not (grabbed and delivered):
            raise DriverError(f"The camera {self._device} delivers no pictures any more: look at its cable.")
        return np.asarray(image, np.uint8)

    def size(self) -> str:
        """The size of a picture, in words."""
        height, width = self.picture().shape[:2]
        return f"{width} x {height}"

    def close(self) -> None:
        """Let others use it."""
        self._capture.release()
