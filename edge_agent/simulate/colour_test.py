"""An officer with a colour-test kit and a telephone: pictures of one ampoule after the other while its colour changes.

The reactions run ``SPEED`` times as fast as in life: two minutes take five seconds. Each picture says how many seconds
of the reaction's own time have passed since the drop, and the lot of the kit says the factor.
"""

from __future__ import annotations

import io
import json
import threading
import time
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from drivers.drugkit.colourtest import ColourTestSettings
from edge_agent.processing.colourtest.colour import Array
from edge_agent.processing.colourtest.nij import Row, reagents
from edge_agent.simulate.ampoule import Shot, develop, lay_out, photograph_card, plain_colours, plain_liquid
from edge_agent.simulate.device import SimulatedDevice

SPEED: Final = 24
"""Seconds of a reaction in one second of the clock."""
_REACTIONS: Final = (
    ("A.5", "d-Methamphetamine HCl"),
    ("A.1", "Cocaine HCl"),
    ("A.5", "Diacetylmorphine HCl"),
    ("A.4", "d-Amphetamine HCl"),
    ("A.12", "MDMA HCl"),
)
_CLEAR: Final = np.array((94.0, 0.0, 3.0))
_LATEST: Final = 110.0
"""Seconds after the drop at which the last picture of an ampoule is taken."""
_HALF_LIFE: Final = 9.0
_DESCRIPTION: Final = 270
_SEED: Final = 0


class ColourTestKit(SimulatedDevice[ColourTestSettings]):
    """Pictures of reactions of the table, two or more of each, the last one within the reading window."""

    def __init__(self, settings: ColourTestSettings, state: Path, pace: float) -> None:
        super().__init__(settings, state, pace)
        self._folder = state / settings.folder
        self._folder.mkdir(parents=True)
        self._rng = np.random.default_rng(_SEED)

    def play(self, ending: threading.Event) -> None:
        """One ampoule after the other."""
        ampoule = 0
        while not ending.is_set():
            self._react(*_REACTIONS[ampoule % len(_REACTIONS)], ending)
            ampoule += 1

    def _react(self, reagent: str, substance: str, ending: threading.Event) -> None:
        row = next(row for row in reagents()[reagent].rows if row.substance == substance)
        dropped, step = time.monotonic(), max(self.pace * SPEED, 30.0)
        for seconds in (*np.arange(step / 2, _LATEST - step / 2, step), _LATEST):
            if ending.wait(max(dropped + float(seconds) / SPEED - time.monotonic(), 0)):
                return
            self._write(reagent, float(seconds), self._picture(_colour(row, float(seconds))))
        ending.wait(self.pace)

    def _picture(self, lab: Array) -> Image.Image:
        shot = Shot(width=1200, height=900, turn=float(self._rng.uniform(0, 360)), tilt=float(self._rng.uniform(0, 20)))
        card = lay_out(plain_colours(), plain_liquid(lab), plain_liquid(_CLEAR))
        return Image.fromarray(develop(photograph_card(card, self._rng, shot))[..., ::-1])

    def _write(self, reagent: str, seconds: float, picture: Image.Image) -> None:
        said = {"reagent": reagent, "seconds": round(seconds, 1), "lot": f"demo, {SPEED} times as fast"}
        exif = Image.Exif()
        exif[_DESCRIPTION] = json.dumps(said)
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=92, exif=exif)
        name = self._folder / f"ampoule {self.presented + 1:05d}.jpg"
        part = name.with_suffix(".part")
        part.write_bytes(file.getvalue())
        part.rename(name)
        self.presented += 1


def _colour(row: Row, seconds: float) -> Array:
    """Where a reaction is: at once at the beginning of its range, or halfway, and from there to its final colour."""
    final = row.colours[-1]
    begun = row.colours[0] if len(row.colours) > 1 else (_CLEAR + final) / 2
    return np.asarray(final + (begun - final) * 0.5 ** (seconds / _HALF_LIFE), np.float64)
