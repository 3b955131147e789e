"""A yard before two cameras: vans pass, one stops. One camera only streams; the other speaks ONVIF, too."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import urlsplit

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.cctv.onvif import OnvifSettings
from drivers.cctv.rtsp import RtspSettings
from edge_agent.simulate.camera import Camera
from edge_agent.simulate.device import SimulatedDevice
from edge_agent.simulate.process import end, start

WIDTH, HEIGHT, RATE = 640, 360, 10
SECONDS: Final = 24
"""Of the film, which is played again and again."""
STREAM: Final = "rtsp://127.0.0.1:{}/yard.mp4?play_count=0"
START_SECONDS: Final = 10.0
_SEED = 5


def film(path: Path) -> Path:
    """Write the film, H.264 in MP4."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "g": str(RATE)})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in pictures():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return path


def pictures() -> Iterator[NDArray[np.uint8]]:
    """The pictures of the film: empty, a van passes, another stops for a while and goes on."""
    rng = np.random.default_rng(_SEED)
    yard = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    for _ in range(60):
        x, y, shade = int(rng.integers(WIDTH)), int(rng.integers(HEIGHT)), int(rng.integers(50, 200))
        cv2.rectangle(yard, (x, y), (x + int(rng.integers(8, 80)), y + int(rng.integers(4, 30))), [shade] * 3, -1)
    noise = [rng.integers(0, 5, yard.shape, np.uint8) for _ in range(7)]  # odd, so that no two seconds are the same
    for number in range(SECONDS * RATE):
        picture, at = yard.copy(), number / RATE
        if 4 <= at < 9:
            _van(picture, (at - 4) / 5)
        elif 12 <= at < 15:
            _van(picture, (at - 12) / 6)
        elif 15 <= at < 19:
            _van(picture, 0.5)
        elif 19 <= at < 22:
            _van(picture, 0.5 + (at - 19) / 6)
        yield np.asarray(cv2.add(picture, noise[number % len(noise)]), np.uint8)


def _van(picture: NDArray[np.uint8], share: float) -> None:
    x, y = int((share * 1.4 - 0.2) * WIDTH), HEIGHT * 6 // 10
    cv2.rectangle(picture, (x - 50, y - 40), (x + 50, y + 30), (235, 240, 238), -1)
    cv2.rectangle(picture, (x + 10, y - 30), (x + 44, y - 4), (60, 50, 50), -1)


class Server:
    """An RTSP server (aio-rtsp-toolkit) that plays the film, as a process of its own, until ``close``."""

    def __init__(self, folder: Path, port: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        film(folder / "yard.mp4")
        command = [str(Path(sys.executable).with_name("rtsp-server")), "-d", str(folder), "-H", "127.0.0.1"]
        with (folder / "server.log").open("wb") as log:
            self._process = start([*command, "-p", str(port), "-cp", str(_free_port())], stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while not _listens(port) and time.monotonic() < until:
            time.sleep(0.05)

    def close(self) -> None:
        """End the process."""
        end(self._process)


class StreamedYard(SimulatedDevice[RtspSettings]):
    """The camera that only streams."""

    counted: ClassVar[bool] = False

    def __init__(self, settings: RtspSettings, state: Path, pace: float) -> None:
        super().__init__(settings, state, pace)
        self._server = Server(state / "simulated" / "stream", urlsplit(settings.address).port or 554)

    def play(self, ending: threading.Event) -> None:
        """The film, until the end."""
        ending.wait()
        self._server.close()


class OnvifYard(SimulatedDevice[OnvifSettings]):
    """The camera that speaks ONVIF: it reports motion now and then, and that somebody presses its button."""

    counted: ClassVar[bool] = False

    def __init__(self, settings: OnvifSettings, state: Path, pace: float) -> None:
        super().__init__(settings, state, pace)
        port = _free_port()
        self._server = Server(state / "simulated" / "onvif", port)
        snapshot = cv2.imencode(".jpg", next(pictures()))[1].tobytes()
        self._camera = Camera(port=settings.port, stream=STREAM.format(port), snapshot=snapshot).__enter__()

    def play(self, ending: threading.Event) -> None:
        """A report for each traveller."""
        pressed = False
        while not ending.wait(self.pace):
            pressed = not pressed
            self._camera.notify("tns1:Device/Trigger/DigitalInput", pressed, source="button", item="LogicalState")
        self._camera.stop()
        self._server.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
