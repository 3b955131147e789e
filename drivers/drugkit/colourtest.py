"""Colour tests on their reference card: pictures and films out of a folder, or a camera that watches the card."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import ByteSize, Field

from drivers.folder import Content, FolderDriver, FolderSettings
from edge_agent.driver import DriverError, Observation

if TYPE_CHECKING:
    import cv2

    from drivers.drugkit.colour_reading import Memory, References
    from drivers.drugkit.side_data import Kit
    from edge_agent.processing.colourtest.locate import Pixels

_LOOK_SECONDS = 1.0
_GONE_SECONDS = 5.0
"""Without a card for so long, the test is over."""


class ColourTestSettings(FolderSettings):
    """Settings of ``drugkit.colourtest``."""

    folder: Path = Field(
        default=Path("inbox/colourtest"),
        description="Where pictures and films arrive; a relative path starts at the agent's state directory",
    )
    max_bytes: ByteSize = Field(default=ByteSize(192 * 1024**2), description="Larger files are set aside unread")
    camera: str = Field(
        default="",
        description="A camera over the card, e.g. a name from /dev/v4l/by-id/, that is watched instead of the folder",
    )
    reagent: Literal[
        "", "A.1", "A.2", "A.3", "A.4", "A.5", "A.6", "A.7", "A.8", "A.9", "A.10", "A.11", "A.12", "scott"
    ] = Field(
        default="", description="Of the kit, as numbered in NIJ 0604.01, or scott; empty: each picture says it itself"
    )
    kit_lot: str = Field(default="", max_length=64, description="Lot of the kit, as on its label")
    discard_date: date | Literal[""] = Field(default="", description="Of the kit, as on its label: 2027-03-31")


class ColourTest(FolderDriver[ColourTestSettings]):
    """JPEG, PNG, TIFF (8 or 16 bits) or film of a test on the project's card. Presumptive, whatever it says."""

    kind = "drugkit.colourtest"
    Settings = ColourTestSettings
    deadline: ClassVar[float] = 180.0  # a film of some minutes is decoded in one go
    preload: ClassVar[tuple[str, ...]] = ("drivers.drugkit.colour_reading",)

    def __init__(self, settings: ColourTestSettings) -> None:
        super().__init__(settings)
        self._memory: Memory | None = None

    def observe(self) -> Iterator[Observation | None]:
        """Yield an observation for each file, or for each reaction before the camera."""
        return self._watch() if self.settings.camera else super().observe()

    def examine(self, data: bytes) -> Content:
        """Read the test in a picture or film."""
        from drivers.drugkit.colour_reading import read_file

        return read_file(data, self._kit(), self._references(), self._remembered())

    def probe(self) -> str:
        """Whether files could be taken, or the size of a picture from the camera; and whether the card was measured."""
        if self.settings.camera:
            camera = self._open_camera()
            try:
                height, width = self._picture(camera)[0].shape[:2]
            finally:
                camera.release()
            found = f"the camera delivers pictures of {width} x {height}"
        else:
            found = super().probe()
        print_ = "measured" if self._references() is not None else "not measured yet: edge-agent calibrate colourtest"
        return f"{found}; the card is {print_}"

    def _kit(self) -> Kit:
        from drivers.drugkit.side_data import Kit

        settings = self.settings
        return Kit(reagent=settings.reagent, lot=settings.kit_lot, discard=settings.discard_date or None)

    def _remembered(self) -> Memory:
        from drivers.drugkit.colour_reading import Memory

        self._memory = self._memory or Memory()
        return self._memory

    def _references(self) -> References:
        """The print's measured colours, as they are calibrated at this moment."""
        from edge_agent.processing.colourtest.measured import MeasuredError, from_values

        found = self.calibration()
        if found is None:
            return None
        try:
            return from_values(found.values)
        except MeasuredError as error:
            raise DriverError(f"The calibration of the card cannot be used ({error}): calibrate it anew.") from None

    def _watch(self) -> Iterator[Observation | None]:
        """Follow one reaction after the other; the next begins when the card was taken away."""
        from drivers.drugkit.colour_reading import Film

        camera = self._open_camera()
        film, last_seen, told = Film(self._references()), 0.0, False
        try:
            while True:
                image, now = self._picture(camera)
                if not film.look(image, now):
                    if now - last_seen > _GONE_SECONDS:
                        film, told = Film(self._references()), False
                    yield None
                    continue
                last_seen = now
                if told or not film.over:
                    yield None
                    continue
                told = True
                content = film.content(self._kit(), self._remembered())
                yield Observation(content.data, content.evidence)
        finally:
            camera.release()

    def _open_camera(self) -> cv2.VideoCapture:
        import cv2

        name = self.settings.camera
        camera = cv2.VideoCapture(name, cv2.CAP_V4L2 if name.startswith("/dev/") else cv2.CAP_ANY)
        if not camera.isOpened():
            raise DriverError(f"The camera {name} cannot be opened: plug it in, put the agent into group video.")
        camera.set(cv2.CAP_PROP_FRAME_WIDTH, 1920)
        camera.set(cv2.CAP_PROP_FRAME_HEIGHT, 1080)
        return camera

    def _picture(self, camera: cv2.VideoCapture) -> tuple[Pixels, float]:
        """The next picture, and when it was taken, in seconds; of a file, to try it, in the file's own time."""
        import cv2
        import numpy as np

        live = self.settings.camera.startswith("/dev/")
        due = time.monotonic() + _LOOK_SECONDS if live else camera.get(cv2.CAP_PROP_POS_MSEC) / 1000 + _LOOK_SECONDS
        while grabbed := camera.grab():
            now = time.monotonic() if live else camera.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if now >= due:
                break
        delivered, image = camera.retrieve()
        if not (grabbed and delivered):
            raise DriverError(f"The camera {self.settings.camera} delivers no pictures any more: look at its cable.")
        return np.asarray(image, np.uint8), now
