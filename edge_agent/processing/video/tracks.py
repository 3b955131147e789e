"""Objects followed from picture to picture, also while several of them look like one.

A region belongs to every track that is expected there. Alone in a region, a track takes its place and size from it;
several in one region keep their sizes, go on as they went, and are held within the region: those who met part again as
the same. A track that finds several regions takes them together, if they are no larger than itself. When a region comes
apart, what nobody took goes to one for whom there is no room in the other part, before it is anybody new.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from edge_agent.processing.video.regions import Region, places

SURE_SECONDS: Final = 0.5
"""Time that something must have been followed to be an object."""
LOST_SECONDS: Final = 1.2
"""Time for which an object is expected where it would be if it were seen."""
PATIENCE: Final = 1.0
"""Seconds after which a track is given up whose region is too small for all that are in it."""
FULL: Final = 0.75
"""Least share of their areas that objects in one region show together."""
NEAR: Final = 0.25
"""Share of the smaller one of a track's box and a region that they have in common if they may be the same."""
ALIKE: Final = 0.6
_SIZE: Final = 0.15
"""Share of a new size that is taken over."""
_SPEED: Final = 0.35
_LARGER: Final = 1.35
"""Width or height of a region beside a track's own, from which it holds more than the track."""


@dataclass(slots=True, eq=False)
class Track:
    """An object: its centre and size in shares of the picture, and its speed in shares a second."""

    number: int
    x: float
    y: float
    width: float
    height: float
    born: float
    seen: float
    vx: float = 0.0
    vy: float = 0.0
    sure: bool = False
    pictures: int = 1
    alone: float = 0.0
    """Seconds for which it had a region for itself."""
    shared: float = 0.0
    """Seconds since then."""
    area: float = 0.0
    """Share of the picture that it covers, when alone."""
    surplus: float = 0.0
    """Seconds for which its region has been too small for all that are in it."""
    claim: tuple[float, float] | None = None
    """Centre of what is nearest to it in a region that it shares."""
    start: tuple[float, float] = (0.0, 0.0)
    sides: dict[str, float] = field(default_factory=dict)
    """Beside which lines it is, and on which side: kept by those who count."""

    def overlap(self, region: Region, margin: float = 0.0) -> float:
        """Area shared with a region, of the smaller one of both: 0 to 1."""
        across = min(self.x + self.width / 2 + margin, region.right) - max(
            self.x - self.width / 2 - margin, region.left
        )
        down = min(self.y + self.height / 2 + margin, region.bottom) - max(
            self.y - self.height / 2 - margin, region.top
        )
        if across <= 0 or down <= 0:
            return 0.0
        return across * down / max(min(self.width * self.height, region.width * region.height), 1e-9)


