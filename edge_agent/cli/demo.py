"""``edge-agent demo``: a checkpoint on this machine, from the scanner's folder to a subscriber."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from drivers.folder import FolderSettings
from edge_agent.cli.console import Exit, console, end_by_signals, errors
from edge_agent.config.loader import ConfigError, load
from edge_agent.config.models import Config
from edge_agent.daemon.journal import Journal, JournalDamagedError, Stand
from edge_agent.simulate.broker import EmbeddedBroker, EmbeddedBrokerError

if TYPE_CHECKING:
    from edge_agent.simulate.scanner import Scanner

SCANNER = "passport.page"
DRAIN_SECONDS = 30.0
END_SECONDS = 10.0
ENDINGS = {signal.SIGINT, signal.SIGTERM}
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Counts:
    """How far the pages came. All are the same when nothing is lost."""

    presented: int
    journalled: int
    published: int
    received: int


def demo(
    seconds: Annotated[float, typer.Option(min=0, help="Ends after so long; 0 goes on until Ctrl-C.")] = 0,
    config: Annotated[Path, typer.Option("--config", "-c", help="The checkpoint to play.")] = Path("config"),
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two travellers.")] = 2,
) -> None:
    """Play a checkpoint: scanner, agent, broker and a subscriber, each in a process of its own.

    Specimen pages of Utopia are written into the folder of the document scanner; the events are shown as they arrive
    at a subscriber. Nothing is left behind.

    Exit codes: 0 every page arrived, 1 not every page did or the configuration has mistakes, 3 the broker's port is
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
            counts = _play(checkpoint, config, Path(place), broker.port, seconds=seconds, every=every)
    except ConfigError as error:
        for mistake in error.mistakes:
            errors.print(str(mistake), markup=False)
        raise typer.Exit(Exit.FAILED) from None
    except EmbeddedBrokerError as error:
        errors.print(f"edge-agent demo: {error}")
        raise typer.Exit(Exit.UNREACHABLE) from None
    table = Table("presented", "journalled", "published", "received", title="Pages")
    table.add_row(*(str(getattr(counts, name)) for name in Counts.__slots__))
    console.print(table)
    if len({counts.presented, counts.journalled, counts.published, counts.received}) > 1:
        errors.print("edge-agent demo: not every page arrived")
        raise typer.Exit(Exit.FAILED)


def _play(checkpoint: Config, config: Path, state: Path, port: int, *, seconds: float, every: float) -> Counts:
    from edge_agent.simulate.scanner import Scanner  # noqa: PLC0415  (OpenCV, not needed for --help)

    scanners = (device.settings for device in checkpoint.devices if device.driver == SCANNER and device.enabled)
    settings = next(scanners, None)
    if not isinstance(settings, FolderSettings):
        errors.print(f"edge-agent demo: {config} has no device with the driver {SCANNER}")
        raise typer.Exit(Exit.FAILED)
    inbox, tally = state / settings.folder, state / "tally.json"
    inbox.mkdir(parents=True)
    scanner = Scanner(inbox)
    with _agent(config, state), _subscriber(port, tally):
        try:
            _present(scanner, seconds, every)
        except KeyboardInterrupt:
            console.print("Ending; waiting for what is under way.")
        _drain(state, scanner.presented)
        stand = _stand(state)
    counted = json.loads(tally.read_text()) if tally.exists() else {"received": 0, "duplicates": 0}
    return Counts(
        presented=scanner.presented,
        journalled=stand.last_sequence,
        published=stand.last_sequence - stand.undelivered,
        received=counted["received"] - counted["duplicates"],
    )


def _present(scanner: Scanner, seconds: float, every: float) -> None:
    until = time.monotonic() + (seconds or float("inf"))
    while time.monotonic() < until:
        due = time.monotonic() + every
        picture = scanner.picture()
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)  # a scanner does not stop in the middle of a page
        scanner.write(picture)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
        time.sleep(max(min(due, until) - time.monotonic(), 0))


def _drain(state: Path, presented: int) -> None:
    """Wait until every page that was presented has been delivered."""
    until = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < until:
        stand = _stand(state)
        if stand.last_sequence >= presented and not stand.undelivered:
            return
        time.sleep(0.1)


def _stand(state: Path) -> Stand:
    try:
        with Journal(state / "journal.db") as journal:
            return journal.stand()
    except (FileNotFoundError, JournalDamagedError):  # the agent is about to make it
        return Stand(0, 0, 0, 0, 0, 0)


@contextmanager
def _agent(config: Path, state: Path) -> Iterator[None]:
    log = state / "agent.log"
    with log.open("wb") as output:
        command = [sys.executable, "-P", "-m", "edge_agent.daemon", str(config)]
        environment = os.environ | {"STATE_DIRECTORY": str(state)}
        process = _start(command, env=environment, stderr=output)
    try:
        yield
    finally:
        _end(process, signal.SIGTERM)
        if process.returncode:
            errors.print(f"edge-agent demo: the agent ended with {process.returncode}:", log.read_text(), markup=False)


@contextmanager
def _subscriber(port: int, tally: Path) -> Iterator[None]:
    command = [
        sys.executable,
        "-P",
        "-m",
        "edge_agent",
        "watch",
        "--broker",
        f"127.0.0.1:{port}",
        "--tally",
        str(tally),
    ]
    process = _start(command)
    try:
        yield
    finally:
        time.sleep(0.5)  # the broker has acknowledged; the last message may still be on its way to here
        _end(process, signal.SIGINT)


def _start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a process that Ctrl-C does not reach, and that does not outlive this one, however it ends."""
    libc = ctypes.CDLL(None)
    return subprocess.Popen(
        command,
        start_new_session=True,
        preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM),  # noqa: PLW1509  (no threads here)
        **options,
    )


def _end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    process.send_signal(how)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
