"""A scale on a pseudo terminal that sends A&D lines all the time, at the pace of its baud rate."""

from __future__ import annotations

import contextlib
import os
import pty
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from drivers.inspection.scale import ScaleSettings
from edge_agent.simulate.device import SimulatedDevice

_SEED: Final = 0
_BITS: Final = 10
"""Of one byte on the line: start, eight, stop."""
_LINES_PER_SECOND: Final = 10
_SWINGS: Final = 5
_RESTS: Final = 6


class Scale(SimulatedDevice[ScaleSettings]):
    """A bench scale: a load swings, rests, and is taken off again; the same loads each time.

    The port that the driver looks for is a link to the terminal; its other end is held open, as a plugged cable.
    """

    def __init__(self, settings: ScaleSettings, state: Path, pace: float) -> None:
        super().__init__(settings, state, pace)
        self._line, self._terminal = pty.openpty()
        tty.setraw(self._terminal)
        os.set_blocking(self._line, False)
        link = state / settings.port
        link.parent.mkdir(parents=True)
        link.symlink_to(os.ttyname(self._terminal))
        self._link = link
        self._rng = np.random.default_rng(_SEED)

    def play(self, ending: threading.Event) -> None:
        """A load for each traveller; in between, the empty scale."""
        try:
            due = time.monotonic()
            while not ending.is_set():
                if time.monotonic() >= due:
                    due = time.monotonic() + self.pace
                    self._weigh(float(self._rng.uniform(0.2, 12)))
                self._send("ST", 0.0)
            for _ in range(_LINES_PER_SECOND):  # until the last load has been heard
                self._send("ST", 0.0)
        finally:
            self._link.unlink(missing_ok=True)
            os.close(self._line)
            os.close(self._terminal)

    def _weigh(self, load: float) -> None:
        for weight in self._swinging(load):
            self._send("US", weight)
        for _ in range(_RESTS):
            self._send("ST", load)
        self.presented += 1
        for weight in self._swinging(load / 2):
            self._send("US", weight)

    def _swinging(self, load: float) -> Iterator[float]:
        return (load * (1 + float(self._rng.normal(0, 0.3)) / (1 + swing)) for swing in range(_SWINGS))

    def _send(self, header: str, kilograms: float) -> None:
        """A line, byte for byte as the baud rate allows: a terminal itself knows no pace."""
        line = f"{header},GS,{'-' if kilograms < 0 else '+'}{abs(kilograms):7.3f}kg\r\n".encode()
        started = time.monotonic()
        for byte in line:
            with contextlib.suppress(BlockingIOError):  # nobody listens: it is lost, as on a real line
                os.write(self._line, bytes((byte,)))
            time.sleep(_BITS / self.settings.baud)
        time.sleep(max(1 / _LINES_PER_SECOND - (time.monotonic() - started), 0))
