"""Who is in which zone, and who crosses which line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from edge_agent.processing.video.tracks import Track
from edge_agent.processing.video.zones import Direction, Line, Point, Zone, along, contains, side

CLEAR: Final = 0.02
"""Distance from a line, in picture heights, at which an object is surely on one side of it."""
ALONE: Final = 0.5
"""Seconds for which an object must have been seen apart from others before it can cross."""
DOUBTED: Final = 0.25
"""Seconds of doubt about a track after which its crossings wait."""


@dataclass(frozen=True, slots=True)
class ZoneChange:
    """Objects entered or left a zone, or it has been occupied for long; ``count`` is how many are in it now.

    ``seconds`` is how long the zone has not been empty; with ``left``, how long the one who left has been in it.
    """

    zone: str
    state: Literal["entered", "occupied", "left"]
    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Crossing:
    """An object crossed a line, here."""

    line: str
    direction: Direction
    place: Point


def foot(track: Track) -> Point:
    """Where an object touches the ground."""
    return track.x, min(track.y + track.height / 2, 1.0)


@dataclass(slots=True)
class ZoneCount:
    """The objects in one zone; ``step`` takes the tracks of each picture."""

    zone: Zone
    inside: dict[int, float] = field(default_factory=dict)
    """Since when each that has entered is inside."""
    _coming: dict[int, float] = field(default_factory=dict)
    _absent: dict[int, float] = field(default_factory=dict)
    _time: float | None = None
    _since: float | None = None
    _occupied: bool = False

    def step(self, tracks: Sequence[Track], time: float) -> list[ZoneChange]:
        """What changed with this picture.

        Who came or went did so halfway between this picture and the one before, where those are close.
        """
        zone, changes = self.zone, []
        passed = 0.0 if self._time is None else time - self._time
        self._time = time
        present = {track.number for track in tracks if contains(zone.polygon, foot(track))}
        followed = {track.number for track in tracks}
        doubted = {track.number for track in tracks if track.surplus > DOUBTED}
        self._coming = {number: since for number, since in self._coming.items() if number in present}
        for number in present:
            self._absent.pop(number, None)
            if number in self.inside or number in doubted:
                continue
            since = self._coming.setdefault(number, time - min(passed, zone.enter_seconds) / 2)
            if time - since >= zone.enter_seconds:
                del self._coming[number]
                self.inside[number] = since
                self._since = since if self._since is None else self._since
                changes.append(ZoneChange(zone.name, "entered", len(self.inside), time - self._since))
        for number in self.inside.keys() - present:
            gone = self._absent.setdefault(number, time - min(passed, zone.leave_seconds) / 2)
            if number not in followed or time - gone >= zone.leave_seconds:
                entered = self.inside.pop(number)
                del self._absent[number]
                changes.append(ZoneChange(zone.name, "left", len(self.inside), gone - entered))
        if not self.inside:
            self._since, self._occupied = None, False
        elif self._since is not None and not self._occupied and time - self._since >= zone.occupied_seconds > 0:
            self._occupied = True
            changes.append(ZoneChange(zone.name, "occupied", len(self.inside), time - self._since))
        return changes


@dataclass(slots=True)
class LineCount:
    """The crossings of one line; ``step`` takes the tracks of each picture, also those that are not sure yet."""

    line: Line
    aspect: float
    _sides: dict[int, bool] = field(default_factory=dict)

    def step(self, tracks: Sequence[Track]) -> list[Crossing]:
        """Who crossed with this picture."""
        crossings: list[Crossing] = []
        sides: dict[int, bool] = {}
        for track in tracks:
            place = foot(track)
            off = side(self.line, place, self.aspect)
            before = self._sides.get(track.number)
            right = off > 0
            if before is None or before == right or abs(off) < CLEAR:
                sides[track.number] = right if before is None else before
                continue
            if not track.sure or track.surplus > DOUBTED or track.alone < ALONE:
                sides[track.number] = before  # its crossing counts once it is sure
                continue
            sides[track.number] = right
            if 0 <= along(self.line, place, self.aspect) <= 1:
                crossings.append(Crossing(self.line.name, "forward" if right else "backward", place))
        self._sides = sides
        return crossings
