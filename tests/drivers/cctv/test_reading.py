from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.cctv import reading
from drivers.cctv.reading import Reader, crop
from drivers.cctv.settings import Reading, WatchSettings, Zone
from edge_agent.driver import DriverError
from edge_agent.processing.video.counting import ZoneChange

ZONE = Zone(name="gate", polygon=[(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)])


def container(text: str, blur: float) -> NDArray[np.uint8]:
    """A picture with a text in its middle, as on the side of a container."""
    image = np.full((720, 1280, 3), (140, 60, 30), np.uint8)
    cv2.putText(image, text, (350, 380), cv2.FONT_HERSHEY_SIMPLEX, 1.8, (240, 240, 240), 4, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(image, None, blur) if blur else image, np.uint8)


def installed() -> bool:
    try:
        version(reading.PACKAGE)
    except PackageNotFoundError:
        return False
    return True


def test_nothing_is_read_unless_the_device_file_says_so() -> None:
    wanted = WatchSettings().reading
    assert not wanted.plates
    assert not wanted.containers


def test_the_part_of_a_zone_is_read_and_nothing_else() -> None:
    image = np.arange(100 * 200, dtype=np.uint32).astype(np.uint8).reshape(100, 200, 1).repeat(3, 2)
    assert crop(image, ZONE).shape == (50, 100, 3)
    thin = Zone(name="thin", polygon=[(0.99, 0.0), (1.0, 0.0), (1.0, 0.01)])
    assert crop(image, thin).shape == (32, 32, 3)


def test_without_the_extra_a_technician_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PACKAGE", "no-such-package")
    with pytest.raises(DriverError, match="need the extra `plates`"):
        Reader(Reading(containers=True), [ZONE])


@pytest.mark.slow
@pytest.mark.skipif(not installed(), reason="rapidocr-onnxruntime has no wheel for this Python")
def test_a_container_in_a_zone_is_read_from_its_sharpest_pictures() -> None:
    reader = Reader(Reading(containers=True, plates=True), [ZONE])
    entered = ZoneChange("gate", "entered", 1, 0.0)
    assert list(reader.step([entered], lambda: container("CSQU 305438 3", 9), 0.0)) == []
    for second, blur in ((1.0, 1.0), (2.0, 0.0), (3.0, 9.0)):
        assert list(reader.step([], lambda blur=blur: container("CSQU 305438 3", blur), second)) == []  # type: ignore[misc]
    events = list(reader.step([ZoneChange("gate", "left", 0, 4.0)], lambda: None, 4.0))
    found = {event.kind: event for event in events}["container"]
    best = found.candidates[0]
    assert (best.text, best.check) == ("CSQU3054383", "passed")
    assert best.pictures >= 2
    assert found.classification == "personal"
    assert list(reader.step([ZoneChange("gate", "left", 0, 5.0)], lambda: None, 5.0)) == []
