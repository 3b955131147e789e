"""The frames between worker and main process: whole or not at all, and nothing a hostile worker sends is believed."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.daemon import wire
from edge_agent.daemon.wire import Blob, FrameError, Observed, Report, receive, send_observed, send_report
from edge_agent.events.evidence import sha256
from edge_agent.events.status import State


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = wire.pair()
    yield ours, theirs
    ours.close()
    theirs.close()


@given(
    st.builds(
        Observed,
        suffix=st.sampled_from(["passport/read", "device/rejected", "cctv/line-crossed"]),
        encoded=st.binary(max_size=100_000),
        key=st.none() | st.binary(min_size=16, max_size=16),
        blobs=st.lists(
            st.binary(max_size=5000).map(lambda body: Blob(sha256(body), "image/jpeg", body)), max_size=8
        ).map(tuple),
    )
)
def test_an_observation_arrives_as_it_was_sent(frame: Observed) -> None:
    ours, theirs = wire.pair()
    with ours, theirs:
        send_observed(theirs, frame)
        assert receive(ours) == frame


def test_a_report_arrives_as_it_was_sent(ends: tuple[socket.socket, socket.socket]) -> None:
    report = Report(State.DEGRADED, "Кабель не подключён", rejected=3)
    send_report(ends[1], report)
    assert receive(ends[0]) == report


def test_the_end_of_a_worker_is_seen(ends: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(BlockingIOError):
        receive(ends[0])
    ends[1].close()
    assert receive(ends[0]) is None


@given(st.binary(min_size=1, max_size=300))
def test_nonsense_is_refused_and_never_anything_else(packet: bytes) -> None:
    ours, theirs = wire.pair()
    with ours, theirs:
        theirs.send(packet)
        try:
            frame = receive(ours)
        except FrameError:
            return
        assert isinstance(frame, Observed | Report)


def test_no_descriptor_is_left_open_after_nonsense(ends: tuple[socket.socket, socket.socket]) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(50):
        with Path("/dev/null").open("rb") as file:
            socket.send_fds(ends[1], [b"o\x00\x05rubbish"], [file.fileno()])
        with pytest.raises(FrameError):
            receive(ends[0])
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_evidence_that_its_sender_could_still_change_is_refused(ends: tuple[socket.socket, socket.socket]) -> None:
    body = b"jpeg"
    file = os.memfd_create("evidence")
    os.write(file, body)
    head = f"passport/read  {sha256(body)} image/jpeg".encode()
    socket.send_fds(ends[1], [wire._HEAD.pack(b"o", len(head)) + head + b"{"], [file])
    os.close(file)
    with pytest.raises(FrameError, match="change"):
        receive(ends[0])


def test_a_topic_outside_the_device_cannot_be_named(ends: tuple[socket.socket, socket.socket]) -> None:
    for suffix in ("../agent/status", "a/b/c", "+/#", "status", "Passport/read"):
        head = f"{suffix} ".encode()
        ends[1].send(wire._HEAD.pack(b"o", len(head)) + head + b"{}")
        with pytest.raises(FrameError):
            receive(ends[0])


def test_an_event_too_large_for_a_frame_is_refused_where_it_arises(ends: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(ValueError, match="too large"):
        send_observed(ends[1], Observed("a/b", b"x" * wire.MAX_FRAME))
    with pytest.raises(ValueError, match="too large"):
        send_observed(ends[1], Observed("a/b", b"x", blobs=(Blob("0" * 64, "a/b", b"x" * (wire.MAX_EVIDENCE + 1)),)))
