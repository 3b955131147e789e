"""A document scanner that writes a picture of each page into a folder, as real ones do: not at once."""

from __future__ import annotations

import time

import cv2

from drivers.folder import FolderSettings
from edge_agent.processing.mrz.formats import FormatName
from edge_agent.simulate.documents import specimen
from edge_agent.simulate.folder import FolderDevice
from edge_agent.simulate.photograph import photograph
from edge_agent.simulate.render import render

_MIX = (FormatName.TD3,) * 6 + (FormatName.TD1, FormatName.TD2, FormatName.MRV_A, FormatName.MRV_B)
_CHUNKS = 4
_SEVERITY = 0.25
_DPI = 200.0


class Scanner(FolderDevice[FolderSettings]):
    """Specimen documents of Utopia, one after the other, and the same ones each time."""

    def write(self) -> None:
        """Write a page bit by bit, under its final name from the beginning."""
        picture = self._picture()
        size = -(-len(picture) // _CHUNKS)
        with (self.folder / f"scan {self.presented + 1:05d}.jpg").open("wb", buffering=0) as file:
            for start in range(0, len(picture), size):
                file.write(picture[start : start + size])
                time.sleep(0.05)

    def _picture(self) -> bytes:
        """A JPEG of the next document: mostly passports, some cards and visas."""
        made = specimen(self.rng, _MIX[int(self.rng.integers(len(_MIX)))])
        page = photograph(render(made, self.rng, dpi=_DPI), self.rng, _SEVERITY)
        return cv2.imencode(".jpg", page.image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
