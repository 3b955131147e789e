"""A scanner that sends DICOS to a real agent: what it was told is safe survives a kill at the worst moment."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from drivers.xray.dicos import image
from drivers.xray.storage import SUCCESS
from edge_agent.processing.xray.scan import Channel
from tests.brokers import Mosquitto
from tests.drivers.xray.scans import scan
from tests.drivers.xray.test_storage import client, free_port, send
from tests.e2e.post import Post, wait_until

pytestmark = pytest.mark.e2e


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_what_was_answered_for_survives_kill_9(tmp_path: Path, mosquitto: Mosquitto) -> None:
    port = free_port()
    halves = [image.write(scan(), channel, study="1.2.3") for channel in (Channel.LOW, Channel.HIGH)]
    with Post(tmp_path / "post", mosquitto.port) as post:
        post.device(
            "lane-4",
            "xray.dicos",
            keys={"memory": "1 GiB"},
            folder="inbox",
            address="127.0.0.1",
            port=port,
            patience_seconds=60,
        )
        post.start()
        wait_until(lambda: listens(port), 60, "the agent to listen")
        with client(port) as scanner:
            assert send(scanner, halves[0]) == SUCCESS
        post.kill()
        assert post.stand().last_sequence == 0
        wait_until(lambda: not listens(port), 20, "the killed agent's port to be free")
        post.start()
        wait_until(lambda: listens(port), 60, "the agent to listen again")
        with client(port) as scanner:
            assert send(scanner, halves[1]) == SUCCESS
            post.kill()
        assert post.stand().last_sequence == 1
        with post.journal() as journal:
            (row,) = journal.rows(after=0)
        data = json.loads(row.body)["data"]
        assert data["channels"] == ["low", "high"]
