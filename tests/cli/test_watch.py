"""``edge-agent watch`` as a process of its own, against both brokers and a real agent."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from edge_agent.simulate.broker import EmbeddedBroker
from tests.brokers import Authority, Collector, Mosquitto, free_port
from tests.cli.test_stream import PASSPORT, event
from tests.e2e.post import Post, wait_until

COMMAND = [sys.executable, "-m", "edge_agent", "watch"]
TOPIC = "blo/v1/kz/kordai/lane-1/trial/load"


class Watch:
    """The command, running, and what it has printed so far."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._out, self._errors = folder / "out", folder / "errors"
        with self._out.open("wb") as out, self._errors.open("wb") as errors:
            env = {key: value for key, value in os.environ.items() if key != "EDGE_AGENT_CONFIG"}
            self.process = subprocess.Popen([*COMMAND, *words], stdout=out, stderr=errors, env=env)

    @property
    def text(self) -> str:
        return self._out.read_text()

    @property
    def errors(self) -> str:
        return self._errors.read_text()

    def lines(self) -> list[dict[str, Any]]:
        """What it has printed so far; the last line may be half written."""
        complete, _, _ = self.text.rpartition("\n")
        return [json.loads(line) for line in complete.splitlines()]

    def payloads(self, suffix: str) -> list[Any]:
        return [line["payload"] for line in self.lines() if line.get("topic", "").endswith(suffix)]

    def wait(self) -> int:
        return self.process.wait(20)

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        return self.wait()


READY = ("blo/v1/kz/kordai/lane-1/status", '{"state": "starting", "reason": "as a sign"}')
"""A retained message: whoever has seen it is subscribed."""


@contextmanager
def watching(folder: Path, port: int, *words: str, port_311: int | None = None) -> Iterator[tuple[Watch, Collector]]:
    """The command with a broker at which somebody else publishes, once it is subscribed."""
    watch = Watch(folder, "--broker", f"127.0.0.1:{port_311 or port}", *words)
    try:
        with Collector(port, "unused") as other:
            other.publish(*READY, retain=True)
            wait_until(lambda: "as a sign" in watch.text or watch.process.poll() is not None, 20, "a subscription")
            yield watch, other
    finally:
        if watch.process.poll() is None:
            watch.process.kill()
            watch.process.wait()


