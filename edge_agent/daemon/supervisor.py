"""The supervisor: one process a device, started again when it ends, replaced when it hangs or takes too much memory."""

from __future__ import annotations

import logging
import multiprocessing
import random
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable
from ctypes import c_double
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess

from edge_agent.config.models import DeviceSettings
from edge_agent.config.secrets import Secrets
from edge_agent.daemon import worker
from edge_agent.daemon.intake import Intake
from edge_agent.daemon.preload import prepare_environment
from edge_agent.daemon.wire import Report, pair
from edge_agent.events.status import DeviceStatus, State
from edge_agent.events.topics import Post
from edge_agent.registry import find

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 600.0
"""Seconds before a device's process is started again: doubled at each failure, with jitter; never given up."""
FAILED_AFTER = 5
"""Failures in a row after which a device is called failed."""
SETTLED_SECONDS = 60.0
"""A process that ran so long has recovered: its failures are forgotten."""
GRACE_SECONDS = 3.0
"""Between the request to end and the kill."""
LAST_WORDS_SECONDS = 0.5
EXAMINE_SECONDS = 1.0
"""Between two looks at a process's memory."""


def context(modules: tuple[str, ...]) -> ForkServerContext:
    """The fork server from which workers come; it has imported and warmed ``modules`` before the first of them."""
    prepare_environment(modules)
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["edge_agent.daemon.preload"])
    return server


@dataclass(slots=True)
class Device:
    """What the supervisor knows of one device."""

    settings: DeviceSettings
    heartbeat: c_double
    deadline: float
    process: ForkServerProcess | None = None
    examined: float = 0.0
    started: float = 0.0
    ended: float = 0.0
    start_at: float = 0.0
    stop_by: float | None = None
    failures: int = 0
    restarts: int = 0
    state: State = State.STARTING
    reason: str = ""
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    last_words: str | None = None
    killed_for: str | None = None
    rejected: int = 0

    def status(self) -> DeviceStatus:
        """What is published of it."""
        return DeviceStatus(
            device=self.settings.name,
            driver=self.settings.driver,
            state=self.state,
            reason=self.reason,
            since=self.since,
            restarts=self.restarts,
        )


