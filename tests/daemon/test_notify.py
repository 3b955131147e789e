from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.daemon import notify


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    name = str(tmp_path / "notify") if request.param == "path" else f"@edge-agent-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(name.replace("@", "\0", 1))
        sock.settimeout(2)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield sock


def test_every_state_arrives_as_systemd_spells_it(systemd: socket.socket) -> None:
    notify.ready()
    notify.watchdog()
    notify.stopping()
    assert [systemd.recv(1000) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_reloading_carries_the_monotonic_time(systemd: socket.socket) -> None:
    before = time.monotonic_ns() // 1000
    notify.reloading()
    state, clock = systemd.recv(1000).decode().split("\n")
    assert state == "RELOADING=1"
    assert before <= int(clock.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000


def test_a_status_stays_one_line_and_cannot_smuggle_a_state(systemd: socket.socket) -> None:
    notify.status("degraded: Брокер is away\nWATCHDOG=trigger")
    assert systemd.recv(1000).decode() == "STATUS=degraded: Брокер is away WATCHDOG=trigger"


@pytest.mark.parametrize("address", [None, "", "relative", "/does/not/exist", "@nobody-listens-here"])
def test_without_systemd_nothing_happens(address: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify.ready()


def test_a_systemd_that_does_not_read_does_not_hold_the_agent_up(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as other:
        with contextlib.suppress(BlockingIOError):  # full
            while True:
                other.sendto(b"x", systemd.getsockname())
        monkeypatch.setattr(notify, "TIMEOUT", 0.05)
        began = time.monotonic()
        notify.watchdog()
        assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("usec", "pid", "expected"),
    [
        ("30000000", None, 15.0),
        ("30000000", "ours", 15.0),
        ("30000000", "1", None),
        ("0", None, None),
        ("soon", None, None),
        (None, None, None),
    ],
)
def test_the_watchdog_is_fed_at_half_its_time_and_only_by_the_process_meant(
    usec: str | None, pid: str | None, expected: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    if usec is not None:
        monkeypatch.setenv("WATCHDOG_USEC", usec)
    if pid is not None:
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "ours" else pid)
    assert notify.watchdog_seconds() == expected
