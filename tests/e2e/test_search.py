"""A search: weighed, recorded while the agent runs and while it does not, and killed in between. Nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_agent.simulate.broker import EmbeddedBroker
from tests.drivers.wires import Wire
from tests.e2e.post import Post, wait_until

pytestmark = pytest.mark.e2e


def record(post: Post, *words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "edge_agent", "record", "--config", str(post.config), "--json", *words]
    environment = {key: value for key, value in os.environ.items() if key != "STATE_DIRECTORY"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def events(post: Post, count: int) -> list[dict[str, Any]]:
    """All events of the journal, once there are so many."""
    wait_until(lambda: post.stand().last_sequence >= count, 20, f"{count} events in the journal")
    with post.journal() as journal:
        return [json.loads(row.body) for row in journal.each(1)]


def test_records_outlive_everything_and_name_the_events_of_the_search(
    tmp_path: Path, embedded_broker: EmbeddedBroker
) -> None:
    with Wire(tmp_path / "scale") as wire, Post(tmp_path / "post", embedded_broker.port) as post:
        post.device("lane-1-scale", "inspection.scale", port=wire.link)
        post.device("search-record", "inspection.record", folder="spool/record")
        before = record(post, "--outcome", "nothing_found")
        post.start()
        assert events(post, 1)[0]["data"]["search"] == before["search"]

        wire.send(b"ST,GS,+  4.876kg\r\n" * 3)
        weighed = events(post, 2)[1]
        assert weighed["data"]["kilograms"] == 4.876
        during = record(post, "--outcome", "seizure", "-e", "2", "-s", "goods=heroin; quantity=4.8 kg; weight=2")
        recorded = events(post, 3)[2]["data"]
        assert recorded["search"] == during["search"]
        assert recorded["events"] == [{"event": weighed["id"], "role": "weight", "type": weighed["type"]}]
        assert recorded["seizures"][0]["weight"] == weighed["id"]

        post.kill()
        after = record(post, "--outcome", "suspicion", "--corrects", during["search"])
        post.start()
        assert events(post, 4)[3]["data"]["corrects"] == during["search"] != after["search"]
        assert post.stop() == 0
        assert post.stand().last_sequence == 4
        assert len(list((post.state / "spool" / "record" / "processed").iterdir())) == 3
