"""The disk: full, and damaged."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import Collector, Mosquitto
from tests.e2e.post import Post, wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture
def office(mosquitto: Mosquitto) -> Iterator[Collector]:
    with Collector(mosquitto.port, "blo/v1/#") as office:
        yield office


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MiB of which the agent wants to leave 1 MiB free."""
    if os.getuid() != 0:
        pytest.skip("needs root to mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("nothing may be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def agent_says(office: Collector) -> dict[str, Any]:
    said = office.on("/agent/status")
    return json.loads(said[-1].payload) if said else {"state": "", "reason": ""}


def events(office: Collector) -> list[dict[str, Any]]:
    return [json.loads(message.payload) for message in office.on("/trial/load")]


def acknowledged(memory: Path) -> int:
    return max((int(line) for line in memory.read_text().split()), default=0) if memory.exists() else 0


def test_a_full_disk_stops_the_devices_says_so_and_goes_on_by_itself(
    tmp_path: Path, small_disk: Path, mosquitto: Mosquitto, office: Collector
) -> None:
    memory, ballast = tmp_path / "memory", small_disk / "ballast"
    with Post(tmp_path / "post", mosquitto.port) as post:
        post.state = small_disk / "state"
        post.state.mkdir()
        post.configure(mosquitto.port)
        post.device("lane-1", "trial.load", rate=50, size=500, memory=memory)
        post.start()
        wait_until(lambda: acknowledged(memory) > 50, 20, "events")
        ballast.write_bytes(bytes(12 * 2**20 - used(small_disk) - 2**19))  # half a megabyte is left: under the reserve
        wait_until(lambda: "MiB are free" in agent_says(office)["reason"], 10, "a status about the disk")
        assert agent_says(office)["state"] == "degraded"
        stopped_at = acknowledged(memory)
        time.sleep(2)
        assert acknowledged(memory) <= stopped_at + 1
        ballast.unlink()
        wait_until(lambda: acknowledged(memory) > stopped_at + 50, 10, "acknowledging again")
        wait_until(lambda: agent_says(office)["state"] == "ok", 10, "a good status")
        assert post.stop() == 0
    numbers = [event["data"]["number"] for event in events(office)]
    assert set(range(1, acknowledged(memory) + 1)) <= set(numbers)


def test_not_a_byte_left_is_no_different(
    tmp_path: Path, small_disk: Path, mosquitto: Mosquitto, office: Collector
) -> None:
    memory, ballast = tmp_path / "memory", small_disk / "ballast"
    with Post(tmp_path / "post", mosquitto.port, journal={"reserve_bytes": 0}) as post:
        post.state = small_disk / "state"
        post.state.mkdir()
        post.configure(mosquitto.port, journal={"reserve_bytes": 0})
        post.device("lane-1", "trial.load", rate=200, size=20_000, memory=memory)
        post.start()  # 4 MB a second: full by itself
        wait_until(lambda: "cannot be written" in agent_says(office)["reason"], 20, "a status about the disk")
        post.device("lane-1", "trial.load", rate=50, size=100, memory=memory)
        stopped_at = acknowledged(memory)
        time.sleep(1.5)
        assert acknowledged(memory) <= stopped_at + 1
        assert not ballast.exists()
        subprocess.run(["mount", "-o", "remount,size=60m", str(small_disk)], check=True)
        wait_until(lambda: acknowledged(memory) > stopped_at + 20, 10, "acknowledging again")
        post.hang_up()
        wait_until(lambda: agent_says(office)["state"] == "ok", 15, "a good status")
        assert post.stop() == 0
    numbers = [event["data"]["number"] for event in events(office)]
    assert set(range(1, acknowledged(memory) + 1)) <= set(numbers)


def test_a_journal_that_somebody_else_locks_is_waited_for(
    tmp_path: Path, mosquitto: Mosquitto, office: Collector
) -> None:
    memory = tmp_path / "memory"
    with Post(tmp_path / "post", mosquitto.port) as post:
        post.device("lane-1", "trial.load", rate=50, size=100, memory=memory)
        post.start()
        wait_until(lambda: acknowledged(memory) > 20, 20, "events")
        shell = sqlite3.connect(post.state / "journal.db", isolation_level=None)
        shell.execute("BEGIN IMMEDIATE")
        wait_until(lambda: "locked" in agent_says(office)["reason"], 30, "a status about it")
        shell.execute("ROLLBACK")
        shell.close()
        stopped_at = acknowledged(memory)
        wait_until(lambda: acknowledged(memory) > stopped_at + 20, 15, "acknowledging again")
        wait_until(lambda: agent_says(office)["state"] == "ok", 10, "a good status")
        assert post.stop() == 0


def used(disk: Path) -> int:
    status = os.statvfs(disk)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def test_a_journal_damaged_on_disk_is_set_aside_and_saved_and_the_agent_goes_on(
    tmp_path: Path, mosquitto: Mosquitto, office: Collector
) -> None:
    memory = tmp_path / "memory"
    with Post(tmp_path / "post", mosquitto.port) as post:
        post.device("lane-1", "trial.load", keys={"max_rate": 1000}, rate=500, size=4000, memory=memory)
        post.start()
        wait_until(lambda: checkpointed(post), 20, "events in the main file")
        post.device("lane-1", "trial.load", rate=0.2, size=300, memory=memory)
        post.hang_up()  # what is undelivered when its place on the disk is destroyed nobody can bring back
        wait_until(lambda: post.stand().undelivered == 0, 20, "the office up to date")
        post.kill()
        with sqlite3.connect(post.state / "journal.db") as database:  # what is still in the log would hide the damage
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        overwrite(post.state / "journal.db")
        before = acknowledged(memory)
        post.device("lane-1", "trial.load", rate=100, size=300, memory=memory)
        post.start()
        wait_until(lambda: acknowledged(memory) > before + 50, 20, "new events")
        (salvaged,) = wait_until(lambda: office.on("/agent/salvaged"), 10, "the event that says so")
        said = json.loads(salvaged.payload)["data"]
        wait_until(
            lambda: max(event["data"]["number"] for event in events(office)) > before + 50, 10, "them at the office"
        )
        assert post.stop() == 0
    assert said["saved"] > 0
    assert list(post.state.glob("journal.damaged-*"))
    sequences = [int(event["sequence"]) for event in events(office) if event["data"]["number"] > before + 5]
    assert min(sequences) >= said["resumed"], "a number was given twice"
    assert set(range(1, acknowledged(memory) + 1)) <= {event["data"]["number"] for event in events(office)}


def test_a_journal_damaged_while_it_runs(tmp_path: Path, mosquitto: Mosquitto, office: Collector) -> None:
    memory = tmp_path / "memory"
    with Post(tmp_path / "post", mosquitto.port) as post:
        post.device("lane-1", "trial.load", keys={"max_rate": 1000}, rate=500, size=4000, memory=memory)
        post.start()
        wait_until(lambda: checkpointed(post), 20, "events in the main file")
        post.device("lane-1", "trial.load", rate=100, size=300, memory=memory)
        post.hang_up()  # what is undelivered when its place on the disk is destroyed nobody can bring back
        wait_until(lambda: post.stand().undelivered < 5 and len(events(office)) > 100, 20, "the office up to date")
        overwrite(post.state / "journal.db")
        before = acknowledged(memory)
        wait_until(lambda: acknowledged(memory) > before + 300, 30, "new events")
        last = acknowledged(memory)
        wait_until(lambda: last in {event["data"]["number"] for event in events(office)}, 10, "them at the office")
        assert post.process is not None
        assert post.process.poll() is None
        assert post.stop() == 0
    assert set(range(1, last + 1)) <= {event["data"]["number"] for event in events(office)}


def checkpointed(post: Post) -> bool:
    """Whether events have moved from the write-ahead log into the database itself."""
    path = post.state / "journal.db"
    return path.exists() and path.stat().st_size > 2**20


def overwrite(path: Path) -> None:
    """What a dying flash card does: pages in the middle turn to rubbish."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        for offset in range(8192, size, 16384):
            file.seek(offset)
            file.write(os.urandom(512))
        os.fsync(file.fileno())
