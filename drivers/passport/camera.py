"""A camera over the desk: reads a document as soon as it lies still, once for each time that it is laid down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from edge_agent.driver import Driver, DriverError, DriverSettings, Observation
from edge_agent.events.passport import PassportRead, Source, Verdict

if TYPE_CHECKING:
    import cv2
    import numpy as np
    from numpy.typing import NDArray

    Attempt = tuple[PassportRead | None, NDArray[np.uint8]]

LOOK_SECONDS = 0.2
_QUALITY = 92
_ATTEMPTS = 5
"""Readings of a document that lies still before it is taken for something else."""


class CameraSettings(DriverSettings):
    """Settings of ``passport.camera``."""

    device: str = Field(
        description="/dev/video0, better a name from /dev/v4l/by-id/ that stays when another camera is plugged in"
    )
    width: int = Field(default=1920, ge=320, le=8192, description="Pixels; the camera takes its nearest mode")
    height: int = Field(default=1080, ge=240, le=8192, description="Pixels")
    still_seconds: float = Field(default=0.4, ge=0, le=10, description="How long a document must lie still")
    motion: float = Field(
        default=4.0, gt=0, le=100, description="Mean difference of two pictures, in levels of 255, that is movement"
    )


class PageCamera(Driver[CameraSettings]):
    """V4L2 cameras (also a video file, to try it). What has no machine readable zone, as an empty desk, is no event."""

    kind = "passport.camera"
    Settings = CameraSettings
    preload: ClassVar[tuple[str, ...]] = ("drivers.passport.reading", "drivers.passport.stillness")

    def observe(self) -> Iterator[Observation | None]:
        """Yield an observation for each document that is laid down."""
        from drivers.passport.stillness import Scene, Stillness

        camera = self._open()
        stillness = Stillness(self.settings.still_seconds, self.settings.motion)
        attempts: list[Attempt] = []
        try:
            while True:
                image = self._picture(camera)
                if stillness.look(image, time.monotonic()) is not Scene.SETTLED:
                    attempts.clear()
                    yield None
                    continue
                read = self._read(image)
                attempts.append((read, image))
                if (read is not None and read.valid) or len(attempts) == _ATTEMPTS:
                    stillness.settle()
                    yield _best(attempts)
                else:
                    yield None
        finally:
            camera.release()

    def probe(self) -> str:
        """The size of a picture from the camera."""
        camera = self._open()
        try:
            height, width = self._picture(camera).shape[:2]
        finally:
            camera.release()
        return f"delivers pictures of {width} x {height}"

    def _open(self) -> cv2.VideoCapture:
        import cv2

        settings = self.settings
        backend = cv2.CAP_V4L2 if settings.device.startswith("/dev/") else cv2.CAP_ANY
        camera = cv2.VideoCapture(settings.device, backend)
        if not camera.isOpened():
            raise DriverError(
                f"The camera {settings.device} cannot be opened: plug it in, put the agent into group video."
            )
        camera.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
        camera.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
        camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return camera

    def _picture(self, camera: cv2.VideoCapture) -> NDArray[np.uint8]:
        """The next picture; those of a live camera in between are not even decoded."""
        import numpy as np

        due = time.monotonic() + (LOOK_SECONDS if self.settings.device.startswith("/dev/") else 0)
        while grabbed := camera.grab():
            if time.monotonic() >= due:
                break
        delivered, image = camera.retrieve()
        if not (grabbed and delivered):
            raise DriverError(f"The camera {self.settings.device} delivers no pictures any more: look at its cable.")
        return np.asarray(image, np.uint8)

    def _read(self, image: NDArray[np.uint8]) -> PassportRead | None:
        from drivers.passport.reading import read_picture

        read = read_picture(image, source=Source.CAMERA)
        return None if read.verdict is Verdict.UNREADABLE else read


def _best(attempts: list[Attempt]) -> Observation | None:
    """The first valid reading, else the first at all; None if there was nothing to read."""
    from drivers.passport.reading import evidence
    from edge_agent.processing.images import encode_jpeg

    reads = [(read, image) for read, image in attempts if read is not None]
    if not reads:
        return None
    read, image = min(reads, key=lambda attempt: not attempt[0].valid)
    return Observation(read, (evidence(encode_jpeg(image, quality=_QUALITY), "image/jpeg", image),))
