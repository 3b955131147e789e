"""From a camera's pictures to observations: what both drivers of cameras do with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from drivers.cctv.reading import Reader
from drivers.cctv.settings import Pictured, WatchSettings
from drivers.cctv.stream import Picture, Source, Stream, StreamError
from edge_agent.driver import DriverError, Evidence, Observation
from edge_agent.events.cctv import CctvHealth, CctvLine, CctvMotion, CctvZone
from edge_agent.processing.images import encode_jpeg
from edge_agent.processing.video.counting import Crossing, ZoneChange
from edge_agent.processing.video.health import Health
from edge_agent.processing.video.scene import Happening, HealthChange, Motion, Scene, warm
from edge_agent.processing.video.zones import Line, Polygon, Zone, raster

__all__ = ["Watch", "pictures", "scene", "warm"]

WAIT_SECONDS: Final = 0.5
_QUALITY: Final = 75
_THUMBNAIL: Final = 320
_BURST: Final = 10.0
_KINDS: Final[dict[type, Pictured]] = {Motion: "motion", ZoneChange: "zone", Crossing: "line", HealthChange: "health"}


def scene(settings: WatchSettings) -> Scene:
    """The scene that a device's file describes."""
    health = settings.health
    return Scene(
        zones=[
            Zone(each.name, tuple(each.polygon), each.enter_seconds, each.leave_seconds, each.occupied_seconds)
            for each in settings.zones
        ],
        lines=[Line(each.name, each.start, each.end) for each in settings.lines],
        masks=_masks(settings),
        smallest=settings.smallest,
        health=Health(health.hold_seconds, health.clear_seconds, health.moved, health.ignored),
    )


def masked(image: NDArray[np.uint8], settings: WatchSettings) -> NDArray[np.uint8]:
    """A picture, BGR or grey, with the masks of a device's file in black."""
    if not settings.masks:
        return image
    image = image.copy()
    image[raster(_masks(settings), (image.shape[0], image.shape[1]))] = 0
    return image


class Watch:
    """One camera's scene and what may be said about it."""

    def __init__(self, settings: WatchSettings) -> None:
        self.settings = settings
        self.scene = scene(settings)
        self.suppressed = 0
        """Events that were not sent since the last one."""
        self.trouble = ""
        """Why there is no picture; empty while there is."""
        self.paused = False
        """Whether pictures are dropped: the camera looks elsewhere than where its zones are."""
        reading = settings.reading
        self._reader = Reader(reading, settings.zones) if reading.plates or reading.containers else None
        self._allowed = _BURST
        self._refilled = time.monotonic()

    def through(
        self, stream: Stream, better: Callable[[Picture], NDArray[np.uint8]] = Picture.colour
    ) -> Iterator[Observation | None]:
        """Observations of a stream that has been started, and None at least every second.

        Raises:
            StreamError: it cannot be read any more.
        """
        interval = 1 / self.settings.frames_per_second
        seen = due = time.monotonic()
        while True:
            yield None
            pause = due - time.monotonic()
            if pause > 0:
                time.sleep(min(pause, WAIT_SECONDS))
            if time.monotonic() < due:
                continue
            picture = stream.newest(WAIT_SECONDS)
            now = time.monotonic()
            if picture is None:
                if now - seen > max(1.0, 3 * interval):
                    self.trouble = stream.trouble or f"{stream.source.shown} sends no picture."
                    yield from self.lost(now, self.trouble)
                continue
            self.trouble = ""
            seen, due = now, max(due + interval, now)
            if not self.paused:
                yield from self.look(picture, partial(better, picture))

    def look(self, picture: Picture, better: Callable[[], NDArray[np.uint8]] | None = None) -> list[Observation]:
        """What happened with a picture; ``better`` gets a picture for evidence, BGR, where one is wanted."""
        grey = picture.grey(self.settings.analysis_height)
        happened = self.scene.step(grey, picture.time, picture.chroma())
        better = better or picture.colour
        observations = self._observations(happened, picture.time, better)
        if self._reader is not None:
            readings = self._reader.step(happened, lambda: masked(better(), self.settings), picture.time)
            observations += [Observation(reading) for reading in readings]
        return observations

    def lost(self, now: float, reason: str) -> list[Observation]:
        """No picture for too long, at a monotonic time in seconds."""
        return self._observations(self.scene.lost(now), now, None, reason)

    def _observations(
        self,
        happened: Sequence[Happening],
        at: float,
        picture: Callable[[], NDArray[np.uint8]] | None,
        reason: str = "",
    ) -> list[Observation]:
        observed = datetime.now(UTC) - timedelta(seconds=max(time.monotonic() - at, 0))
        evidence: dict[str, tuple[Evidence, ...]] = {}
        observations = []
        for each in happened:
            if isinstance(each, Motion) and not self.settings.motion:
                continue
            if not isinstance(each, HealthChange) and not self._may(at):
                self.suppressed += 1
                continue
            wanted = picture is not None and _KINDS[type(each)] in self.settings.pictures
            if wanted and picture is not None and "picture" not in evidence:
                evidence["picture"] = (self._evidence(picture()),)
            data = _event(each, self.suppressed, reason)
            if not isinstance(each, HealthChange):
                self.suppressed = 0
            observations.append(Observation(data, evidence["picture"] if wanted else (), observed=observed))
        return observations

    def _may(self, now: float) -> bool:
        """Whether another event about the scene may be sent."""
        rate = self.settings.events_per_minute / 60
        self._allowed = min(self._allowed + max(now - self._refilled, 0) * rate, _BURST)
        self._refilled = now
        if self._allowed < 1:
            return False
        self._allowed -= 1
        return True

    def _evidence(self, image: NDArray[np.uint8]) -> Evidence:
        image = masked(image, self.settings)
        data = encode_jpeg(image, longest_side=self.settings.picture_side, quality=_QUALITY)
        return Evidence(data, "image/jpeg", "scene", thumbnail=partial(encode_jpeg, image, longest_side=_THUMBNAIL))


def _event(happened: Happening, suppressed: int, reason: str) -> CctvMotion | CctvZone | CctvLine | CctvHealth:
    match happened:
        case Motion():
            share = min(happened.share, 1.0)
            return CctvMotion(state=happened.state, seconds=happened.seconds, share=share, suppressed=suppressed)
        case ZoneChange():
            return CctvZone(
                zone=happened.zone,
                state=happened.state,
                count=happened.count,
                seconds=max(happened.seconds, 0.0),
                suppressed=suppressed,
            )
        case Crossing():
            x, y = (min(max(value, 0.0), 1.0) for value in happened.place)
            return CctvLine(line=happened.line, direction=happened.direction, x=x, y=y, suppressed=suppressed)
        case HealthChange():
            return CctvHealth(fault=happened.fault, state=happened.state, seconds=happened.seconds, reason=reason)


def _masks(settings: WatchSettings) -> list[Polygon]:
    return [tuple(mask.polygon) for mask in settings.masks]


def pictures(source: Source) -> Iterator[NDArray[np.uint8] | None]:
    """The newest pictures of a source (BGR, shape (h, w, 3)), and None while there is none.

    Raises:
        DriverError: there is no picture; says why.
    """
    stream = Stream(source)
    stream.start()
    try:
        while True:
            picture = stream.newest(WAIT_SECONDS)
            if picture is None and stream.trouble:
                raise DriverError(stream.trouble)
            yield picture.colour() if picture is not None else None
    except StreamError as error:
        raise DriverError(str(error)) from None
    finally:
        stream.stop()
