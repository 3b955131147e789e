"""An ONVIF camera that nobody here wrote: ipycam, a process on loopback, killed, paused and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drivers.cctv import control as conversation
from drivers.cctv import device, discovery
from drivers.cctv.control import Control, Wishes
from drivers.cctv.http import Account, Peer, RefusedError
from drivers.cctv.soap import Session
from edge_agent.processing.images import decode
from tests.brokers import free_port

pytestmark = pytest.mark.e2e
ACCOUNT = Account("admin", lambda: "s3cret", basic=True)


class IpyCam:
    """The camera's process; ``port`` is that of its ONVIF service."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        clip = cv2.VideoWriter(str(folder / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 360))
        for x in range(0, 640, 20):
            clip.write(cv2.circle(np.full((360, 640, 3), 90, np.uint8), (x, 180), 30, (0, 0, 255), -1))
        clip.release()
        ports = {name: free_port() for name in ("rtsp_port", "web_port", "rtmp_port", "go2rtc_api_port")}
        config = {"name": "Queue", "local_ip": "127.0.0.1", "onvif_port": self.port, **ports}
        config |= {"username": "admin", "password": "s3cret", "main_width": 640, "main_height": 360, "main_fps": 10}
        config |= {"sub_width": 320, "sub_height": 180, "sub_fps": 10}
        (folder / "config.json").write_text(json.dumps(config))
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "ipycam", "--config", str(self._folder / "config.json")]
        command += ["--source", str(self._folder / "clip.avi")]
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)
        return self.process

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpyCam]:
    camera = IpyCam(tmp_path_factory.mktemp("ipycam"))
    until(lambda: session_or_none(camera), "the camera to start", 40)
    yield camera
    camera.process.send_signal(signal.SIGCONT)
    camera.kill()


def until(condition: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.1)
    return found


def session(camera: IpyCam, account: Account = ACCOUNT) -> Session:
    return Session(Peer("127.0.0.1", camera.port, account, 5.0), account)


def session_or_none(camera: IpyCam) -> Session | None:
    try:
        return session(camera)
    except Exception:
        return None


def test_device_media_and_snapshot(camera: IpyCam) -> None:
    talk = session(camera)
    assert device.identity(talk).maker == "PythonCam"
    main, small = device.profiles(talk)
    assert (main.width, main.height) == (640, 360)
    assert device.choose([main, small], "", height=100) is small
    assert device.stream_address(talk, main).startswith("rtsp://127.0.0.1:")
    path = device.snapshot_path(talk, main)
    assert path is not None
    picture = until(lambda: (reply := talk.peer.request("GET", path)).status_code == 200 and reply, "a picture")
    assert decode(picture.content).shape == (360, 640, 3)
    guarded = Peer("127.0.0.1", camera.port, replace(ACCOUNT, basic=False))
    assert guarded.request("GET", path).status_code == 401  # not in clear, unless it is allowed


def test_the_digest_is_refused_with_a_wrong_password_or_by_another_clock(camera: IpyCam) -> None:
    with pytest.raises(RefusedError, match="refuses the account"):
        device.identity(session(camera, Account("admin", lambda: "wrong")))
    for minutes in (-10, 10):
        talk = session(camera)
        talk.offset += timedelta(minutes=minutes)
        talk._clients.clear()
        with pytest.raises(RefusedError, match="clock"):
            device.identity(talk)


def test_it_is_found_on_the_network(camera: IpyCam) -> None:
    found = [each for each in discovery.search("127.0.0.1", seconds=2) if each.port == camera.port]
    assert [each.scopes["name"] for each in found] == ["Queue"]


def test_what_it_cannot_say_does_not_hide_the_rest(camera: IpyCam) -> None:
    told = device.describe(Peer("127.0.0.1", camera.port, ACCOUNT, 5.0), ACCOUNT)
    assert told.identity is not None
    assert len(told.streams) == 2
    assert "GetPresets" in told.withheld  # a prefix that it does not declare


def test_paused_killed_and_started_again(camera: IpyCam, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "LOOK_SECONDS", 0.3)
    monkeypatch.setattr(conversation, "FIRST_PAUSE", 0.2)
    control = Control(Wishes("127.0.0.1", camera.port, 1.0, height=100), ACCOUNT)
    control.start()
    try:
        until(lambda: control.picture, "the first conversation")
        assert control.trouble == ""
        os.kill(camera.process.pid, signal.SIGSTOP)
        until(lambda: "does not answer in time" in control.trouble, "a word about the camera that is silent")
        os.kill(camera.process.pid, signal.SIGCONT)
        until(lambda: control.trouble == "", "the camera to be heard again")
        camera.kill()
        until(lambda: "cannot be reached" in control.trouble, "a word about the camera that is gone")
        camera.start()
        until(lambda: control.trouble == "", "the camera to be found again", 40)
    finally:
        control.stop()
