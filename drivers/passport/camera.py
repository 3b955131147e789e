"""A camera over the desk: reads a document as soon as it lies still, once for each time that it is laid down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from drivers.camera import Camera, VideoSettings
from edge_agent.driver import Driver, Observation
from edge_agent.events.passport import PassportRead, Source, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Attempt = tuple[PassportRead | None, NDArray[np.uint8]]

_QUALITY = 92
_ATTEMPTS = 5
"""Readings of a document that lies still before it is taken for something else."""


class CameraSettings(VideoSettings):
    """Settings of ``passport.camera``."""

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

        camera = Camera(self.settings)
        stillness = Stillness(self.settings.still_seconds, self.settings.motion)
        attempts: list[Attempt] = []
        try:
            while True:
                image = camera.picture()
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
            camera.close()

    def probe(self) -> str:
        """The size of a picture from the camera."""
        camera = Camera(self.settings)
        try:
            return f"delivers pictures of {camera.size()}"
        finally:
            camera.close()

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