def test_every_message_is_a_line_and_the_summary_is_the_last(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    with watching(tmp_path, embedded_broker.port, "--json", "--count", "3") as (watch, other):
        for number in (1, 1, 2, 4):
            other.publish(TOPIC, event(number).decode())
        assert watch.wait() == 0
    *messages, last = watch.lines()
    events = [line for line in messages if line["topic"] == TOPIC]
    assert [line["payload"]["sequence"][-1] for line in events] == ["1", "1", "2", "4"]
    assert all(set(line) == {"topic", "received", "payload"} for line in messages)
    assert datetime.fromisoformat(events[0]["received"]).tzinfo is not None
    assert set(last) == {"summary"}
    told = last["summary"]
    assert (told["received"], told["duplicates"], told["gaps"], told["missing"]) == (4, 1, 1, 1)
    assert told["posts"]["kz/kordai"] == {"first": 1, "through": 2, "highest": 4, "missing": [[3, 3]]}


def test_without_a_terminal_each_event_is_a_line_without_personal_data(
    tmp_path: Path, embedded_broker: EmbeddedBroker
) -> None:
    with watching(tmp_path, embedded_broker.port) as (watch, other):
        other.publish("blo/v1/kz/kordai/lane-1/passport/read", event(7, **PASSPORT).decode())
        other.publish(TOPIC, event(9, data={"number": 9}, dataclassification="operational").decode())
        wait_until(lambda: "number=9" in watch.text, 10, "both events")
        assert watch.stop() == 0
    first, second = [line for line in watch.text.splitlines() if "lane-1  " in line and "as a sign" not in line]
    assert first.split()[1:] == ["kz/kordai", "lane-1", "passport.read.v1", "7", "P", "UTO", "doubtful"]
    assert second.endswith("9  number=9")
    assert "ERIKSSON" not in watch.text
    assert "2 events, 1 missing\nmissing of kz/kordai: 8\n" in watch.text


def test_full_shows_all_data(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    with watching(tmp_path, embedded_broker.port, "--full", "--count", "1") as (watch, other):
        other.publish("blo/v1/kz/kordai/lane-1/passport/read", event(7, **PASSPORT).decode())
        assert watch.wait() == 0
    assert "ERIKSSON" in watch.text


def test_a_terminal_shows_a_table_with_the_states_above(embedded_broker: EmbeddedBroker) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 110, 0, 0))
    command = [*COMMAND, "--broker", f"127.0.0.1:{embedded_broker.port}"]
    with Collector(embedded_broker.port, "unused") as other:
        running = subprocess.Popen(command, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"})
        os.close(theirs)
        other.publish("blo/v1/kz/kordai/agent/status", '{"state": "degraded", "reason": "Look at 2."}', retain=True)
        shown = read_until(ours, b"Look at 2.")
        other.publish("blo/v1/kz/kordai/lane-1/passport/read", event(7, **PASSPORT).decode())
        shown += read_until(ours, b"doubtful")
        running.send_signal(signal.SIGINT)
        shown += read_until(ours, None)
    assert running.wait(10) == 0
    os.close(ours)
    text = shown.decode()
    for part in ("degraded", "Look at 2.", "passport.read.v1", "P UTO", "1 events, none missing"):
        assert part in text, part
    assert "ERIKSSON" not in text


def read_until(terminal: int, wanted: bytes | None) -> bytes:
    """What appears on a terminal, up to these bytes or until the other side has gone."""
    shown = b""
    while wanted is None or wanted not in shown:
        try:
            shown += os.read(terminal, 65536)
        except OSError:
            assert wanted is None, shown.decode()
            break
    return shown


def test_only_one_post_and_one_device(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    words = ("--json", "--post", "kz/kordai", "--device", "lane-1", "--count", "2")
    with watching(tmp_path, embedded_broker.port, *words) as (watch, other):
        other.publish(TOPIC, event(1).decode())
        other.publish(TOPIC.replace("lane-1", "lane-2"), event(2).decode())
        other.publish(TOPIC.replace("kordai", "karasu"), event(1).decode())
        other.publish(TOPIC, event(3).decode())
        assert watch.wait() == 0
    *messages, last = watch.lines()
    assert [line["topic"] for line in messages] == [READY[0], TOPIC, TOPIC]
    assert last["summary"]["posts"]["kz/kordai"]["through"] == 3, "all numbers of the post are followed"
    assert set(last["summary"]["posts"]) == {"kz/kordai"}


def test_it_ends_after_so_many_seconds(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    with watching(tmp_path, embedded_broker.port, "--json", "--seconds", "1") as (watch, _):
        assert watch.wait() == 0
    assert 1 <= watch.lines()[-1]["summary"]["seconds"] < 2


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_its_summary(
    tmp_path: Path, embedded_broker: EmbeddedBroker, how: signal.Signals
) -> None:
    with watching(tmp_path, embedded_broker.port, "--json") as (watch, other):
        other.publish(TOPIC, event(1).decode())
        wait_until(lambda: watch.payloads("trial/load"), 10, "the event")
        assert watch.stop(how) == 0
    assert watch.lines()[-1]["summary"]["received"] == 1
    assert watch.errors == ""


def test_a_broker_of_mqtt_311_will_do(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    ports = embedded_broker.port, embedded_broker.port_311
    with watching(tmp_path, ports[0], "--json", "--count", "1", port_311=ports[1]) as (watch, other):
        other.publish(TOPIC, event(1).decode())
        assert watch.wait() == 0
    assert watch.lines()[-1]["summary"]["received"] == 1


def test_a_broker_that_is_not_there_ends_it_with_3(tmp_path: Path) -> None:
    port = free_port()
    watch = Watch(tmp_path, "--broker", f"127.0.0.1:{port}", "--json")
    assert watch.wait() == 3
    assert f"Nothing listens on 127.0.0.1:{port}" in watch.errors
    assert watch.text == ""


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--broker", "localhost"), "HOST:PORT"),
        (("--broker", "localhost:70000"), "HOST:PORT"),
        (("--post", "kordai"), "kz/kordai"),
        (("--device", "#"), "lane-1-passport"),
        (("--receipt", "Büro"), "blo-almaty"),
        (("--password-file", "p"), "--username"),
        (("--username", "u", "--password-file", "/does/not/exist"), "/does/not/exist"),
    ],
)
def test_wrong_arguments_are_explained(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    watch = Watch(tmp_path, *words)
    assert watch.wait() == 2
    assert why in watch.errors


def test_a_configuration_with_mistakes_is_said(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text("[post]\n")
    watch = Watch(tmp_path, "--config", str(tmp_path))
    assert watch.wait() == 1
    assert "agent.toml" in watch.errors


def test_a_reader_that_has_enough_is_no_mistake(embedded_broker: EmbeddedBroker) -> None:
    command = [*COMMAND, "--broker", f"127.0.0.1:{embedded_broker.port}", "--json"]
    with (
        Collector(embedded_broker.port, "unused") as other,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running,
    ):
        assert running.stdout is not None
        assert running.stderr is not None
        other.publish("blo/v1/kz/kordai/probe/status", '{"state": "ok"}', retain=True)
        running.stdout.readline()
        running.stdout.close()
        for number in range(1, 50):
            other.publish(TOPIC, event(number, data="x" * 1000).decode())
        assert running.wait(10) == 0
        assert running.stderr.read() == b""


@pytest.mark.e2e
def test_it_goes_on_when_the_broker_comes_back(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "broker", persistence=True).start()
    with watching(tmp_path, broker.port, "--json") as (watch, other):
        other.publish(TOPIC, event(1).decode())
        wait_until(lambda: len(watch.payloads("trial/load")) == 1, 10, "an event")
        broker.stop()
        time.sleep(2.5)
        broker.start()
        assert other.connected.wait(10)

        def published_again() -> bool:
            other.publish(TOPIC, event(2).decode())
            return len(watch.payloads("trial/load")) > 1

        wait_until(published_again, 15, "an event after that")
        assert watch.stop() == 0
    broker.stop()
    assert watch.errors == ""


@pytest.mark.e2e
def test_password_and_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    (tmp_path / "password").write_text("secret\n")
    with Mosquitto(tmp_path / "broker", users={"office": "secret"}, tls=authority) as broker:
        words = ("--broker", f"127.0.0.1:{broker.port}", "--ca", str(authority.certificate), "--seconds", "1")
        right = Watch(tmp_path, *words, "--username", "office", "--password-file", str(tmp_path / "password"))
        assert right.wait() == 0, right.errors
        nobody = Watch(tmp_path, *words)
        assert nobody.wait() == 3
        assert "Not authorized" in nobody.errors


@pytest.mark.e2e
def test_a_consumer_confirms_what_it_has_and_gets_what_it_missed(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with Post(tmp_path / "post", mosquitto.port, journal={"receipts": ["trial-office"]}) as post:
        post.device("lane-1", "trial.load", rate=20)
        words = ("--config", str(post.config), "--json", "--receipt", "trial-office")
        watch = Watch(tmp_path, *words)
        post.start()
        wait_until(lambda: len(watch.payloads("trial/load")) > 20, 30, "events")
        first = int(watch.payloads("trial/load")[0]["sequence"])
        watch.process.send_signal(signal.SIGSTOP)
        # the broker forgets the session of a subscriber that it takes for dead, and what comes meanwhile with it
        mosquitto.kill()
        time.sleep(2)
        mosquitto.start()
        reached = post.stand().last_sequence
        wait_until(lambda: post.stand().delivered_through > reached, 30, "the agent to have gone on without it")
        watch.process.send_signal(signal.SIGCONT)
        device = post.config / "devices/lane-1.toml"

        def unbroken() -> list[int]:
            numbers = sorted({int(each["sequence"]) for each in watch.payloads("trial/load")})
            return numbers if numbers == list(range(first, numbers[-1] + 1)) else []

        start = post.stand().last_sequence
        wait_until(lambda: (numbers := unbroken()) and numbers[-1] > start + 40, 40, "everything, after a replay")
        device.unlink()
        post.hang_up()
        last = wait_until(lambda: post.stand().undelivered == 0 and post.stand().last_sequence, 20, "the last event")

        def confirmed() -> int:
            with post.journal() as journal:
                return journal._receipts(["trial-office"])[0]

        wait_until(lambda: confirmed() == last, 20, f"a receipt for {last}")
        assert watch.stop() == 0
        assert post.stop() == 0
    told = watch.lines()[-1]["summary"]
    assert told["gaps"] >= 1
    assert told["filled"] >= 1
    assert told["replays"] >= 1
    assert told["missing"] == 0
