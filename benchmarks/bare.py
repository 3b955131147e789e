"""The peer: the least that makes an event durable and delivers it. One process, no isolation, no evidence, no status.

Eight threads that each wait until their event is durable, a writer that commits what has come together to SQLite
(WAL, FULL), and paho's own loop publishing with QoS 1 and a window of 20.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

WINDOW = 20


def sustained(folder: Path, port: int, *, producers: int, size: int, seconds: float) -> float:
    """Events a second that were durable and acknowledged by the broker."""
    body = b'{"padding":"' + b"x" * size + b'"}'
    waiting: queue.SimpleQueue[threading.Event] = queue.SimpleQueue()
    outgoing: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    window = threading.Semaphore(WINDOW)
    acknowledged = 0
    stop = threading.Event()

    def produce() -> None:
        while not stop.is_set():
            durable = threading.Event()
            waiting.put(durable)
            durable.wait()

    def write() -> None:
        db = sqlite3.connect(folder / "bare.db", isolation_level=None)
        db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE events (body BLOB)")
        while not stop.is_set():
            group = [waiting.get()]
            while not waiting.empty():
                group.append(waiting.get())
            db.execute("BEGIN")
            db.executemany("INSERT INTO events VALUES (?)", [(body,)] * len(group))
            db.execute("COMMIT")
            for durable in group:
                durable.set()
                outgoing.put(body)

    def on_publish(*_: Any) -> None:
        nonlocal acknowledged
        acknowledged += 1
        window.release()

    client = Client(CallbackAPIVersion.VERSION2, "bare", protocol=MQTTProtocolVersion.MQTTv5)
    client.max_inflight_messages_set(WINDOW)
    client.on_publish = on_publish
    client.connect("127.0.0.1", port)
    client.loop_start()

    def publish() -> None:
        while not stop.is_set():
            payload = outgoing.get()
            window.acquire()
            client.publish("blo/v1/bare/trial/load", payload, 1)

    for task in [produce] * producers + [write, publish]:
        threading.Thread(target=task, daemon=True).start()
    time.sleep(1.0)
    before, started = acknowledged, time.perf_counter()
    time.sleep(seconds)
    rate = (acknowledged - before) / (time.perf_counter() - started)
    stop.set()
    client.disconnect()
    client.loop_stop()
    return rate


def commits(folder: Path, *, group: int, size: int, seconds: float) -> float:
    """Rows a second that SQLite alone makes durable in groups: what the disk allows."""
    db = sqlite3.connect(folder / "commits.db", isolation_level=None)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE events (body BLOB)")
    rows, body, until = 0, b"x" * size, time.perf_counter() + seconds
    while time.perf_counter() < until:
        db.execute("BEGIN")
        db.executemany("INSERT INTO events VALUES (?)", [(body,)] * group)
        db.execute("COMMIT")
        rows += group
    db.close()
    return rows / seconds
