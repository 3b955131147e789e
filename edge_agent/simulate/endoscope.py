"""An endoscope that writes pictures of the inside of a tank onto a share, and a video now and then."""

from __future__ import annotations

import io
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from drivers.inspection.endoscope import EndoscopeSettings
from edge_agent.simulate.device import SimulatedDevice

_SEED: Final = 0
_SIZE: Final = (320, 240)
_FRAMES: Final = 20
_VIDEO_EVERY: Final = 4


class Endoscope(SimulatedDevice[EndoscopeSettings]):
    """A round, dim picture of a wall for each traveller; the clock is that of this machine."""

    def __init__(self, settings: EndoscopeSettings, state: Path, pace: float) -> None:
        super().__init__(settings, state, pace)
        self._folder = state / settings.folder
        self._folder.mkdir(parents=True)
        self._rng = np.random.default_rng(_SEED)

    def play(self, ending: threading.Event) -> None:
        """A picture or a video for each traveller."""
        due = time.monotonic()
        while not ending.wait(max(due - time.monotonic(), 0)):
            due = time.monotonic() + self.pace
            number = self.presented + 1
            hidden = self._folder / f".SCP{number:05d}"
            video = number % _VIDEO_EVERY == 0
            final = self._folder / f"SCP{number:05d}.{'AVI' if video else 'JPG'}"
            if video:
                self._film(hidden.with_suffix(".avi"), final)
            else:
                hidden.write_bytes(self._picture())
                hidden.rename(final)
            self.presented += 1

    def _picture(self) -> bytes:
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = datetime.now(UTC).strftime(
            "%Y:%m:%d %H:%M:%S"
        )
        file = io.BytesIO()
        Image.fromarray(self._view(0.0)[..., ::-1]).save(file, "JPEG", exif=exif, quality=88)
        return file.getvalue()

    def _film(self, hidden: Path, final: Path) -> None:
        writer = cv2.VideoWriter(str(hidden), cv2.VideoWriter.fourcc(*"MJPG"), 10, _SIZE)
        for frame in range(_FRAMES):
            writer.write(self._view(frame / _FRAMES))
        writer.release()
        hidden.rename(final)

    def _view(self, turned: float) -> NDArray[np.uint8]:
        """BGR: rust lit from the lens, dark towards the rim."""
        width, height = _SIZE
        y, x = np.mgrid[0:height, 0:width]
        radius = np.hypot(x - width / 2, y - height / 2) / (height / 2)
        light = np.clip(1.1 - radius, 0, 1) * (0.8 + 0.2 * np.sin(12 * radius + 6 * turned))
        rust = light[..., None] * np.array((60, 110, 180)) + self._rng.normal(0, 6, (height, width, 3))
        return np.asarray(rust.clip(0, 255), np.uint8)
