"""``edge-agent demo``: a checkpoint on this machine, from its devices to a subscriber."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from edge_agent.cli.console import Exit, console, end_by_signals, errors
from edge_agent.config.loader import ConfigError, load
from edge_agent.config.models import Config
from edge_agent.daemon.journal import Journal, JournalDamagedError
from edge_agent.events.topics import device_of
from edge_agent.simulate.broker import EmbeddedBroker, EmbeddedBrokerError
from edge_agent.simulate.checkpoint import CONFIG, player
from edge_agent.simulate.device import SimulatedDevice
from edge_agent.simulate.process import end, start

DRAIN_SECONDS = 30.0
Players = dict[str, SimulatedDevice[Any]]
"""What plays each device, by the device's name."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the journal holds: events by device, and how many of all the broker has acknowledged."""

    events: Counter[str]
    published: int

    def lacks(self, players: Players) -> bool:
        """Whether something that was presented has not become an event yet."""
        return any(each.counted and self.events[name] < each.presented for name, each in players.items())

    def undelivered(self) -> bool:
        """Whether the broker still lacks something."""
        return self.published < self.events.total()


def demo(
    seconds: Annotated[float, typer.Option(min=0, help="Ends after so long; 0 goes on until Ctrl-C.")] = 0,
    config: Annotated[
        Path, typer.Option("--config", "-c", help="The checkpoint to play.", show_default=False)
    ] = CONFIG,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two travellers.")] = 2,
) -> None:
    """Play a checkpoint: simulated devices, agent, broker and a subscriber, each in a process of its own.

    Every device is emulated on its wire: files in a folder, bytes on a serial line, a stream over the network. The
    documents are specimens of Utopia. Events are shown as they arrive at a subscriber. Nothing is left behind.

    Exit codes: 0 everything arrived, 1 not everything did or the configuration has mistakes, 3 the broker's port is
    taken.

    Examples:

      edge-agent demo

      edge-agent demo --seconds 20 --every 0.5
    """
    end_by_signals()
    try:
        checkpoint = load(config)
        with (
            EmbeddedBroker(checkpoint.agent.broker.port, 0) as broker,
            tempfile.TemporaryDirectory(prefix="edge-agent-demo-") as place,
        ):
            arrived = _play(checkpoint, config, Path(place), broker.port, seconds=seconds, pace=every)
    except ConfigError as error:
        for mistake in error.mistakes:
            errors.print(str(mistake), markup=False)
        raise typer.Exit(Exit.FAILED) from None
    except EmbeddedBrokerError as error:
        errors.print(f"edge-agent demo: {error}")
        raise typer.Exit(Exit.UNREACHABLE) from None
    if not arrived:
        errors.print("edge-agent demo: not everything arrived")
        raise typer.Exit(Exit.FAILED)


def _play(checkpoint: Config, config: Path, place: Path, port: int, *, seconds: float, pace: float) -> bool:
    """Play until it is time to end; show how far everything came, and say whether all of it arrived."""
    own, state, tally = place / "config", place / "state", place / "tally.json"
    shutil.copytree(config, own, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    state.mkdir()
    players = {
        device.name: made(device.settings, state, pace)
        for device in checkpoint.devices
        if device.enabled and (made := player(device.driver)) is not None
    }
    with _subscriber(port, tally), _agent(own, state) as agent:
        ending = threading.Event()
        threads = [threading.Thread(target=each.play, args=(ending,), name=name) for name, each in players.items()]
        try:
            for thread in threads:
                thread.start()
            ending.wait(seconds or None)
        except KeyboardInterrupt:
            console.print("Ending; waiting for what is under way.")
        ending.set()
        for thread in threads:
            thread.join()
        _wait(state, lambda recorded: not recorded.lacks(players))
        shutil.rmtree(own / "devices")  # nothing is observed any more, and what was observed is delivered
        agent.send_signal(signal.SIGHUP)
        _wait(state, lambda recorded: not recorded.undelivered())
    recorded = _recorded(state)
    received = json.loads(tally.read_text()) if tally.exists() else {"received": 0, "duplicates": 0}
    return _account(players, recorded, received["received"] - received["duplicates"])


def _account(players: Players, recorded: Recorded, received: int) -> bool:
    """Show the counts: a line for each device, and all of them. They are the same when nothing is lost."""
    table = Table("", "presented", "journalled", "published", "received", title="Events")
    presented = recorded.events.total()
    for name in sorted(players.keys() | recorded.events.keys()):
        counted = name in players and players[name].counted
        if counted:
            presented += players[name].presented - recorded.events[name]
        table.add_row(name, str(players[name].presented) if counted else "", str(recorded.events[name]))
    counts = (presented, recorded.events.total(), recorded.published, received)
    table.add_section()
    table.add_row("all", *map(str, counts))
    console.print(table)
    return len(set(counts)) == 1 and not recorded.lacks(players)


def _wait(state: Path, done: Callable[[Recorded], bool]) -> None:
    until = time.monotonic() + DRAIN_SECONDS
    while not done(_recorded(state)) and time.monotonic() < until:
        time.sleep(0.1)


def _recorded(state: Path) -> Recorded:
    try:
        with Journal(state / "journal.db") as journal:
            events = Counter(device_of(row.topic) for row in journal.each(1))
            stand = journal.stand()
    except (FileNotFoundError, JournalDamagedError):  # the agent is about to make it
        return Recorded(Counter(), 0)
    return Recorded(events, events.total() - stand.undelivered)


@contextmanager
def _agent(config: Path, state: Path) -> Iterator[subprocess.Popen[bytes]]:
    log = state.with_name("agent.log")
    with log.open("wb") as output:
        command = [sys.executable, "-P", "-m", "edge_agent.daemon", str(config)]
        process = start(command, env=os.environ | {"STATE_DIRECTORY": str(state)}, stderr=output)
    try:
        yield process
    finally:
        end(process)
        if process.returncode:
            errors.print(f"edge-agent demo: the agent ended with {process.returncode}:", log.read_text(), markup=False)


@contextmanager
def _subscriber(port: int, tally: Path) -> Iterator[None]:
    watch = ["watch", "--broker", f"127.0.0.1:{port}", "--tally", str(tally)]
    process = start([sys.executable, "-P", "-m", "edge_agent", *watch])
    try:
        yield
    finally:
        time.sleep(0.5)  # the broker has acknowledged; the last message may still be on its way to here
        end(process, signal.SIGINT)
