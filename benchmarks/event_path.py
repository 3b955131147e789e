"""The event path: how fast, how soon and how large, against a bare prototype on the same disk and broker.

python -m benchmarks.event_path            # everything, about four minutes
python -m benchmarks.event_path --only latency --json
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import bare
from drivers.trial.load import TrialLoad
from edge_agent.daemon.journal import Entry
from edge_agent.daemon.salvage import open_journal
from edge_agent.events.envelope import encode, uuid7
from tests.brokers import Collector, Mosquitto
from tests.e2e.post import Post, wait_until

SIZE = 600
"""Bytes of padding: the whole event then has 1 kB."""
DEVICES = 8
Figures = dict[str, float]

SLOW_FSYNC = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
#define SLOW(name) int name(int fd) { \\
    static int (*real)(int); if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, #name); \\
    usleep(10000); return real(fd); }
SLOW(fsync)
SLOW(fdatasync)
"""


@contextmanager
def post_with(folder: Path, port: int, *, devices: int = DEVICES, rate: float = 100_000) -> Iterator[Post]:
    """A post with so many devices that yield as fast as they are let."""
    with Post(folder, port, journal={"reserve_bytes": 0}) as post:
        for number in range(devices):
            post.device(f"lane-{number}", "trial.load", keys={"max_rate": 1e6}, rate=rate, size=SIZE)
        yield post


def rate_of(count: Callable[[], int], seconds: float) -> float:
    """Events a second over some seconds."""
    before, started = count(), time.perf_counter()
    time.sleep(seconds)
    return (count() - before) / (time.perf_counter() - started)


def sustained(folder: Path, seconds: float) -> Figures:
    """8 workers, durable and acknowledged by the broker; ours and the peer in turns, medians."""
    ours, peer, disk = [], [], []
    for turn in range(3):
        with Mosquitto(folder / f"broker-{turn}") as broker:
            with post_with(folder / f"post-{turn}", broker.port) as post:
                post.start()
                wait_until(lambda: post.stand().delivered_through > 2000, 30, "a running start")
                ours.append(rate_of(lambda: post.stand().delivered_through, seconds))
                post.stop()
            peer.append(bare.sustained(folder / f"post-{turn}", broker.port, producers=8, size=SIZE, seconds=seconds))
            disk.append(bare.commits(folder / f"post-{turn}", group=DEVICES, size=1000, seconds=1))
    return {
        "events/s": statistics.median(ours),
        "bare prototype events/s": statistics.median(peer),
        "ours / bare": statistics.median(ours) / statistics.median(peer),
        "SQLite alone, groups of 8, rows/s": statistics.median(disk),
    }


def backlog(folder: Path, count: int = 50_000) -> Figures:
    """A backlog is delivered while nothing new arrives."""
    with Mosquitto(folder / "broker") as broker, post_with(folder / "post", broker.port, devices=0) as post:
        fill(post.state / "journal.db", count)
        post.start()
        wait_until(lambda: post.stand().delivered_through > 0, 30, "the first delivery")
        before, started = post.stand().delivered_through, time.perf_counter()
        wait_until(lambda: post.stand().undelivered == 0, 60, "an empty backlog")
        rate = (count - before) / (time.perf_counter() - started)
        post.stop()
    return {"events/s": rate}


def slow_disk(folder: Path, seconds: float) -> Figures:
    """8 workers on a disk whose fsync takes 10 ms, and what became of what was acknowledged."""
    source, shim = folder / "slow.c", folder / "slow.so"
    source.write_text(SLOW_FSYNC)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    with Mosquitto(folder / "broker") as broker, Collector(broker.port, "blo/v1/#") as office:
        with post_with(folder / "post", broker.port) as post:
            memories = [folder / f"memory-{number}" for number in range(DEVICES)]
            for number, memory in enumerate(memories):
                post.device(
                    f"lane-{number}", "trial.load", keys={"max_rate": 1e6}, rate=100_000, size=SIZE, memory=memory
                )
            post.start(LD_PRELOAD=str(shim))
            wait_until(lambda: post.stand().delivered_through > 100, 30, "a running start")
            rate = rate_of(lambda: post.stand().delivered_through, seconds)
            post.kill()
            post.start()
            wait_until(lambda: post.stand().last_sequence and not post.stand().undelivered, 30, "the rest")
            post.stop()
        held = {(e["source"], e["data"]["number"]) for e in map(json.loads, (m.payload for m in office.on("/load")))}
    lost = sum(
        (f"/blo/kz/kordai/lane-{number}", int(line)) not in held
        for number, memory in enumerate(memories)
        for line in memory.read_text().split()
    )
    return {"events/s": rate, "acknowledged and lost": lost}


