"""What is said about a scene, and what is shown of it: masks stay black, and nothing is kept back in silence."""

from __future__ import annotations

import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame

from drivers.cctv.settings import WatchSettings
from drivers.cctv.stream import Picture
from drivers.cctv.watch import Watch, warm
from edge_agent.driver import Observation
from edge_agent.events.cctv import CctvLine
from tests.drivers.cctv import films

HOUSE = {"name": "house", "polygon": [(0.5, 0.0), (1.0, 0.0), (1.0, 0.25), (0.5, 0.25)]}
RATE = 10
WHITE = np.full((720, 1280, 3), 255, np.uint8)


@pytest.fixture(autouse=True, scope="module")
def _warm() -> None:
    warm()


def line(x: float, name: str = "line") -> dict[str, object]:
    return {"name": name, "start": (x, 1.0), "end": (x, 0.0)}


def passing(began: float) -> Iterator[Picture]:
    """A van, ten pictures a second."""
    for number, image in enumerate(films.passing(110, still=40)):
        yield Picture(VideoFrame.from_ndarray(image, format="bgr24"), number + 1, began + number / RATE)


def crossings(watch: Watch, pictures: Iterator[Picture]) -> list[Observation]:
    seen = [observation for picture in pictures for observation in watch.look(picture)]
    return [observation for observation in seen if isinstance(observation.data, CctvLine)]


def image(jpeg: bytes) -> films.Image:
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded, np.uint8)


@pytest.mark.parametrize("better", [None, lambda: WHITE], ids=["the analysed picture", "a larger one"])
def test_masks_are_black_in_every_picture_that_leaves_the_device(better: object) -> None:
    given = {"lines": [line(0.5)], "masks": [HOUSE], "pictures": ["line"]}
    watch = Watch(WatchSettings.model_validate(given))
    seen = [each for picture in passing(time.monotonic()) for each in watch.look(picture, better)]  # type: ignore[arg-type]  # parametrized
    (crossed,) = [each for each in seen if isinstance(each.data, CctvLine)]
    (evidence,) = crossed.evidence
    assert evidence.thumbnail is not None
    for shown in (image(evidence.data), image(evidence.thumbnail())):
        height, width = shown.shape[:2]
        edge = height // 20  # what the compression of JPEG blurs
        assert shown[: height // 4 - edge, width // 2 + edge :].max() < 30
        assert shown[:, : width // 2 - edge].mean() > 60
        assert shown[height // 4 + edge :].mean() > 60


def test_events_beyond_the_rate_are_counted_and_the_next_one_tells_how_many() -> None:
    lines = [line(0.2 + 0.05 * number, f"line-{number}") for number in range(12)]
    watch = Watch(WatchSettings.model_validate({"lines": lines, "events_per_minute": 1}))
    began = time.monotonic()
    first = crossings(watch, passing(began))
    assert [each.data.suppressed for each in first if isinstance(each.data, CctvLine)] == [0] * 10  # a burst is free
    assert watch.suppressed == 2
    later = crossings(watch, passing(began + 130))
    assert [each.data.suppressed for each in later if isinstance(each.data, CctvLine)] == [2, 0]
    assert watch.suppressed == 10
