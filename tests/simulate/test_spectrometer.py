"""The simulated spectrometer delivers what its driver tells apart."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from drivers.drugkit.spectrum import SpectrumFolder, SpectrumSettings
from edge_agent.events.spectrum import SpectrumMeasured
from edge_agent.simulate.spectrometer import DEVICE, Spectrometer


def test_a_sugar_a_mixture_and_something_unknown_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = SpectrumSettings(folder=Path("in"), library=Path("lib"))
    device = Spectrometer(settings, tmp_path, 0.01)
    ending = threading.Event()
    playing = threading.Thread(target=device.play, args=(ending,))
    playing.start()
    until = time.monotonic() + 30
    while device.presented < 3 and time.monotonic() < until:
        time.sleep(0.01)
    ending.set()
    playing.join()
    driver = SpectrumFolder(settings)
    driver.device = DEVICE
    files = sorted(Path("in").glob("sample*"))[:3]
    events = [driver.examine(file.read_bytes()).data for file in files]
    assert [event.verdict for event in events if isinstance(event, SpectrumMeasured)] == [
        "match",
        "mixture",
        "no_match",
    ]
    assert {file.suffix for file in files} == {".jdx", ".spc"}