def latency(folder: Path, seconds: float) -> Figures:
    """From the yield in the driver to the subscriber, in milliseconds, at 10 events a second."""
    with Mosquitto(folder / "broker") as broker, Collector(broker.port, "blo/v1/#") as office:
        with post_with(folder / "post", broker.port, devices=1, rate=10) as post:
            post.start()
            wait_until(lambda: len(office.on("/load")) > 5, 30, "a running start")
            time.sleep(seconds)
            post.stop()
        took = sorted(
            (message.timestamp - json.loads(message.payload)["data"]["sent"]) * 1000
            for message in office.on("/load")[5:]
        )
    return {"median ms": statistics.median(took), "p99 ms": took[int(len(took) * 0.99)], "events": len(took)}


def memory(folder: Path, count: int = 1_000_000) -> Figures:
    """Resident memory of the main process with a backlog of a million, before and while it is delivered, in MB."""
    broker = Mosquitto(folder / "broker")
    with post_with(folder / "post", broker.port, devices=3, rate=1) as post:
        fill(post.state / "journal.db", count)
        started = time.perf_counter()
        post.start()
        wait_until(lambda: post.stand().last_sequence > count, 60, "new events beside the backlog")
        start = time.perf_counter() - started
        time.sleep(5)
        waiting = resident(post.pid)
        broker.start()
        wait_until(lambda: post.stand().delivered_through > 50_000, 120, "delivery")
        delivering = resident(post.pid)
        post.stop()
    broker.stop()
    return {"MB waiting": waiting, "MB delivering": delivering, "first new event after s": start}


def idle(folder: Path, seconds: float) -> Figures:
    """Processor time of the whole agent with three devices that see nothing, in per cent of one core."""
    with Mosquitto(folder / "broker") as broker, post_with(folder / "post", broker.port, devices=0) as post:
        for number in range(3):
            post.device(f"lane-{number}", "passport.page", folder=f"inbox/{number}")
        post.start()
        wait_until(lambda: len(post.workers()) >= 4, 30, "the devices")
        time.sleep(10)
        before = processor_seconds(post)
        time.sleep(seconds)
        used = processor_seconds(post) - before
        size = resident(post.pid)
        post.stop()
    return {"% of one core": 100 * used / seconds, "MB main process": size}


def fill(journal: Path, count: int) -> None:
    """A journal with events that nobody has delivered."""
    data = TrialLoad(number=1, sent=0, padding="x" * SIZE)
    encoded = encode(data, event_id=str(uuid7()), source="/blo/kz/kordai/lane-0", observed=datetime.now(UTC))
    opened, _ = open_journal(journal)
    for _ in range(0, count, 1000):
        opened.append([Entry("blo/v1/kz/kordai/lane-0/trial/load", encoded)] * 1000)
    opened.close()


def resident(pid: int) -> float:
    """Resident memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS"))


def processor_seconds(post: Post) -> float:
    """What all processes of an agent have used."""
    ticks = 0
    for pid in post.workers().values():
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


SCENARIOS: dict[str, Callable[[Path, float], Figures]] = {
    "sustained": sustained,
    "backlog": lambda folder, _: backlog(folder),
    "slow disk": slow_disk,
    "latency": lambda folder, seconds: latency(folder, 4 * seconds),
    "memory": lambda folder, _: memory(folder),
    "idle": lambda folder, seconds: idle(folder, 4 * seconds),
}


def main(
    only: Annotated[list[str] | None, typer.Option(help=f"One of: {', '.join(SCENARIOS)}.")] = None,
    seconds: Annotated[float, typer.Option(help="Length of each measurement.")] = 5,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure the event path."""
    table = Table("scenario", "figure", "value")
    for name in only or SCENARIOS:
        folder = Path(tempfile.mkdtemp(prefix="event-path-"))
        try:
            figures = SCENARIOS[name](folder, seconds)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if as_json:
            print(json.dumps({"scenario": name, **figures}), flush=True)
        for figure, value in figures.items():
            table.add_row(name, figure, f"{value:,.1f}")
    if not as_json:
        Console().print(table)


if __name__ == "__main__":
    typer.run(main)
