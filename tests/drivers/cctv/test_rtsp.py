"""Watching a stream: real servers on loopback that stop, starve, refuse, or die and come back."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivers.cctv.rtsp import RtspSettings, StreamCamera
from drivers.cctv.stream import Source, Stream, StreamError, snapshot
from drivers.cctv.watch import warm
from edge_agent.driver import DriverError, Observation
from edge_agent.events.cctv import CctvHealth, CctvLine, CctvZone
from tests.drivers.cctv import films

LONGEST_SILENCE = 6.0
"""Seconds between two yields: the driver waits for half a second, the rest is for a busy machine."""


@pytest.fixture(autouse=True, scope="module")
def _warm() -> None:
    """As before the processes of cameras are forked."""
    warm()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP server that does something odd with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        ending = threading.Event()

        def run() -> None:
            open_: list[socket.socket] = []
            while not ending.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                open_.append(connection)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()
            for connection in open_:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            ending.set()
            thread.join()


def black_hole(connection: socket.socket) -> None:
    """Takes everything, and never answers."""
    del connection


def trickle(connection: socket.socket) -> None:
    """Answers, a byte now and then: no single read ever waits for long."""
    try:
        for byte in b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nX-Padding: " + b"x" * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)
    except OSError:
        return


class Server:
    """aio-rtsp-toolkit's server, as a process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.control = folder, free_port(), free_port()
        self.start()

    def start(self) -> None:
        command = [str(Path(sys.executable).with_name("rtsp-server")), "-d", str(self.folder), "-H", "127.0.0.1"]
        self.process = subprocess.Popen(
            [*command, "-p", str(self.port), "-cp", str(self.control)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("the RTSP server does not start")

    def address(self, film: Path) -> str:
        return f"rtsp://127.0.0.1:{self.port}/{film.name}?play_count=0"

    def end(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    films.write(tmp_path / "yard.mp4", films.passing(60))
    running = Server(tmp_path)
    yield running
    running.end()


def watch(camera: StreamCamera, seconds: float, enough: Callable[[], bool]) -> tuple[list[Observation], float]:
    """What a driver yields until that is enough, and the longest time that it kept silent."""
    seen, longest, last = [], 0.0, time.monotonic()
    observing = camera.observe()
    end = last + seconds
    for observation in observing:
        now = time.monotonic()
        longest, last = max(longest, now - last), now
        if observation is not None:
            seen.append(observation)
        if enough() or now > end:
            break
    observing.close()  # type: ignore[attr-defined]  # a generator
    return seen, longest


@pytest.mark.parametrize(
    ("serve", "words"), [(black_hole, "is silent"), (trickle, "is silent|cannot be read|no picture")]
)
def test_a_camera_that_never_finishes_an_answer_is_given_up(serve: Callable[[socket.socket], None], words: str) -> None:
    with listening(serve) as port:
        began = time.monotonic()
        with pytest.raises(StreamError, match=words):
            snapshot(Source(f"rtsp://127.0.0.1:{port}/x", timeout=0.8))
        assert time.monotonic() - began < 8


def test_the_driver_goes_on_yielding_before_a_black_hole_and_says_what_is_wrong() -> None:
    with listening(black_hole) as port:
        camera = StreamCamera(RtspSettings(address=f"rtsp://127.0.0.1:{port}/x", timeout=0.5))
        seen, longest = watch(camera, 8, lambda: "is silent" in camera.trouble)
    assert "is silent: is the camera on" in camera.trouble
    assert longest < LONGEST_SILENCE
    assert seen == []


@pytest.mark.slow
def test_a_camera_that_is_gone_is_a_fault_of_its_health() -> None:
    settings = RtspSettings(address=f"rtsp://127.0.0.1:{free_port()}/x", timeout=0.5, health={"hold_seconds": 1})
    camera = StreamCamera(settings)
    seen: list[Observation] = []
    for observation in camera.observe():
        if observation is not None:
            seen.append(observation)
            break
    assert isinstance(seen[0].data, CctvHealth)
    assert (seen[0].data.fault, seen[0].data.state) == ("no_signal", "began")
    assert "Nobody answers" in seen[0].data.reason


def test_no_reason_ever_shows_the_password() -> None:
    source = Source(f"rtsp://127.0.0.1:{free_port()}/x", user="anna", password="p@ss:/w", timeout=0.5)
    with pytest.raises(StreamError) as refused:
        snapshot(source)
    assert "p@ss" not in str(refused.value)
    assert "p%40ss" not in str(refused.value)


def test_an_account_in_an_address_is_refused_before_it_gets_into_a_log() -> None:
    with pytest.raises(ValueError, match="does not belong into an address"):
        RtspSettings(address="rtsp://anna:secret@camera/1")


def test_a_film_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match=r"gone\.mp4 is not there"):
        StreamCamera(RtspSettings(address=str(tmp_path / "gone.mp4"))).probe()


@pytest.mark.slow
def test_a_film_of_a_passing_van_becomes_events_with_a_picture(tmp_path: Path) -> None:
    film = films.write(tmp_path / "yard.mp4", films.passing(110, still=40))
    camera = StreamCamera(
        RtspSettings(
            address=str(film),
            frames_per_second=10,
            zones=[{"name": "middle", "polygon": [(0.3, 0.2), (0.7, 0.2), (0.7, 0.95), (0.3, 0.95)]}],
            lines=[{"name": "half", "start": (0.5, 1.0), "end": (0.5, 0.0)}],
            masks=[{"name": "house", "polygon": [(0, 0), (1, 0), (1, 0.1), (0, 0.1)]}],
            pictures=["line"],
        )
    )
    seen: list[Observation] = []
    with pytest.raises(DriverError, match=r"yard\.mp4 has ended"):
        seen.extend(observation for observation in camera.observe() if observation is not None)
    states = [(each.data.state, each.data.count) for each in seen if isinstance(each.data, CctvZone)]
    assert states == [("entered", 1), ("left", 0)]
    (crossed,) = [each for each in seen if isinstance(each.data, CctvLine)]
    assert isinstance(crossed.data, CctvLine)
    assert crossed.data.direction == "forward"
    (picture,) = crossed.evidence
    assert picture.media_type == "image/jpeg"
    assert picture.data.startswith(b"\xff\xd8")


def test_what_nobody_needs_is_not_decoded(tmp_path: Path) -> None:
    film = films.write(tmp_path / "yard.mp4", films.passing(20, still=30))
    stream = Stream(Source(str(film), repeat=True))
    stream.want(False)
    stream.start()
    try:
        assert stream.newest(0.5) is None
        assert stream.decoded == 0
        stream.want(True)
        assert stream.newest(5.0) is not None
    finally:
        stream.stop()


@pytest.mark.e2e
def test_a_stream_that_stops_dies_and_comes_back_is_watched_again(server: Server) -> None:
    camera = StreamCamera(
        RtspSettings(
            address=server.address(server.folder / "yard.mp4"),
            timeout=1,
            health={"hold_seconds": 1, "clear_seconds": 1},
        )
    )
    faults: list[tuple[str, str]] = []
    observing = camera.observe()
    longest = 0.0

    def go(seconds: float, enough: Callable[[], bool]) -> bool:
        nonlocal longest
        end = last = time.monotonic()
        end += seconds
        while last < end:
            observation = next(observing)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
            if observation is not None and isinstance(observation.data, CctvHealth):
                faults.append((observation.data.fault, observation.data.state))
            if enough():
                return True
        return False

    go(4, lambda: False)
    assert camera.trouble == ""
    server.process.send_signal(signal.SIGSTOP)
    assert go(15, lambda: ("no_signal", "began") in faults), "a silent camera is noticed"
    server.process.send_signal(signal.SIGCONT)
    assert go(20, lambda: ("no_signal", "ended") in faults), "and followed again"
    server.end()
    assert go(15, lambda: faults.count(("no_signal", "began")) == 2), "a dead one as well"
    server.start()
    assert go(25, lambda: faults.count(("no_signal", "ended")) == 2)
    assert longest < LONGEST_SILENCE
    observing.close()  # type: ignore[attr-defined]  # a generator


@pytest.mark.e2e
def test_a_slow_consumer_still_gets_the_newest_picture(server: Server) -> None:
    stream = Stream(Source(server.address(server.folder / "yard.mp4"), timeout=2))
    stream.start()
    try:
        assert stream.newest(5.0) is not None
        ages = []
        for _ in range(4):
            time.sleep(1.0)
            picture = stream.newest(2.0)
            assert picture is not None
            ages.append(time.monotonic() - picture.time)
        assert max(ages) < 0.5
        assert stream.decoded > 25
    finally:
        stream.stop()
