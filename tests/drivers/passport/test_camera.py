"""The camera over the desk, played from a film: an empty desk, a document, the desk again, another document."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.passport import reading
from drivers.passport.camera import CameraSettings, PageCamera
from drivers.passport.event import passport_read
from drivers.passport.stillness import Scene, Stillness
from edge_agent.driver import DriverError, Observation
from edge_agent.events.passport import PassportRead, Source
from edge_agent.processing.mrz.parse import parse
from edge_agent.simulate.documents import specimen
from edge_agent.simulate.render import render

SIZE = (960, 720)


def film(path: Path, pictures: list[np.ndarray], frames: int = 8) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, SIZE)
    for picture in pictures:
        for _ in range(frames):
            writer.write(picture)
    writer.release()
    return path


def desk() -> np.ndarray:
    return np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)


def with_page(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    page = render(specimen(rng), rng, dpi=150).image
    picture = desk()
    height, width = min(page.shape[0], SIZE[1]), min(page.shape[1], SIZE[0])
    picture[:height, :width] = page[:height, :width]
    return picture


def watch(path: Path) -> tuple[list[Observation], str]:
    camera = PageCamera(CameraSettings(device=str(path), still_seconds=0))
    seen = []
    with pytest.raises(DriverError) as end:
        seen.extend(observation for observation in camera.observe() if observation is not None)
    return seen, str(end.value)


def test_each_document_is_read_once_and_an_empty_desk_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"

    def by_brightness(image: np.ndarray, *, source: Source) -> PassportRead:
        return passport_read(
            parse(zone if image.std() > 15 else ""), source=source, engine="test", milliseconds=0, confidence=1
        )

    monkeypatch.setattr(reading, "read_picture", by_brightness)
    seen, end = watch(film(tmp_path / "film.avi", [desk(), with_page(1), desk(), with_page(2), with_page(3), desk()]))
    assert len(seen) == 3
    assert all(isinstance(each.data, PassportRead) and each.data.source is Source.CAMERA for each in seen)
    assert all(each.evidence[0].media_type == "image/jpeg" for each in seen)
    assert "no pictures any more" in end


def test_a_document_that_moves_is_waited_for() -> None:
    stillness = Stillness(still_seconds=0.5, motion=4)
    rng = np.random.default_rng(0)
    moving = [rng.integers(0, 255, (720, 960, 3), dtype=np.uint8) // (i % 2 + 1) for i in range(4)]
    assert [stillness.look(picture, i * 0.1) for i, picture in enumerate(moving)] == [Scene.MOVING] * 4
    still = [stillness.look(moving[-1], 0.4 + i * 0.1) for i in range(5)]
    assert still == [Scene.MOVING] * 4 + [Scene.SETTLED]
    stillness.settle()
    assert stillness.look(moving[-1], 1.0) is Scene.KNOWN


def test_a_camera_that_is_not_there_is_named_with_what_to_do() -> None:
    with pytest.raises(DriverError, match="/dev/video99 cannot be opened: plug it in"):
        PageCamera(CameraSettings(device="/dev/video99")).probe()


def test_probe_tells_the_size(tmp_path: Path) -> None:
    path = film(tmp_path / "film.avi", [desk()])
    assert PageCamera(CameraSettings(device=str(path))).probe() == "delivers pictures of 960 x 720"
