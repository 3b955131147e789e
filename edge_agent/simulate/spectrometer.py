"""A handheld Raman spectrometer that drops files: a made-up sugar, a mixture of two, something nobody knows."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path
from typing import Final

import numpy as np

from drivers.drugkit.spectrum import SpectrumSettings
from drivers.drugkit.wavenumbers import as_calibration, measured
from edge_agent import calibration
from edge_agent.processing.spectra.spectrum import Technique
from edge_agent.simulate.device import SimulatedDevice
from edge_agent.simulate.spectra import Substance, X, as_measured, jcamp, made_up, polystyrene, spc
from edge_agent.spectral_library import Import, Provenance

DEVICE: Final = "lane-1-spectrometer"
OFF: Final = 4.5
"""1/cm that its wavenumbers are too low; polystyrene puts that right."""
KNOWN: Final = tuple(made_up(f"Made-up sugar {number}", number) for number in range(1, 13))
UNKNOWN: Final = made_up("Unknown", 99)
_SEED: Final = 0


class Spectrometer(SimulatedDevice[SpectrumSettings]):
    """Writes JCAMP-DX and SPC in turn; its library and its calibration are made with it."""

    def __init__(self, settings: SpectrumSettings, state: Path, pace: float) -> None:
        super().__init__(settings, state, pace)
        self._folder = state / settings.folder
        self._folder.mkdir(parents=True)
        self._rng = np.random.default_rng(_SEED)
        if settings.library is not None:
            self._make_library(state / settings.library)
        film = jcamp("film", X, as_measured(polystyrene().bands(X + OFF), self._rng))
        kept = as_calibration(measured(film, Technique.RAMAN), "a simulated film")
        calibration.save(calibration.path(DEVICE, state), kept)

    def play(self, ending: threading.Event) -> None:
        """A sample now and then."""
        due = time.monotonic()
        while not ending.wait(max(due - time.monotonic(), 0)):
            due = time.monotonic() + 3 * self.pace
            self._measure()

    def _measure(self) -> None:
        one, other = (KNOWN[int(at)] for at in self._rng.choice(len(KNOWN), 2, replace=False))
        kinds = (one.bands(X + OFF), 0.6 * one.bands(X + OFF) + 0.4 * other.bands(X + OFF), UNKNOWN.bands(X + OFF))
        counts = as_measured(kinds[self.presented % len(kinds)], self._rng)
        number = self.presented + 1
        if number % 2:
            name, data = f"sample {number:05d}.jdx", jcamp(f"sample {number}", X, counts)
        else:
            name, data = f"sample {number:05d}.spc", spc(f"sample {number}", X, counts)
        (self._folder / name).write_bytes(data)
        self.presented += 1

    def _make_library(self, path: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for substance in KNOWN:
                _pure(substance, Path(folder))
            making = Import(
                Path(folder), Technique.RAMAN, Provenance("none needed: nothing was measured", "edge-agent")
            )
            for _ in making:
                pass
            making.write(path)


def _pure(substance: Substance, folder: Path) -> None:
    quiet = np.random.default_rng(_SEED)
    counts = as_measured(substance.bands(X), quiet, noise=0.002, fluorescence=0.0)
    (folder / f"{substance.name}.jdx").write_bytes(jcamp(substance.name, X, counts))
