"""DICOS over the network, with a real client on loopback: success means durable, and nothing else does."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pynetdicom import AE

from drivers import folder as folder_module
from drivers.xray.dicos import image, report, uids
from drivers.xray.storage import CANNOT_UNDERSTAND, OUT_OF_RESOURCES, SUCCESS, XrayDicos, XrayDicosSettings
from edge_agent.driver import DriverError, Observation
from edge_agent.events.device import InputRejected
from edge_agent.events.xray import XrayReport, XrayScan
from edge_agent.processing.xray.scan import Channel
from tests.drivers.xray.scans import CHANNELS, scan

VERIFICATION = "1.2.840.10008.1.1"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Post:
    """A driver in a thread, with a journal that takes as long as a test wants."""

    def __init__(self, driver: XrayDicos) -> None:
        self.observed: list[Observation] = []
        self.durable = threading.Event()
        self.durable.set()
        self.stop = threading.Event()
        self._driver = driver

    def run(self) -> None:
        observations = self._driver.observe()
        for observation in observations:
            if observation is not None:
                self.observed.append(observation)
                while not self.durable.wait(0.01) and not self.stop.is_set():
                    pass
                if self.durable.is_set() and observation.acknowledge is not None:
                    observation.acknowledge()
            if self.stop.is_set():
                break
        observations.close()  # type: ignore[attr-defined]  # a generator


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Post, int]]]:
    monkeypatch.setattr(folder_module, "LOOK_SECONDS", 0.01)
    monkeypatch.chdir(tmp_path)
    started: list[tuple[Post, threading.Thread]] = []

    def start(**values: Any) -> tuple[Post, int]:
        (tmp_path / "in").mkdir(exist_ok=True)
        port = free_port()
        defaults = {"folder": tmp_path / "in", "settle_seconds": 0, "patience_seconds": 30, "answer_seconds": 20}
        settings = XrayDicosSettings(**{**defaults, "address": "127.0.0.1", "port": port, **values})
        driver = XrayDicos(settings)
        driver.device = "lane-4-xray"
        made = Post(driver)
        thread = threading.Thread(target=made.run, daemon=True)
        thread.start()
        started.append((made, thread))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return made, port
            time.sleep(0.02)
        raise AssertionError("nobody listens")

    yield start
    for made, thread in started:
        made.stop.set()
        thread.join(10)


@contextmanager
def client(port: int, syntax: str = uids.EXPLICIT, title: str = "SCANNER") -> Iterator[Any]:
    entity = AE(title)
    entity.add_requested_context(VERIFICATION)
    for uid in (uids.DX_PROCESSING, uids.TDR, uids.CT):
        entity.add_requested_context(uid, syntax)
    association = entity.associate("127.0.0.1", port, ae_title="EDGE-AGENT")
    try:
        yield association
    finally:
        association.release()


def send(association: Any, data: bytes) -> int:
    status = association.send_c_store(pydicom.dcmread(io.BytesIO(data)))
    return int(status.Status)


@pytest.mark.parametrize("syntax", [uids.EXPLICIT, uids.JPEG_LOSSLESS_SV1])
def test_a_pair_is_one_scan_and_both_halves_are_answered(post: Callable[..., tuple[Post, int]], syntax: str) -> None:
    made, port = post()
    with client(port, syntax) as scanner:
        assert scanner.send_c_echo().Status == SUCCESS
        for channel in CHANNELS:
            assert send(scanner, image.write(scan(), channel, syntax=syntax, study="1.2.3")) == SUCCESS
    (observation,) = made.observed
    assert isinstance(observation.data, XrayScan)
    assert observation.data.channels == ["low", "high"]


def test_a_report_is_taken_too(post: Callable[..., tuple[Post, int]]) -> None:
    made, port = post()
    with client(port) as station:
        assert send(station, report.write([], images=["1.2"], alarm=False, made_by="OPERATOR")) == SUCCESS
    (observation,) = made.observed
    assert isinstance(observation.data, XrayReport)
    assert (observation.data.made_by, observation.data.alarm) == ("operator", False)


def test_success_is_answered_only_once_the_event_is_durable(post: Callable[..., tuple[Post, int]]) -> None:
    made, port = post()
    made.durable.clear()
    answers: list[int] = []
    with client(port) as scanner:
        waiting = threading.Thread(target=lambda: answers.append(send(scanner, single())))
        waiting.start()
        deadline = time.monotonic() + 20
        while not made.observed and time.monotonic() < deadline:
            time.sleep(0.01)
        assert made.observed
        time.sleep(0.2)
        assert answers == []
        made.durable.set()
        waiting.join(10)
    assert answers == [SUCCESS]


def single() -> bytes:
    return image.write(replace(scan(), low=None, high=None, single=scan().high), Channel.SINGLE)


def test_what_does_not_become_durable_in_time_is_to_be_sent_again(post: Callable[..., tuple[Post, int]]) -> None:
    made, port = post(answer_seconds=1)
    made.durable.clear()
    with client(port) as scanner:
        assert send(scanner, single()) == OUT_OF_RESOURCES
        made.durable.set()
        deadline = time.monotonic() + 10
        while len(list(Path("in/processed").iterdir())) < 1 and time.monotonic() < deadline:
            time.sleep(0.01)
        data = single()
        assert send(scanner, data) == SUCCESS
        assert send(scanner, data) == SUCCESS  # the same once more, as if our answer had been lost
    keys = [observation.key for observation in made.observed]
    assert keys[1] == keys[2]
    assert keys[0] != keys[1]


def test_what_cannot_be_used_is_refused_and_kept_in_quarantine(post: Callable[..., tuple[Post, int]]) -> None:
    made, port = post(patience_seconds=0)
    dataset = pydicom.dcmread(io.BytesIO(single()))
    dataset.Rows = 60_000
    dataset.Columns = 60_000
    with client(port) as scanner:
        assert int(scanner.send_c_store(dataset).Status) == CANNOT_UNDERSTAND
        assert not any(context.abstract_syntax == uids.CT for context in scanner.accepted_contexts)
    (observation,) = made.observed
    assert isinstance(observation.data, InputRejected)
    assert observation.data.reason == "too-large"
    assert len(list(Path("in/failed").glob("*.dcs"))) == 1


def test_a_scan_larger_than_allowed_ends_the_association_and_others_go_on(
    post: Callable[..., tuple[Post, int]],
) -> None:
    made, port = post(max_bytes=100_000)
    big = image.write(scan(), Channel.HIGH, syntax=uids.EXPLICIT).ljust(900_000, b"\0")
    dataset = pydicom.dcmread(io.BytesIO(big))
    dataset.PixelData = bytes(20_000_000)
    with client(port) as scanner:
        assert "Status" not in scanner.send_c_store(dataset)
    with client(port) as scanner:
        assert send(scanner, single()) == SUCCESS
    assert len(made.observed) == 1


def test_a_pdu_of_four_gigabytes_closes_the_connection_at_once(post: Callable[..., tuple[Post, int]]) -> None:
    _, port = post()
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(b"\x01\0\xff\xff\xff\xff" + bytes(1000))
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""


def test_only_the_named_scanners_may_send(post: Callable[..., tuple[Post, int]]) -> None:
    _, port = post(scanners=["SCANNER"])
    with client(port) as known, client(port, title="STRANGER") as stranger:
        assert known.is_established
        assert not stranger.is_established


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = XrayDicosSettings(folder=tmp_path, address="127.0.0.1", port=taken.getsockname()[1])
        with pytest.raises(DriverError, match="taken"):
            XrayDicos(settings).probe()
