"""One device's trouble stays its own: drivers that crash, hang, leak, flood or cannot start, beside one that works."""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent.simulate.broker import EmbeddedBroker
from tests.brokers import Collector
from tests.e2e.post import Post, wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture
def post(tmp_path: Path, embedded_broker: EmbeddedBroker) -> Iterator[Post]:
    with Post(tmp_path / "post", embedded_broker.port) as post:
        post.device("good", "trial.load", rate=100, size=200)
        yield post


@pytest.fixture
def office(embedded_broker: EmbeddedBroker) -> Iterator[Collector]:
    with Collector(embedded_broker.port, "blo/v1/#") as office:
        yield office


def statuses(office: Collector, device: str) -> list[dict[str, Any]]:
    return [json.loads(message.payload) for message in office.on(f"/{device}/status")]


def latencies(office: Collector, first: int = 0) -> list[float]:
    """From the good driver's yield to the moment the event was journalled and published, as a subscriber sees it."""
    events = [json.loads(message.payload) for message in office.on("/good/trial/load")[first:]]
    times = [message.timestamp for message in office.on("/good/trial/load")[first:]]
    return [at - event["data"]["sent"] for event, at in zip(events, times, strict=False)]


BAD = {
    "trial.segfault": ("crashed (SIGSEGV)", {}),
    "trial.hang": ("did nothing for 2 seconds and was stopped", {}),
    "trial.leak": ("of memory, more than the 64 MiB of its device file", {"memory": "64 MiB"}),
    "trial.raise": ("The cable is not plugged in: plug it in.", {}),
}


@pytest.mark.parametrize("kind", BAD)
def test_the_culprit_is_named_and_the_others_do_not_notice(post: Post, office: Collector, kind: str) -> None:
    said, keys = BAD[kind]
    settings = {"heal": str(post.folder / "heal")} if kind == "trial.raise" else {}
    post.start()
    wait_until(lambda: len(office.on("/good/trial/load")) > 200, 20, "the good device alone")
    alone = latencies(office, 50)
    post.device("bad", kind, keys=keys, **settings)
    post.hang_up()
    failed = wait_until(
        lambda: [status for status in statuses(office, "bad") if said in status["reason"]], 30, f"a status with: {said}"
    )
    assert failed[0]["state"] == "degraded"
    assert "Next try in" in failed[0]["reason"]
    wait_until(lambda: any(status["restarts"] >= 2 for status in statuses(office, "bad")), 30, "a second failure")
    together = latencies(office)[-200:]
    assert {status["state"] for status in statuses(office, "good")} == {"starting", "ok"}
    assert post.stop() == 0
    numbers = [json.loads(message.payload)["data"]["number"] for message in office.on("/good/trial/load")]
    assert numbers == list(range(1, len(numbers) + 1)), "the good device was disturbed"
    assert statistics.median(together) < max(3 * statistics.median(alone), 0.02)


def test_backoff_grows_then_failed_then_well_again(post: Post, office: Collector) -> None:
    heal = post.folder / "heal"
    post.device("bad", "trial.raise", heal=str(heal))
    post.start()
    seen = wait_until(
        lambda: [status for status in statuses(office, "bad") if status["state"] == "failed"], 60, "the state failed"
    )
    pauses = [
        int(status["reason"].split("Next try in ")[1].split(" ")[0])
        for status in statuses(office, "bad")
        if "Next try in" in status["reason"]
    ]
    assert pauses == sorted(pauses)
    assert pauses[-1] >= 8 * max(pauses[0], 1)
    assert "5 times in a row" in seen[0]["reason"]
    agent = json.loads(office.on("/agent/status")[-1].payload)
    assert (agent["state"], agent["reason"]) == ("degraded", "Look at bad.")
    heal.touch()
    wait_until(lambda: statuses(office, "bad")[-1]["state"] == "ok", 40, "recovery")
    wait_until(lambda: json.loads(office.on("/agent/status")[-1].payload)["state"] == "ok", 10, "the agent well again")
    assert post.stop() == 0


def test_a_flood_is_slowed_and_called_so(post: Post, office: Collector) -> None:
    post.device("bad", "trial.flood", keys={"max_rate": 50})
    post.start()
    wait_until(
        lambda: any("more than 50 events a second" in status["reason"] for status in statuses(office, "bad")),
        20,
        "a status about the flood",
    )
    before, start = len(office.on("/bad/device/rejected")), time.monotonic()
    time.sleep(4)
    rate = (len(office.on("/bad/device/rejected")) - before) / (time.monotonic() - start)
    assert rate == pytest.approx(50, rel=0.25)
    assert statistics.median(latencies(office)[-200:]) < 0.05
    assert post.stop() == 0


def test_a_worker_is_ready_soon_and_small(post: Post, office: Collector) -> None:
    post.start()
    wait_until(lambda: len(office.on("/good/trial/load")) > 10, 20, "the agent up")
    started = time.monotonic()
    post.device("more", "trial.load", rate=1000)
    post.hang_up()
    wait_until(lambda: office.on("/more/trial/load"), 10, "the new device's first event")
    took = time.monotonic() - started
    own = private_bytes(post.workers()["more"])
    print(f"first event of a new worker {took * 1000:.0f} ms after SIGHUP, {own / 2**20:.1f} MiB of its own")
    assert took < 0.5, "SIGHUP, reading the configuration, forking, first event, at a subscriber"
    assert own < 15 * 2**20
    assert post.stop() == 0


def private_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty"))) * 1024


def test_a_secret_is_read_where_it_is_used_and_stands_nowhere_else(post: Post, office: Collector) -> None:
    folder = post.config / "secrets"
    folder.mkdir()

    def keep(text: str) -> str:
        (folder / "gate.new").write_text(f"{text}\n")
        (folder / "gate.new").chmod(0o600)
        (folder / "gate.new").rename(folder / "gate")
        return hashlib.sha256(text.encode()).hexdigest()

    def seen() -> set[str]:
        return {json.loads(message.payload)["data"]["sha256"] for message in office.on("/gate/device/rejected")}

    old = keep("open sesame")
    post.device("gate", "trial.locked", password="gate")
    post.start()
    wait_until(lambda: old in seen(), 20, "the secret at the driver")
    new = keep("close sesame")
    wait_until(lambda: new in seen(), 20, "the changed secret at the driver")
    for pid in post.workers().values():
        assert b"sesame" not in Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
    (folder / "gate").unlink()
    wait_until(lambda: "the secret gate is missing" in statuses(office, "gate")[-1]["reason"], 20, "the reason")
    everything = [post.log, *(path for path in post.state.rglob("*") if path.is_file())]
    assert not [path for path in everything if b"sesame" in path.read_bytes()]
