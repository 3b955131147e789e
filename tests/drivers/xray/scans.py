"""Scans for the tests of the readers and drivers: small, with known numbers in them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.xray.folder import XrayFolder, XrayFolderSettings
from edge_agent.driver import Driver, Observation
from edge_agent.processing.xray.scan import Channel, Scan

DATA = Path(__file__).parents[4] / "shared" / "data" / "xray"


@cache
def pair(rows: int = 90, columns: int = 120) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Low and high counts of a block of plastic in the open beam: low is weakened more."""
    rng = np.random.default_rng(3)
    thickness = np.zeros((rows, columns))
    thickness[30:60, 20:70] = 1.0
    low = rng.normal(50_000 * np.exp(-1.3 * thickness), 150)
    high = rng.normal(48_000 * np.exp(-1.0 * thickness), 150)
    return low.astype(np.uint16), high.astype(np.uint16)


def scan() -> Scan:
    low, high = pair()
    return Scan(low=low, high=high, pitch_mm=(0.8, 0.8), metadata={"PatientID": "01 KG 123 ABC"})


def channel(which: str) -> NDArray[np.uint16]:
    return pair()[("low", "high").index(which)]


CHANNELS = (Channel.LOW, Channel.HIGH)


def driver(folder: Path, **settings: Any) -> XrayFolder:
    made = XrayFolder(XrayFolderSettings(folder=folder, **{"settle_seconds": 0, "patience_seconds": 0, **settings}))
    made.device = "lane-3-xray"
    return made


def next_of(observations: Iterator[Observation | None], seconds: float = 20) -> Observation:
    """The next observation, acknowledged as the worker does once it is durable."""
    deadline = time.monotonic() + seconds
    for observation in observations:
        if observation is not None:
            assert observation.acknowledge is not None
            observation.acknowledge()
            return observation
        assert time.monotonic() < deadline, "nothing was observed"
    raise AssertionError("the driver ended")


def only(made: Driver[Any]) -> Observation:
    return next_of(iter(made.observe()))


def age(path: Path, seconds: float = 300) -> None:
    """Make a file look as if it had lain there for long."""
    then = time.time() - seconds
    os.utime(path, (then, then))