class Tracker:
    """State of all objects in a scene; ``step`` takes the regions of its pictures in order."""

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self._next = 1
        self._time: float | None = None

    def step(self, regions: Sequence[Region], time: float) -> list[Track]:
        """Follow the objects to the regions of a picture at a time in seconds; those that are sure."""
        passed = 0.0 if self._time is None else min(max(time - self._time, 0.0), 1.0)
        self._time = time
        for track in self.tracks:
            track.x += track.vx * passed
            track.y += track.vy * passed
        holders: list[list[Track]] = [[] for _ in regions]
        parts: dict[int, list[int]] = {}
        for track in self.tracks:
            margin = 0.01 if track.pictures > 2 else 0.03
            found = [(track.overlap(region, margin), index) for index, region in enumerate(regions)]
            near = [index for share, index in found if share > NEAR]
            parts[track.number] = near
            for index in near:
                holders[index].append(track)
        self._settle(regions, holders, parts)
        for index, region in enumerate(regions):
            if holders[index]:
                continue
            missed = self._missed(region, regions, holders, parts)
            if missed is None:
                self._begin(region, time)
                continue
            for left in parts[missed.number]:
                holders[left].remove(missed)
            holders[index], parts[missed.number] = [missed], [index]
            missed.x, missed.y = region.centre
        claims = [_share(region, held) if len(held) > 1 else [] for region, held in zip(regions, holders, strict=True)]
        for region, held, claimed in zip(regions, holders, claims, strict=True):
            for track, claim in zip(held, claimed, strict=False):
                track.claim = claim
            self._doubt(region, held, passed)
        for track in self.tracks:
            near = parts.get(track.number, [])
            if near:
                self._place(track, [(regions[i], holders[i]) for i in near], passed, time)
        self._forget(time)
        return [track for track in self.tracks if track.sure]

    def _settle(self, regions: Sequence[Region], holders: list[list[Track]], parts: dict[int, list[int]]) -> None:
        """Give each region that a track does not need to somebody else."""
        for track in self.tracks:
            near = parts[track.number]
            if len(near) < 2:
                continue
            union = _union([regions[i] for i in near])
            within = union.width <= track.width * _LARGER and union.height <= track.height * _LARGER
            if within and not _apart([regions[i] for i in near]):
                continue
            best = min(near, key=lambda i: _far(track, regions[i]))
            for index in near:
                if index != best:
                    holders[index].remove(track)
            parts[track.number] = [i for i in near if track in holders[i]]

    def _missed(
        self, region: Region, regions: Sequence[Region], holders: list[list[Track]], parts: dict[int, list[int]]
    ) -> Track | None:
        """The nearest one who was expected in a region, and is one too many in the one that it took instead."""
        able = [
            track
            for track in self.tracks
            if track.sure
            and track.overlap(region) > NEAR
            and all(_crowded(regions[index], holders[index]) for index in parts[track.number])
        ]
        return min(able, key=lambda track: _far(track, region), default=None)

    def _begin(self, region: Region, time: float) -> None:
        x, y = region.centre
        track = Track(self._next, x, y, region.width, region.height, time, time, start=(x, y), area=region.area)
        self._next += 1
        self.tracks.append(track)

    def _place(self, track: Track, near: list[tuple[Region, list[Track]]], passed: float, time: float) -> None:
        track.seen = time
        track.pictures += 1
        alone = all(len([t for t in holders if t.sure or t is track]) == 1 for _, holders in near)
        region = _union([each for each, _ in near])
        if alone:
            track.alone += passed
            track.shared = 0.0
            track.sure = track.sure or (track.alone >= SURE_SECONDS and track.pictures > 2)
            x, y = region.centre
            grown = region.width > track.width * _LARGER or region.height > track.height * _LARGER
            share = 0.5 if track.pictures < 6 else _SIZE
            if grown and track.sure:
                share = 0.05
            before = track.x, track.y
            track.x, track.y = x, y
            track.area += share * (sum(each.area for each, _ in near) - track.area)
            track.width += share * (region.width - track.width)
            track.height += share * (region.height - track.height)
            if passed > 0:
                follow = _SPEED if track.pictures > 3 else 0.8
                track.vx += follow * (x - before[0]) / passed
                track.vy += follow * (y - before[1]) / passed
        else:
            track.shared += passed
            before = track.x, track.y
            if track.claim is not None:
                track.x += 0.4 * (track.claim[0] - track.x)
                track.y += 0.4 * (track.claim[1] - track.y)
            track.x = _held(track.x, track.width, region.left, region.right)
            track.y = _held(track.y, track.height, region.top, region.bottom)
            if passed > 0:
                track.vx += 0.2 * (track.x - before[0]) / passed
                track.vy += 0.2 * (track.y - before[1]) / passed

    def _doubt(self, region: Region, held: list[Track], passed: float) -> None:
        """Time those of several tracks for whom there is no room beside the ones that were alone for longer."""
        room = region.area / FULL
        for place, track in enumerate(sorted(held, key=lambda track: (-track.alone, track.number))):
            room -= track.area
            if place == 0:
                track.surplus = 0.0
            elif room < 0:
                track.surplus += passed
            else:
                track.surplus = max(track.surplus - passed, 0.0)

    def _forget(self, time: float) -> None:
        kept: list[Track] = []
        for track in sorted(self.tracks, key=lambda each: -each.alone):
            if track.surplus > PATIENCE:
                continue
            patience = LOST_SECONDS if track.sure else 0.25
            gone = time - track.seen > patience
            outside = not (-0.02 < track.x < 1.02 and -0.02 < track.y < 1.02)
            if not gone and not outside:
                kept.append(track)
        self.tracks = kept


def _crowded(region: Region, held: Sequence[Track]) -> bool:
    """Whether a region is too small for all who are in it."""
    return len(held) > 1 and region.area < FULL * sum(track.area for track in held)


def _share(region: Region, held: Sequence[Track]) -> list[tuple[float, float] | None]:
    """For each track in a region the centre of the cells that are nearest to it, measured in its own size."""
    x, y = places(region)
    distance = [((x - t.x) / max(t.width, 1e-3)) ** 2 + ((y - t.y) / max(t.height, 1e-3)) ** 2 for t in held]
    nearest = np.argmin(distance, axis=0)
    claims: list[tuple[float, float] | None] = []
    for index in range(len(held)):
        own = nearest == index
        claims.append((float(x[own].mean()), float(y[own].mean())) if own.sum() > 4 else None)
    return claims


def _union(regions: Sequence[Region]) -> Region:
    return Region(
        min(r.left for r in regions),
        min(r.top for r in regions),
        max(r.right for r in regions),
        max(r.bottom for r in regions),
        sum(r.area for r in regions),
    )


def _far(track: Track, region: Region) -> float:
    x, y = region.centre
    return math.hypot(track.x - x, track.y - y) + abs(track.height - region.height)


def _apart(regions: Sequence[Region]) -> bool:
    """Whether the two largest of some regions stand beside each other, and are of like size."""
    one, other = sorted(regions, key=lambda region: -region.area)[:2]
    beside = max(one.left, other.left) > min(one.right, other.right) - 0.2 * min(one.width, other.width)
    return beside and other.height > ALIKE * one.height and other.area > ALIKE**2 * one.area


def _held(centre: float, size: float, low: float, high: float) -> float:
    if size >= high - low:
        return (low + high) / 2
    return min(max(centre, low + size / 2), high - size / 2)