class Supervisor:
    """Keeps one process running for each device. All of it happens in the main thread, except ``report``.

    ``on_change`` is called whenever the status of a device is news.
    """

    def __init__(
        self,
        server: ForkServerContext,
        post: Post,
        intake: Intake,
        secrets: Secrets,
        on_change: Callable[[Device], None],
    ) -> None:
        self.devices: dict[str, Device] = {}
        self.tick = time.monotonic()
        self._server = server
        self._post = post
        self._intake = intake
        self._secrets = secrets
        self._on_change = on_change
        self._leaving: list[Device] = []
        self._reports: deque[tuple[str, Report]] = deque()

    def report(self, device: str, report: Report) -> None:
        """A worker said how its device is doing; may be called from any thread, ``turn`` takes it up."""
        self._reports.append((device, report))

    def apply(self, wanted: Iterable[DeviceSettings]) -> None:
        """Run these devices: start new ones, stop those that are gone, restart those whose settings changed."""
        settings = {device.name: device for device in wanted if device.enabled}
        for name, device in list(self.devices.items()):
            if settings.get(name) != device.settings:
                self._leave(self.devices.pop(name))
        for name, new in settings.items():
            if name not in self.devices:
                self.devices[name] = Device(new, self._server.RawValue("d"), deadline=find(new.driver).deadline)
                self._on_change(self.devices[name])

    def sentinels(self) -> list[int]:
        """What becomes readable when a process ends."""
        return [device.process.sentinel for device in self._all() if device.process is not None]

    def turn(self) -> None:
        """Start what is due, bury what has ended, replace what hangs or leaks."""
        while self._reports:
            self._take(*self._reports.popleft())
        now = time.monotonic()
        for device in self._all():
            if device.process is None:
                if now >= device.start_at and device not in self._leaving and not self._still_leaving(device):
                    self._start(device, now)
            elif not device.process.is_alive():
                self._bury(device, now)
            elif device.stop_by is not None:
                if now >= device.stop_by:
                    device.process.kill()
            else:
                self._examine(device, device.process, now)
        self._leaving = [device for device in self._leaving if device.process is not None]
        self.tick = time.monotonic()

    def stop(self) -> None:
        """End all processes, with grace, then without."""
        for device in list(self.devices.values()):
            self._leave(device)
        self.devices.clear()
        while self._leaving:
            wait(self.sentinels(), timeout=0.2)
            self.turn()

    def _all(self) -> list[Device]:
        return [*self.devices.values(), *self._leaving]

    def _still_leaving(self, device: Device) -> bool:
        return any(old.settings.name == device.settings.name for old in self._leaving)

    def _leave(self, device: Device) -> None:
        if device.process is not None:
            device.process.terminate()
            device.stop_by = time.monotonic() + GRACE_SECONDS
            self._leaving.append(device)
        self._change(device, State.OFFLINE, "Stopped.")

    def _start(self, device: Device, now: float) -> None:
        settings = device.settings
        ours, theirs = pair()
        device.heartbeat.value = device.started = now
        device.last_words = device.killed_for = None
        device.process = self._server.Process(
            target=worker.run,
            args=(settings, self._post.source(settings.name), theirs, device.heartbeat, self._secrets),
            name=settings.name,
            daemon=True,
        )
        try:
            device.process.start()
        except OSError as error:
            ours.close()
            device.process = None
            self._fail(device, now, f"its process cannot be started ({error.strerror})")
        else:
            self._intake.attach(settings.name, ours)
        finally:
            theirs.close()

    def _examine(self, device: Device, process: ForkServerProcess, now: float) -> None:
        """Kill a process that has not yielded within its deadline, or takes more memory than allowed."""
        if now - device.heartbeat.value > device.deadline:
            device.killed_for = f"did nothing for {device.deadline:g} seconds and was stopped"
        elif now - device.examined >= EXAMINE_SECONDS and process.pid is not None:
            device.examined = now
            used, allowed = worker.resident_bytes(process.pid), device.settings.memory
            if used > allowed:
                device.killed_for = (
                    f"took {used >> 20} MiB of memory, more than the {allowed >> 20} MiB of its device file,"
                    " and was stopped"
                )
        if device.killed_for is not None:
            process.kill()
        elif device.failures and now - device.started > SETTLED_SECONDS:
            device.failures = 0

    def _bury(self, device: Device, now: float) -> None:
        process = device.process
        if process is None:
            return
        code = process.exitcode or 0
        device.ended = device.ended or now
        if code == worker.EXIT_FAILED and device.last_words is None and now - device.ended < LAST_WORDS_SECONDS:
            return  # it said why, and the intake is about to hand that over
        device.process, device.ended = None, 0.0
        process.close()
        if device.stop_by is not None:
            return
        ending = f"crashed ({signal.Signals(-code).name})" if code < 0 else f"ended by itself (code {code})"
        self._fail(device, now, device.killed_for or device.last_words or ending)

    def _fail(self, device: Device, now: float, why: str) -> None:
        device.failures += 1
        device.restarts += 1
        pause = min(FIRST_PAUSE * 2 ** min(device.failures - 1, 20), LONGEST_PAUSE) * random.uniform(0.8, 1.2)
        device.start_at = now + pause
        state = State.FAILED if device.failures >= FAILED_AFTER else State.DEGRADED
        times = f" {device.failures} times in a row;" if device.failures > 1 else ""
        self._change(device, state, f"{why.rstrip('.')}.{times} Next try in {pause:.0f} s.")
        log.warning("device %s: %s", device.settings.name, device.reason)

    def _take(self, name: str, report: Report) -> None:
        device = self.devices.get(name)
        if device is None:
            return
        device.rejected += report.rejected
        if report.state is State.FAILED:
            device.last_words = report.reason
        else:
            self._change(device, report.state, report.reason)

    def _change(self, device: Device, state: State, reason: str) -> None:
        if (device.state, device.reason) != (state, reason):
            if device.state != state:
                device.since = datetime.now(UTC)
            device.state, device.reason = state, reason
            self._on_change(device)
