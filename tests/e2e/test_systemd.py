"""What the real daemon tells systemd, with a socket in systemd's place."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge_agent.daemon import agent as agent_module
from edge_agent.daemon.agent import STALLED_SECONDS, Agent
from tests.brokers import Mosquitto, free_port
from tests.e2e.post import Post, wait_until

STALLED = 2.0
IMPATIENT = f"""
import sys
from pathlib import Path
from edge_agent.daemon import agent
from edge_agent.daemon.__main__ import main
agent.STALLED_SECONDS = {STALLED}
sys.exit(main(Path(sys.argv[1])))
"""
"""The daemon as it is, except that it calls a thread stalled after two seconds instead of thirty."""


class Systemd:
    """The other end of $NOTIFY_SOCKET."""

    def __init__(self, folder: Path) -> None:
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(str(folder / "notify"))
        self.status = ""
        self.environment = {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "2000000"}

    def next(self, timeout: float) -> str | None:
        self._sock.settimeout(max(timeout, 0.001))
        try:
            message = self._sock.recv(4096).decode()
        except TimeoutError:
            return None
        if message.startswith("STATUS="):
            self.status = message.removeprefix("STATUS=")
        return message

    def wait_for_status(self, wanted: str, timeout: float = 20) -> None:
        """Wait until the latest status begins like this, if it does not yet."""
        if not self.status.startswith(wanted):
            self.until(f"STATUS={wanted}", timeout)

    def until(self, wanted: str, timeout: float = 20) -> list[str]:
        """All messages up to the first that begins like this."""
        deadline = time.monotonic() + timeout
        seen: list[str] = []
        while (message := self.next(deadline - time.monotonic())) is not None:
            seen.append(message)
            if message.startswith(wanted):
                return seen
        raise AssertionError(f"waited {timeout} s in vain for {wanted}; there came {seen}")

    def during(self, seconds: float) -> list[str]:
        """All messages of so many seconds from now."""
        deadline = time.monotonic() + seconds
        seen = []
        while (message := self.next(deadline - time.monotonic())) is not None:
            seen.append(message)
        return seen

    def close(self) -> None:
        self._sock.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    listener = Systemd(tmp_path)
    yield listener
    listener.close()


@pytest.mark.e2e
def test_ready_status_watchdog_reloading_and_stopping(tmp_path: Path, systemd: Systemd, mosquitto: Mosquitto) -> None:
    with Post(tmp_path / "post", mosquitto.port) as post:
        post.device("lane-1", "trial.load", rate=5)
        post.start(**systemd.environment)
        started = systemd.until("READY=1", 60)
        assert "WATCHDOG=1" not in started, "fed before it is ready"
        systemd.wait_for_status("ok: 1 devices")
        fed = [message for message in systemd.during(4.5) if message == "WATCHDOG=1"]
        assert len(fed) >= 4, "twice in the time after which systemd would restart it"

        before = time.monotonic_ns() // 1000
        post.device("lane-2", "trial.load", rate=5)
        post.hang_up()
        state, clock = systemd.until("RELOADING=1")[-1].split("\n")
        assert state == "RELOADING=1"
        assert before <= int(clock.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
        systemd.until("READY=1")
        wait_until(lambda: {"lane-1", "lane-2"} <= set(post.workers()), 10, "both devices")

        os.kill(post.pid, signal.SIGTERM)
        systemd.until("STOPPING=1")
        assert post.process is not None
        assert post.process.wait(20) == 0


@pytest.mark.e2e
def test_a_broker_that_is_away_is_a_status_and_no_reason_to_be_restarted(tmp_path: Path, systemd: Systemd) -> None:
    with Post(tmp_path / "post", free_port()) as post:
        post.start(**systemd.environment)
        systemd.until("READY=1", 60)
        systemd.wait_for_status("degraded: Nothing listens on 127.0.0.1")
        assert systemd.during(3).count("WATCHDOG=1") >= 2


@pytest.mark.e2e
def test_the_watchdog_starves_while_the_journal_writer_is_stuck_and_is_fed_again_after(
    tmp_path: Path, systemd: Systemd, mosquitto: Mosquitto
) -> None:
    with Post(tmp_path / "post", mosquitto.port) as post:
        post.device("lane-1", "trial.load", rate=20)
        with post.log.open("ab") as log:
            post.process = subprocess.Popen(
                [sys.executable, "-P", "-c", IMPATIENT, str(post.config)],
                stdout=log,
                stderr=log,
                env={**os.environ, **systemd.environment},
                start_new_session=True,
            )
        systemd.until("WATCHDOG=1", 60)
        wait_until(lambda: post.journal().stand().last_sequence > 10, 20, "events")
        with closing(sqlite3.connect(post.state / "journal.db", isolation_level=None, timeout=10)) as holder:
            holder.execute("BEGIN IMMEDIATE")  # the writer waits for this, in the middle of its turn
            systemd.during(STALLED + 1.5)
            starving = systemd.during(3)
            holder.execute("ROLLBACK")
        assert "WATCHDOG=1" not in starving
        assert post.process.poll() is None, "its main thread turned all the time, as a bare timer would"
        systemd.until("WATCHDOG=1", 10)


@pytest.mark.parametrize("stuck", ["intake", "publisher", "supervisor"])
def test_one_part_that_stands_still_is_enough_to_starve_the_watchdog(
    stuck: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(agent_module.time, "monotonic", lambda: now)
    agent = Agent.__new__(Agent)  # without a configuration: only the three ticks are asked for
    parts = {name: SimpleNamespace(tick=now - 1) for name in ("intake", "publisher", "supervisor")}
    for name, part in parts.items():
        setattr(agent, f"_{name}", part)
    assert agent._all_move()
    parts[stuck].tick = now - STALLED_SECONDS
    assert not agent._all_move()
