"""The page on which zones are drawn: as a person draws them, and what it refuses."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_agent.simulate.camera import Camera
from tests.cli.calibrate.browser import Browser
from tests.config.folder import Folder

FILE = """# The camera over the gate. Do not hang anything before it.
name = "gate"
driver = "cctv.onvif"   # it can do PTZ, too

[settings]
host = "127.0.0.1"
port = {port}

# The stop line of lane 1.
[[settings.zones]]
name = "stop"
polygon = [[0.1, 0.1], [0.3, 0.1], [0.3, 0.4]]   # before the barrier
occupied_seconds = 42  # by order of the shift leader

[settings.health]
moved = 0.05
"""


def scene() -> bytes:
    image = np.full((360, 640, 3), 90, np.uint8)
    cv2.circle(image, (320, 180), 80, (40, 180, 220), -1)
    return cv2.imencode(".jpg", image)[1].tobytes()


@pytest.fixture
def camera() -> Iterator[Camera]:
    with Camera(snapshot=scene()) as camera:
        yield camera


@pytest.fixture
def post(tmp_path: Path, camera: Camera) -> Folder:
    folder = Folder(tmp_path / "config")
    folder.device("gate.toml", FILE.format(port=camera.port))
    return folder


class Served:
    """The command as a technician runs it."""

    def __init__(self, post: Folder) -> None:
        command = [sys.executable, "-m", "edge_agent", "calibrate", "camera", "gate", "--config", str(post.path)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        host, self.path = self.address.removeprefix("http://").split("/", 1)
        self.port = int(host.partition(":")[2])

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def save(self, shapes: object, **headers: str) -> tuple[int, str]:
        kind = {"Content_Type": "application/json"}
        status, body = self.ask("POST", f"/{self.path}save", json.dumps(shapes), **{**kind, **headers})
        return status, json.loads(body)["said"] if body else ""


@pytest.fixture
def served(post: Folder) -> Iterator[Served]:
    served = Served(post)
    yield served
    if served.process.poll() is None:
        served.process.send_signal(signal.SIGINT)
    served.process.communicate(timeout=10)
    assert served.process.returncode == 0


def settings(post: Folder) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = tomllib.loads((post.path / "devices/gate.toml").read_text())["settings"]
    return found


@pytest.mark.e2e
def test_what_is_drawn_with_the_mouse_lands_in_the_device_file(post: Folder, tmp_path: Path) -> None:
    before = (post.path / "devices/gate.toml").read_text()
    served = Served(post)
    with Browser(tmp_path / "profile") as browser:
        browser.go(served.address)
        browser.until("document.querySelector('#picture')?.naturalWidth === 640")
        browser.until("document.querySelectorAll('#list li').length === 1")
        box = browser.box("#drawing")

        def place(x: float, y: float) -> tuple[float, float]:
            return box["x"] + x * box["width"], box["y"] + y * box["height"]

        browser.press("#zones")
        for x, y in ((0.5, 0.5), (0.9, 0.5), (0.9, 0.9), (0.5, 0.9)):
            browser.click(*place(x, y))
        browser.key("Enter")
        browser.press("#lines")
        browser.click(*place(0.2, 0.8))
        browser.click(*place(0.4, 0.8))
        browser.mouse("mousePressed", *place(0.1, 0.1))  # a corner of the zone that was there
        browser.mouse("mouseMoved", *place(0.05, 0.2))
        browser.mouse("mouseReleased", *place(0.05, 0.2))
        assert browser.run("document.querySelectorAll('#list li').length") == 3
        browser.press("#save")
        said = browser.until("document.querySelector('#said').textContent")
        assert said.startswith("Saved into ")
        browser.press("#background")
        browser.until("document.querySelector('#picture').naturalWidth > 0")
        own = served.address
        assert all(url.startswith((own, f"blob:{own[: own.index('/', 8)]}")) for url in browser.requested), "elsewhere"
        browser.press("#done")
        assert served.process.wait(10) == 0
    zones, lines = settings(post)["zones"], settings(post)["lines"]
    assert [zone["name"] for zone in zones] == ["stop", "zone-1"]
    assert zones[0]["occupied_seconds"] == 42
    np.testing.assert_allclose(np.array(zones[0]["polygon"]), [[0.05, 0.2], [0.3, 0.1], [0.3, 0.4]], atol=0.005)
    corners = [[0.5, 0.5], [0.9, 0.5], [0.9, 0.9], [0.5, 0.9]]
    np.testing.assert_allclose(np.array(zones[1]["polygon"]), corners, atol=0.005)
    np.testing.assert_allclose(np.array(lines[0]["end"]), [0.4, 0.8], atol=0.005)
    after = (post.path / "devices/gate.toml").read_text()
    for line in before.splitlines():
        assert line in after or "polygon" in line
    assert "# before the barrier" in after
    assert (post.path / "devices/.gate.toml.before").read_text() == before
    assert post.said() == post.noted() == []


@pytest.mark.e2e
def test_only_who_knows_the_address_is_answered_and_only_what_is_sound_is_written(post: Folder, served: Served) -> None:
    before = (post.path / "devices/gate.toml").read_bytes()
    assert served.ask("GET", f"/{served.path}state.json")[0] == 200
    assert served.ask("GET", "/")[0] == 404
    assert served.ask("GET", f"/{'x' * 32}/state.json")[0] == 404
    assert served.ask("GET", f"/{served.path}../../etc/passwd")[0] == 404
    assert served.ask("GET", f"/{served.path}", Host=f"evil.example:{served.port}")[0] == 404
    assert served.save({}, Origin="http://evil.example")[0] == 404
    assert served.save({}, Content_Type="text/plain")[0] == 415
    assert (
        served.ask("POST", f"/{served.path}save", "x", Content_Type="application/json", Content_Length="9" * 9)[0]
        == 413
    )
    twice = {"name": "a", "polygon": [[0, 0], [1, 0], [1, 1]]}
    for shapes, said in (
        ({"zones": [{"name": "A b", "polygon": [[0, 0], [1, 0], [1, 1]]}]}, "zones.0.name"),
        ({"zones": [{"name": "a", "polygon": [[0, 0], [1, 0]]}]}, "zones.0.polygon"),
        ({"lines": [{"name": "a", "start": [0, 0], "end": [2, 0]}]}, "lines.0.end.0"),
        ({"roads": []}, "roads"),
    ):
        status, answer = served.save(shapes)
        assert (status, answer.partition(":")[0]) == (422, said)
    assert (post.path / "devices/gate.toml").read_bytes() == before
    assert served.save({"zones": [twice]})[0] == 200
    (post.path / "devices/gate.toml").write_text("name = \n" + before.decode())
    assert served.save({"zones": [twice]})[0] == 409


@pytest.mark.slow
def test_a_picture_does_the_same_without_a_screen(post: Folder, tmp_path: Path, camera: Camera) -> None:
    target = tmp_path / "gate.png"
    command = [sys.executable, "-m", "edge_agent", "calibrate", "camera", "gate", "--config", str(post.path)]
    command += ["--picture", str(target)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "COLUMNS": "200"})
    image = cv2.imread(str(target))
    assert image is not None
    assert image.shape == (360, 640, 3)
    assert tuple(image[36, 120]) != (90, 90, 90)  # the edge of the zone
    camera.snapshot = b""
    command[-1] = str(tmp_path / "none.png")
    done = subprocess.run([*command, "--timeout", "1"], check=False, capture_output=True, text=True)
    assert done.returncode == 3
