"""SIGHUP: what changed is applied, what did not change is left alone, and a mistake changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent.simulate.broker import EmbeddedBroker
from tests.brokers import Collector
from tests.e2e.post import Post, wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture
def office(embedded_broker: EmbeddedBroker) -> Iterator[Collector]:
    with Collector(embedded_broker.port, "blo/v1/#") as office:
        yield office


@pytest.fixture
def post(tmp_path: Path, embedded_broker: EmbeddedBroker, office: Collector) -> Iterator[Post]:
    with Post(tmp_path / "post", embedded_broker.port) as post:
        post.device("lane-1", "trial.load", rate=50, size=10)
        post.device("lane-2", "trial.load", rate=50, size=10)
        post.start()
        wait_until(lambda: office.on("/lane-1/trial/load") and office.on("/lane-2/trial/load"), 20, "events")
        yield post


def newest(office: Collector, suffix: str) -> dict[str, Any]:
    messages = office.on(suffix)
    return json.loads(messages[-1].payload) if messages else {}


def test_only_the_device_whose_file_changed_is_started_again(post: Post, office: Collector) -> None:
    before = post.workers()
    post.device("lane-2", "trial.load", rate=50, size=77)
    post.hang_up()
    wait_until(lambda: len(newest(office, "/lane-2/trial/load")["data"]["padding"]) == 77, 10, "the new setting")
    after = post.workers()
    assert after["lane-1"] == before["lane-1"]
    assert after["lane-2"] != before["lane-2"]
    assert newest(office, "/agent/status")["state"] == "ok"
    assert post.stop() == 0
    numbers = [json.loads(message.payload)["data"]["number"] for message in office.on("/lane-1/trial/load")]
    assert numbers == list(range(1, len(numbers) + 1))


def test_devices_come_and_go(post: Post, office: Collector) -> None:
    (post.config / "devices" / "lane-2.toml").unlink()
    post.device("lane-3", "trial.load", rate=50)
    post.hang_up()
    wait_until(lambda: office.on("/lane-3/trial/load"), 10, "the new device")
    wait_until(lambda: newest(office, "/lane-2/status")["state"] == "offline", 10, "the old one's goodbye")
    wait_until(lambda: "lane-2" not in post.workers(), 10, "its process to end")
    devices = [device["device"] for device in newest(office, "/agent/birth")["devices"]]
    assert devices == ["lane-1", "lane-3"]
    assert post.stop() == 0


def test_a_mistake_is_told_and_everything_runs_on_as_before(post: Post, office: Collector) -> None:
    before = post.workers()
    broken = post.config / "devices" / "lane-2.toml"
    right = broken.read_text()
    broken.write_text(right.replace("rate = 50", "rate = -50\nsizze = 3"))
    post.device("lane-3", "trial.load")
    post.hang_up()
    wait_until(lambda: "mistakes" in newest(office, "/agent/status")["reason"], 10, "a status about it")
    assert newest(office, "/agent/status")["state"] == "degraded"
    log = post.log.read_text()
    assert "lane-2.toml:" in log
    assert "sizze" in log
    assert post.workers() == before
    count = len(office.on("/trial/load"))
    wait_until(lambda: len(office.on("/trial/load")) > count + 20, 10, "events as before")
    broken.write_text(right)
    post.hang_up()
    wait_until(lambda: newest(office, "/agent/status")["state"] == "ok", 10, "all well again")
    wait_until(lambda: office.on("/lane-3/trial/load"), 10, "the new device")
    assert post.stop() == 0


def test_another_broker_is_moved_to_and_nothing_is_lost(post: Post, office: Collector, tmp_path: Path) -> None:
    with EmbeddedBroker(port=0) as other, Collector(other.port, "blo/v1/#") as elsewhere:
        post.configure(other.port)
        post.hang_up()
        wait_until(lambda: elsewhere.on("/trial/load"), 15, "events at the other broker")
        wait_until(lambda: elsewhere.on("/agent/birth") and elsewhere.on("/lane-1/status"), 10, "what is retained")
        assert post.stop() == 0
        sequences = {
            int(json.loads(m.payload)["sequence"]) for who in (office, elsewhere) for m in who.on("/trial/load")
        }
        assert sequences == set(range(1, max(sequences) + 1))
