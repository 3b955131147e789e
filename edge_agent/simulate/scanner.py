"""A document scanner that writes a picture of each page into a folder, as real ones do: not at once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np

from drivers.folder import FolderSettings
from edge_agent.processing.mrz.formats import FormatName
from edge_agent.simulate.device import SimulatedDevice
from edge_agent.simulate.documents import specimen
from edge_agent.simulate.photograph import photograph
from edge_agent.simulate.render import render

_MIX = (FormatName.TD3,) * 6 + (FormatName.TD1, FormatName.TD2, FormatName.MRV_A, FormatName.MRV_B)
_CHUNKS = 4
_SEVERITY = 0.25
_DPI = 200.0
_SEED = 0


class Scanner(SimulatedDevice[FolderSettings]):
    """Specimen documents of Utopia, one after the other, and the same ones each time."""

    def __init__(self, settings: FolderSettings, state: Path, pace: float) -> None:
        super().__init__(settings, state, pace)
        self._folder = state / settings.folder
        self._folder.mkdir(parents=True)
        self._rng = np.random.default_rng(_SEED)

    def play(self, ending: threading.Event) -> None:
        """A page for each traveller."""
        due = time.monotonic()
        while not ending.wait(max(due - time.monotonic(), 0)):
            due = time.monotonic() + self.pace
            self._write(self._picture())

    def _picture(self) -> bytes:
        """A JPEG of the next document: mostly passports, some cards and visas."""
        made = specimen(self._rng, _MIX[int(self._rng.integers(len(_MIX)))])
        page = photograph(render(made, self._rng, dpi=_DPI), self._rng, _SEVERITY)
        return cv2.imencode(".jpg", page.image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()

    def _write(self, picture: bytes) -> None:
        """Write a picture bit by bit, under its final name from the beginning."""
        size = -(-len(picture) // _CHUNKS)
        with (self._folder / f"scan {self.presented + 1:05d}.jpg").open("wb", buffering=0) as file:
            for start in range(0, len(picture), size):
                file.write(picture[start : start + size])
                time.sleep(0.05)
        self.presented += 1
