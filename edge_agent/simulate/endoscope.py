"""An endoscope that writes pictures of the inside of a tank onto a share, and a video now and then."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from drivers.inspection.endoscope import EndoscopeSettings
from edge_agent.simulate.folder import FolderDevice

_SIZE: Final = (320, 240)
_FRAMES: Final = 20
_VIDEO_EVERY: Final = 4


class Endoscope(FolderDevice[EndoscopeSettings]):
    """A round, dim picture of a wall for each traveller; the clock is that of this machine."""

    def write(self) -> None:
        """A picture, or a video."""
        number = self.presented + 1
        if number % _VIDEO_EVERY == 0:
            self._film(f"SCP{number:05d}.AVI")
        else:
            self.put(f"SCP{number:05d}.JPG", self._picture())

    def _picture(self) -> bytes:
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = datetime.now(UTC).strftime(
            "%Y:%m:%d %H:%M:%S"
        )
        file = io.BytesIO()
        Image.fromarray(self._view(0.0)[..., ::-1]).save(file, "JPEG", exif=exif, quality=88)
        return file.getvalue()

    def _film(self, name: str) -> None:
        hidden = self.folder / f".{name}.avi"
        writer = cv2.VideoWriter(str(hidden), cv2.VideoWriter.fourcc(*"MJPG"), 10, _SIZE)
        for frame in range(_FRAMES):
            writer.write(self._view(frame / _FRAMES))
        writer.release()
        hidden.rename(self.folder / name)

    def _view(self, turned: float) -> NDArray[np.uint8]:
        """BGR: rust lit from the lens, dark towards the rim."""
        width, height = _SIZE
        y, x = np.mgrid[0:height, 0:width]
        radius = np.hypot(x - width / 2, y - height / 2) / (height / 2)
        light = np.clip(1.1 - radius, 0, 1) * (0.8 + 0.2 * np.sin(12 * radius + 6 * turned))
        rust = light[..., None] * np.array((60, 110, 180)) + self.rng.normal(0, 6, (height, width, 3))
        return np.asarray(rust.clip(0, 255), np.uint8)
