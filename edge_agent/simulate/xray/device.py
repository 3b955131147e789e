"""The X-ray scanner of the virtual checkpoint: bags and vehicles, a pair of DICOS files each, in its folder."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Final

from pydicom.uid import generate_uid

from drivers.xray.dicos import image
from drivers.xray.folder import XrayFolderSettings
from drivers.xray.piece import load
from edge_agent.processing.xray.scan import Channel, Scan
from edge_agent.simulate.device import SimulatedDevice
from edge_agent.simulate.xray.piece import phantom_of
from edge_agent.simulate.xray.scanner import Scanner
from edge_agent.simulate.xray.scenes import VEHICLE_PITCH, bag, vehicle

PIECE_NAME: Final = "test-piece"
_SLOWER: Final = 3
"""Travellers between two scans."""
_CHUNKS: Final = 4
_KNOWN_VEHICLES: Final = 3
_PLATE: Final = "UTO {:04d}"


class XrayScanner(SimulatedDevice[XrayFolderSettings]):
    """First the test piece, as every morning; then bags, and vehicles that come back with something that is new."""

    def __init__(self, settings: XrayFolderSettings, state: Path, pace: float) -> None:
        super().__init__(settings, state, pace)
        self._folder = state / settings.folder
        self._folder.mkdir(parents=True)
        self._scans = _scans(settings)

    def play(self, ending: threading.Event) -> None:
        """A scan for every third traveller."""
        due = time.monotonic()
        while not ending.wait(max(due - time.monotonic(), 0)):
            due = time.monotonic() + _SLOWER * self.pace
            name, scan = next(self._scans)
            self._write(f"{name} {self.presented + 1:05d}", scan)

    def _write(self, name: str, scan: Scan) -> None:
        """Write the files of a scan one after the other, bit by bit, under their final names from the beginning."""
        study = str(generate_uid())
        for channel in (Channel.LOW, Channel.HIGH):
            data = image.write(scan, channel, study=study)
            size = -(-len(data) // _CHUNKS)
            with (self._folder / f"{name} {channel}.dcs").open("wb", buffering=0) as file:
                for start in range(0, len(data), size):
                    file.write(data[start : start + size])
                    time.sleep(0.02)
        self.presented += 1


def _scans(settings: XrayFolderSettings) -> Iterator[tuple[str, Scan]]:
    """What is scanned, one after the other, with a name; the same ones each time."""
    baggage, vehicles = Scanner(), Scanner(pitch_mm=VEHICLE_PITCH)
    yield PIECE_NAME, baggage.scan(phantom_of(load(settings.test_piece)), seed=0)
    for number in count():
        if number % 3 < 2:
            made = bag(number, hidden=number % 2 == 1, metal_box=number % 6 == 3)
            yield "bag", replace(baggage.scan(made.layers, number), metadata={"OOIType": "BAGGAGE"})
            continue
        visit, which = divmod(number // 3, _KNOWN_VEHICLES)
        driven = vehicle(which, hidden=(0.5, 0.5) if visit % 2 else None)
        scan = vehicles.scan(driven.layers, number)
        yield "vehicle", replace(scan, metadata={"OOIType": "VEHICLE", "PatientID": _PLATE.format(which)})
