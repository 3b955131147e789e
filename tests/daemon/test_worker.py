"""What a worker says of its driver's observations and of its end."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import socket
import threading
from collections.abc import Iterator
from ctypes import c_double
from typing import Any

import pytest

from edge_agent.config.models import DeviceSettings
from edge_agent.daemon.wire import ACKNOWLEDGED, Observed, Report, pair, receive
from edge_agent.daemon.worker import Stopped, Worker, describe, resident_bytes
from edge_agent.driver import Driver, DriverError, DriverSettings, Evidence, Observation
from edge_agent.events.device import InputRejected
from edge_agent.events.evidence import sha256
from edge_agent.events.status import State

SEEN = InputRejected(reason="trial", message="seen")


class Scripted(Driver[DriverSettings]):
    """Yields what it is given."""

    kind = "test.scripted"
    Settings = DriverSettings

    def __init__(self, *observations: Observation | None) -> None:
        super().__init__(DriverSettings())
        self._observations = observations

    def observe(self) -> Iterator[Observation | None]:
        yield from self._observations


def run(*observations: Observation | None, driver: Scripted | None = None, **device: Any) -> list[Observed | Report]:
    """What arrives at the intake, which acknowledges every observation."""
    ours, theirs = pair()
    settings = DeviceSettings(name="lane-1", driver="test.scripted", settings=DriverSettings(), **device)
    worker = Worker(settings, "/blo/kz/kordai/lane-1", theirs, c_double())
    frames: list[Observed | Report] = []
    ours.setblocking(True)

    def intake() -> None:
        while (frame := receive(ours)) is not None:
            frames.append(frame)
            if isinstance(frame, Observed):
                ours.send(ACKNOWLEDGED)

    thread = threading.Thread(target=intake)
    thread.start()
    with pytest.raises(DriverError, match="ended by itself"):
        worker.serve(driver or Scripted(*observations))
    theirs.shutdown(socket.SHUT_WR)
    theirs.close()
    thread.join(5)
    ours.close()
    return frames


def test_it_is_acknowledged_only_once_the_journal_has_it() -> None:
    order: list[str] = []
    frames = run(Observation(SEEN, acknowledge=lambda: order.append("acknowledged")), None)
    assert [type(frame) for frame in frames] == [Report, Observed]
    assert order == ["acknowledged"]


def test_it_ends_when_the_agent_has_gone_though_nothing_was_seen() -> None:
    ours, theirs = pair()
    settings = DeviceSettings(name="lane-1", driver="test.scripted", settings=DriverSettings())
    worker = Worker(settings, "/blo/kz/kordai/lane-1", theirs, c_double())
    assert not worker._abandoned()
    ours.close()
    with pytest.raises(Stopped):
        worker.serve(Scripted(None, None))
    theirs.close()


@pytest.mark.parametrize(("wanted", "sent"), [("none", []), ("thumbnail", [b"small"]), ("all", [b"large"])])
def test_evidence_is_named_always_and_sent_as_the_device_file_says(wanted: str, sent: list[bytes]) -> None:
    evidence = Evidence(b"large", "image/jpeg", "page", lambda: b"small")
    frames = run(Observation(SEEN, (evidence,)), evidence=wanted)
    (observed,) = (frame for frame in frames if isinstance(frame, Observed))
    assert [blob.body for blob in observed.blobs] == sent
    references = json.loads(observed.encoded + b"}")["evidence"]
    assert references[0]["sha256"] == sha256(b"large")
    assert references[0]["sent"] is (wanted == "all")
    assert [reference["role"] for reference in references] == ["page", "page-thumbnail"][: 1 + (wanted == "thumbnail")]


def test_a_driver_that_has_trouble_and_goes_on_is_degraded() -> None:
    class Troubled(Scripted):
        def observe(self) -> Iterator[Observation | None]:
            for self.trouble in ("", "The reader is unplugged.", "The reader is unplugged.", ""):
                yield None

    frames = run(driver=Troubled())
    assert [(frame.state, frame.reason) for frame in frames if isinstance(frame, Report)] == [
        (State.OK, ""),
        (State.DEGRADED, "The reader is unplugged."),
        (State.OK, ""),
    ]


def test_what_a_picture_took_is_given_back_when_the_device_is_quiet() -> None:
    class Pictures(Scripted):
        resident: list[int]

        def observe(self) -> Iterator[Observation | None]:
            self.resident = [resident_bytes(os.getpid())]
            pieces = [bytearray(b"x" * 60_000) for _ in range(1000)]
            self.resident.append(resident_bytes(os.getpid()))
            del pieces[:-1]  # what lies before a piece in use is not returned by itself
            yield Observation(SEEN)
            yield None
            self.resident.append(resident_bytes(os.getpid()))
            assert pieces

    ctypes.CDLL(None).malloc_trim(0)  # what other tests left behind
    driver = Pictures()
    run(driver=driver)
    before, full, quiet = driver.resident
    assert full > before + 50e6
    assert quiet < before + 10e6


def test_the_same_key_of_another_device_is_another_key() -> None:
    def key(device: str) -> bytes | None:
        ours, theirs = pair()
        settings = DeviceSettings(name=device, driver="test.scripted", settings=DriverSettings())
        found = Worker(settings, "/blo", theirs, c_double())._key("scan 1")
        ours.close()
        theirs.close()
        return found

    assert key("lane-1") == key("lane-1") != key("lane-2")


def thrown(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def test_only_what_a_driver_says_for_technicians_is_passed_on() -> None:
    assert describe(thrown(DriverError("Plug it in."))) == "Plug it in."
    said = describe(thrown(ValueError("L898902C3 ERIKSSON")))
    assert "ERIKSSON" not in said
    assert said.startswith("ValueError at test_worker.py:")
    assert "No such device" in describe(thrown(OSError(errno.ENODEV, os.strerror(errno.ENODEV), "/secret")))
    assert "/secret" not in describe(thrown(OSError(errno.ENODEV, os.strerror(errno.ENODEV), "/secret")))
    assert "more memory than its device file allows" in describe(thrown(MemoryError()))
