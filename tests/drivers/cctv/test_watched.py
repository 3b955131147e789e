"""An ONVIF camera whose picture is watched: its stream, its single pictures and its reports together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.cctv.onvif import OnvifCamera, OnvifSettings
from edge_agent.driver import Observation
from edge_agent.events.cctv import CctvDevice, CctvHealth, CctvLine
from edge_agent.simulate.camera import Camera
from edge_agent.simulate.yard import STREAM, Server
from tests.brokers import free_port

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Camera]:
    port = free_port()
    server = Server(tmp_path_factory.mktemp("yard"), port)
    red = cv2.imencode(".jpg", np.full((720, 1280, 3), (0, 0, 250), np.uint8))[1].tobytes()
    with Camera(stream=STREAM.format(port), snapshot=red) as camera:
        yield camera
    server.close()


def driver(camera: Camera, **more: object) -> OnvifCamera:
    lines = [{"name": "middle", "start": (0.5, 1.0), "end": (0.5, 0.0)}]
    health = {"hold_seconds": 1, "clear_seconds": 1}
    given = {"host": "127.0.0.1", "port": camera.port, "timeout": 2, "lines": lines, "pictures": ["line"], **more}
    return OnvifCamera(OnvifSettings.model_validate({**given, "health": health}))


def watch(camera: OnvifCamera, seconds: float, enough: Callable[[list[Observation]], bool]) -> list[Observation]:
    seen: list[Observation] = []
    observing = camera.observe()
    end = time.monotonic() + seconds
    for observation in observing:
        seen += [observation] if observation is not None else []
        if enough(seen) or time.monotonic() > end:
            break
    observing.close()  # type: ignore[attr-defined]  # a generator
    return seen


def test_what_passes_comes_with_a_picture_beside_what_the_camera_reports(camera: Camera) -> None:
    camera.states["tns1:Device/Trigger/DigitalInput", "button"] = ("LogicalState", True)

    def both(seen: list[Observation]) -> bool:
        return {CctvLine, CctvDevice} <= {type(each.data) for each in seen}

    seen = watch(driver(camera), 40, both)
    (report,) = [each.data for each in seen if isinstance(each.data, CctvDevice)]
    assert (report.report, report.active, report.since_before) == ("digital_input", True, True)
    crossed = next(each for each in seen if isinstance(each.data, CctvLine))
    image = cv2.imdecode(np.frombuffer(crossed.evidence[0].data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape[1] == 640  # as large as the device's file says
    assert image[..., 2].mean() > 240  # the camera's own single picture


def test_a_camera_that_looks_elsewhere_is_not_watched(camera: Camera) -> None:
    def crossed(seen: list[Observation]) -> bool:
        return any(isinstance(each.data, CctvLine) for each in seen)

    _, camera.position = next(preset for preset in camera.presets.values() if preset[0] == "gate")
    began = time.monotonic()
    at_home = watch(driver(camera, home="gate", home_seconds=60, events=False), 40, crossed)
    assert crossed(at_home), "the film, which begins with each connection, has a van that crosses the line"
    camera.position = (0.9, 0.9, 0.0)
    long_enough = time.monotonic() - began + 2
    seen = watch(driver(camera, home="gate", home_seconds=60, events=False), long_enough, crossed)
    assert not crossed(seen)


def test_a_camera_without_a_stream_is_called_without_a_signal(camera: Camera, tmp_path: Path) -> None:
    with Camera(stream=f"rtsp://127.0.0.1:{free_port()}/none") as dark:

        def lost(seen: list[Observation]) -> bool:
            return any(isinstance(each.data, CctvHealth) for each in seen)

        watched = driver(dark)
        seen = watch(watched, 20, lost)
    (fault,) = [each.data for each in seen if isinstance(each.data, CctvHealth)]
    assert (fault.fault, fault.state) == ("no_signal", "began")
    assert "Nobody answers at rtsp://127.0.0.1" in watched.trouble
