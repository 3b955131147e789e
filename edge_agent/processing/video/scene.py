"""One camera's scene, picture by picture: what happens in it, and how the camera itself is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.video.background import Background, share_of
from edge_agent.processing.video.counting import Crossing, LineCount, ZoneChange, ZoneCount
from edge_agent.processing.video.health import Fault, Health
from edge_agent.processing.video.regions import Region, regions
from edge_agent.processing.video.tracks import Track, Tracker
from edge_agent.processing.video.zones import Line, Polygon, Zone, raster

Chroma = tuple[NDArray[np.uint8], NDArray[np.uint8]]
SETTLE_SECONDS: Final = 1.0
"""Time at the start in which the background is learned, and nothing happens."""
_MOTION_ENDS: Final = 2.0
"""Seconds without motion after which it has ended."""
_TURMOIL: Final = 0.7
"""Share of the picture that stands out when not objects, but light or camera have changed."""
_TURMOIL_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Motion:
    """Something began or ceased to move; ``seconds`` is how long it moved, ``share`` the most of the picture."""

    state: Literal["started", "ended"]
    seconds: float
    share: float


@dataclass(frozen=True, slots=True)
class HealthChange:
    """A fault of the camera began or ended; ``seconds`` is for how long it has been seen."""

    fault: Fault
    state: Literal["began", "ended"]
    seconds: float


Happening = Motion | ZoneChange | Crossing | HealthChange


class Scene:
    """State of one camera; ``step`` takes its pictures in order.

    Pictures may have any size, but all the same; a camera that changes its size is learned anew. ``smallest`` is the
    share of the picture that an object covers at least.
    """

    def __init__(
        self,
        *,
        zones: Sequence[Zone] = (),
        lines: Sequence[Line] = (),
        masks: Sequence[Polygon] = (),
        smallest: float = 0.001,
        health: Health | None = None,
    ) -> None:
        self.zones, self.lines, self.masks = tuple(zones), tuple(lines), tuple(masks)
        self.smallest = smallest
        self.health = health or Health()
        self.counts = [ZoneCount(zone) for zone in self.zones]
        self.moving: NDArray[np.uint8] = np.zeros((0, 0), np.uint8)
        """What stood out in the last picture, 1 or 0, shape (h, w)."""
        self.regions: list[Region] = []
        self.tracks: list[Track] = []
        """Objects in the last picture."""
        self._model: Background | None = None
        self._tracker = Tracker()
        self._crossings: list[LineCount] = []
        self._masked: NDArray[np.bool_] | None = None
        self._started = 0.0
        self._turmoil: float | None = None
        self._motion: Motion | None = None
        self._motion_began = self._motion_seen = 0.0

    @property
    def background(self) -> NDArray[np.uint8] | None:
        """What the scene looks like when nothing moves, shape (h, w); None before the first picture."""
        return None if self._model is None else self._model.picture

    @property
    def figures(self) -> dict[str, float]:
        """Health figures of the last look, by name."""
        return self.health.figures

    def step(self, grey: NDArray[np.uint8], time: float, chroma: Chroma | None = None) -> list[Happening]:
        """Take in a picture and say what happened with it.

        Args:
            grey: Shape (h, w).
            time: In seconds, never going back.
            chroma: The planes U and V if there are any, of any size.

        """
        model = self._begin(grey.shape, time)
        if self._masked is not None:
            grey = np.where(self._masked, np.uint8(0), grey)
        happened: list[Happening] = [_health(change) for change in self.health.step(grey, time, chroma)]
        self.moving = model.step(grey, time)
        self.regions = regions(self.moving, self.smallest)
        if time - self._started < SETTLE_SECONDS or self._unsettled(model, time):
            self.regions = []
        self.tracks = self._tracker.step(self.regions, time)
        happened += self._moved(time)
        for count in self.counts:
            happened += count.step(self.tracks, time)
        for line in self._crossings:
            happened += line.step(self._tracker.tracks)
        return happened

    def lost(self, time: float) -> list[Happening]:
        """No picture has come for too long; ``time`` is now, in seconds."""
        return [_health(change) for change in self.health.lost(time)]

    def _begin(self, shape: tuple[int, ...], time: float) -> Background:
        if self._model is None or self._model.mean.shape != shape:
            height, width = shape
            self._model = Background((height, width))
            self._tracker = Tracker()
            self._crossings = [LineCount(line, width / height) for line in self.lines]
            self._masked = raster(self.masks, (height, width)) if self.masks else None
            self._started = time
        return self._model

    def _unsettled(self, model: Background, time: float) -> bool:
        """Whether so much stands out that it is none of objects; after a while the scene is learned anew."""
        if share_of(self.moving) < _TURMOIL:
            self._turmoil = None
            return False
        self._turmoil = time if self._turmoil is None else self._turmoil
        if time - self._turmoil > _TURMOIL_SECONDS:
            model.forget()
            self._turmoil = None
        return True

    def _moved(self, time: float) -> list[Motion]:
        share = sum(region.area for region in self.regions)
        if self.regions and any(track.sure for track in self.tracks):
            self._motion_seen = time
            if self._motion is None:
                self._motion_began, self._motion = time, Motion("started", 0.0, share)
                return [self._motion]
            if share > self._motion.share:
                self._motion = Motion("started", 0.0, share)
        elif self._motion is not None and time - self._motion_seen > _MOTION_ENDS:
            ended = Motion("ended", self._motion_seen - self._motion_began, self._motion.share)
            self._motion = None
            return [ended]
        return []


def _health(change: tuple[Fault, bool, float]) -> HealthChange:
    fault, began, seconds = change
    return HealthChange(fault, "began" if began else "ended", seconds)


def warm() -> None:
    """Compile the kernels, or load them from their cache, by two pictures."""
    scene = Scene()
    picture = np.zeros((48, 64), np.uint8)
    for time in (0.0, 1.0):
        picture[16:32, 16:32] += 90
        scene.step(picture, time)
