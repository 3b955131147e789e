"""A device that writes a file into a folder for each traveller."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from edge_agent.driver import DriverSettings
from edge_agent.simulate.device import SimulatedDevice

_SEED: Final = 0
S = TypeVar("S", bound=DriverSettings)


class FolderDevice(SimulatedDevice[S]):
    """Files for each traveller, and the same ones each time.

    Attributes:
        folder: where they go; it is made with the device.
        rng: what makes them differ.

    """

    def __init__(self, settings: S, state: Path, pace: float) -> None:
        super().__init__(settings, state, pace)
        self.folder = state / self.where()
        self.folder.mkdir(parents=True)
        self.rng = np.random.default_rng(_SEED)

    def where(self) -> Path:
        """The folder as the driver's settings have it."""
        folder: Path = getattr(self.settings, "folder")  # noqa: B009  (of any driver of a folder)
        return folder

    def play(self, ending: threading.Event) -> None:
        """Write for one traveller after the other."""
        due = time.monotonic()
        while not ending.wait(max(due - time.monotonic(), 0)):
            due = time.monotonic() + self.pace
            self.write()
            self.presented += 1

    @abstractmethod
    def write(self) -> None:
        """Write what one traveller gives rise to."""

    def put(self, name: str, data: bytes) -> None:
        """Write a file that appears whole."""
        hidden = self.folder / f".{name}.part"
        hidden.write_bytes(data)
        hidden.rename(self.folder / name)
