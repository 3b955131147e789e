"""One camera's scene, picture by picture: what happens in it, and how the camera itself is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.video.zones import Direction, Line, Point, Polygon, Zone

Fault = Literal["no_signal", "frozen", "dark", "dazzled", "covered", "defocused", "moved", "stuck_colour"]


@dataclass(frozen=True, slots=True)
class Motion:
    """Something began or ceased to move; ``seconds`` is how long it moved, ``share`` the most of the picture."""

    state: Literal["started", "ended"]
    seconds: float
    share: float


@dataclass(frozen=True, slots=True)
class ZoneChange:
    """Objects entered or left a zone, or have been there for long."""

    zone: str
    state: Literal["entered", "occupied", "left"]
    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Crossing:
    """An object crossed a line."""

    line: str
    direction: Direction
    place: Point


@dataclass(frozen=True, slots=True)
class HealthChange:
    """A fault of the camera began or ended."""

    fault: Fault
    state: Literal["began", "ended"]
    seconds: float


Happening = Motion | ZoneChange | Crossing | HealthChange


class Scene:
    """State of one camera; ``step`` takes its pictures in order."""

    def __init__(
        self, *, zones: Sequence[Zone] = (), lines: Sequence[Line] = (), masks: Sequence[Polygon] = ()
    ) -> None:
        self.zones, self.lines, self.masks = tuple(zones), tuple(lines), tuple(masks)
        self.figures: dict[str, float] = {}
        """Health figures of the last picture, by name."""
        self.background: NDArray[np.uint8] | None = None
        """What the scene looks like when nothing moves, shape (h, w); None before the first picture."""

    def step(self, grey: NDArray[np.uint8], time: float) -> list[Happening]:
        """Take in a picture, shape (h, w), at a time in seconds; what happened with it."""
        self.background = grey
        del time
        return []
