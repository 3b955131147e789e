"""Contact the broker and each device once, for ``edge-agent check --probe``.

Each contact is made in a process of its own, all at the same time: a driver may hang where no Python gets through to
it, and a codec may crash; then only that one is told as not answering.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from edge_agent.config.models import AgentSettings, Config, DeviceSettings
from edge_agent.config.secrets import SecretError, Secrets
from edge_agent.daemon.mqtt import BrokerError, HungUpError, Link, UnsupportedProtocolError, speaks_only_311
from edge_agent.daemon.paths import state_directory
from edge_agent.daemon.preload import prepare_environment
from edge_agent.daemon.worker import describe
from edge_agent.driver import DriverError
from edge_agent.registry import find, make

BROKER = "broker"
LONGEST_CLIENT_ID = 64
_PR_SET_PDEATHSIG = 1

Contact = Callable[[], str]
"""Makes contact and says what was found; raises what went wrong."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of one contact.

    Attributes:
        name: of the device, or ``broker``.
        driver: its kind, or the broker's address.
        reachable: None if it was not tried, since the device is not enabled.
        result: what was found, or why not and what to do.
        seconds: how long it took.

    """

    name: str
    driver: str
    reachable: bool | None
    result: str
    seconds: float = 0.0


def probe(config: Config, directory: Path, limit: float) -> Iterator[Probe]:
    """Contact everything that is enabled, for at most ``limit`` seconds each; in the order of the configuration."""
    broker = config.agent.broker
    modules = sorted({find(device.driver).__module__ for device in config.devices if device.enabled})
    prepare_environment()
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([__name__, *modules])
    state, secrets = state_directory(config.agent).absolute(), Secrets(directory.absolute())
    contacts = [(BROKER, f"{broker.host}:{broker.port}", partial(_contact_broker, config.agent, secrets, limit))]
    contacts += [(d.name, d.driver, partial(_contact_device, d, state, secrets)) for d in config.devices if d.enabled]
    running = {}
    try:
        for name, driver, contact in contacts:
            here, there = server.Pipe(duplex=False)
            process = server.Process(target=_run, args=(contact, there), daemon=True)
            process.start()
            there.close()
            running[name] = _Running(name, driver, process, here, time.monotonic())
        yield running[BROKER].result(limit)
        for device in config.devices:
            if device.enabled:
                yield running[device.name].result(limit)
            else:
                yield Probe(device.name, device.driver, None, "not enabled")
    finally:
        for contact_made in running.values():
            contact_made.process.kill()


@dataclass(frozen=True, slots=True)
class _Running:
    name: str
    driver: str
    process: ForkServerProcess
    connection: Connection
    begun: float

    def result(self, limit: float) -> Probe:
        """Wait for the answer, and end the process if none comes."""
        wait([self.connection], max(0.0, self.begun + limit - time.monotonic()))
        if not self.connection.poll():
            self.process.kill()
            return Probe(self.name, self.driver, False, f"does not answer within {limit:g} s", limit)
        try:
            reachable, text, seconds = self.connection.recv()
        except EOFError:
            self.process.join()
            return Probe(self.name, self.driver, False, _ended(self.process.exitcode), time.monotonic() - self.begun)
        return Probe(self.name, self.driver, reachable, text, seconds)


def _ended(code: int | None) -> str:
    how = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
    return f"the driver crashed ({how}): tell whoever made it"


def _run(contact: Contact, connection: Connection) -> None:
    """Be the process of one contact."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core could hold somebody's passport
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what libraries print is no result
    begun = time.monotonic()
    try:
        answer = (True, contact())
    except Exception as error:
        answer = (False, _why(error))
    connection.send((*answer, time.monotonic() - begun))


def _why(error: Exception) -> str:
    match error:
        case DriverError() | BrokerError() | SecretError():
            return str(error)
        case OSError() if error.errno and error.filename:
            return f"{os.strerror(error.errno)}: {error.filename}"
        case OSError():
            return error.strerror or str(error)
        case _:
            return describe(error)


def _contact_device(device: DeviceSettings, state: Path, secrets: Secrets) -> str:
    try:
        os.chdir(state)  # where relative paths in device files start
    except PermissionError:
        raise DriverError(f"You may not enter {state}: be the agent's user, as with `sudo -u edge-agent`.") from None
    except OSError:
        raise DriverError(f"The state directory {state} is not there yet: start the agent once, or make it.") from None
    return make(device.name, device.driver, device.settings, secrets.text).probe()


def _contact_broker(agent: AgentSettings, secrets: Secrets, limit: float) -> str:
    own = agent.broker.client_id or f"edge-{agent.post.country}-{agent.post.bcp}"
    client_id = f"{own[: LONGEST_CLIENT_ID - 6]}-check"  # with its own, a running agent would lose its connection
    settings = agent.broker.model_copy(update={"timeout": max(1, min(agent.broker.timeout, int(limit) - 1))})
    protocol = "3.1.1" if settings.protocol == "3.1.1" else "5"
    begun = time.monotonic()
    try:
        Link(settings, secrets, client_id=client_id, protocol=protocol).close()
    except (HungUpError, UnsupportedProtocolError):
        if settings.protocol != "auto" or not speaks_only_311(settings, secrets, client_id):
            raise
        return "accepts this post, but speaks only MQTT 3.1.1, which cannot tell when it refuses an event"
    tls = " over TLS" if settings.tls is not None else ""
    return f"accepts this post with MQTT {protocol}{tls}, in {(time.monotonic() - begun) * 1000:.0f} ms"
