"""The process of one device: runs its driver, encodes what it observes, and tells the device once that is durable."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import resource
import signal
import socket
import time
import traceback
from collections.abc import Generator, Iterator
from ctypes import c_double
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from edge_agent.config.secrets import SecretError, Secrets
from edge_agent.daemon.wire import ACKNOWLEDGED, MAX_EVIDENCE, Blob, Observed, Report, send_observed, send_report
from edge_agent.driver import Driver, DriverError, Evidence, Observation
from edge_agent.events.device import InputRejected
from edge_agent.events.envelope import encode, uuid7
from edge_agent.events.evidence import EvidenceReference, sha256
from edge_agent.events.status import State
from edge_agent.registry import make

if TYPE_CHECKING:
    from edge_agent.config.models import DeviceSettings

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
NOT_WAITED_FOR = float("inf")
"""Heartbeat while the worker waits for the journal: that is the agent's time, not the device's."""
EXIT_FAILED = 1
BURST_SECONDS = 2.0
SLOWED_SECONDS = 10.0
"""How long a device that flooded is still called degraded."""
SPARE = 8 << 20
"""Bytes that a worker may keep for its next observation."""


class Stopped(Exception):  # noqa: N818  (not an error)
    """The supervisor wants this process to end, or is gone."""


def run(device: DeviceSettings, source: str, sock: socket.socket, heartbeat: c_double, secrets: Secrets) -> None:
    """Run a device until told to stop. The entry point of the process.

    ``heartbeat`` holds the CLOCK_MONOTONIC time of the driver's last yield, or ``NOT_WAITED_FOR``.
    ``secrets`` says where they are: they are read in here, and in no other process.
    """
    _confine(device)
    worker = Worker(device, source, sock, heartbeat)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, worker.stop)
    try:
        worker.serve(make(device.name, device.driver, device.settings, secrets.text))
    except (Stopped, BrokenPipeError, ConnectionResetError):
        return
    except BaseException as error:
        worker.fail(error)
        os._exit(EXIT_FAILED)


def _confine(device: DeviceSettings) -> None:
    """Die with the parent, never dump a core that holds somebody's passport, never take more memory than allowed."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(_PR_SET_NAME, device.name.encode()[:15])  # what `top` shows
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    taken = resident_bytes(os.getpid())
    resource.setrlimit(resource.RLIMIT_DATA, (taken + 2 * device.memory, resource.RLIM_INFINITY))


def resident_bytes(pid: int) -> int:
    """Memory of a process that it shares with nobody's file, in bytes (anonymous resident pages; proc(5), status)."""
    with open(f"/proc/{pid}/status", "rb") as status:  # noqa: PTH123  (a quarter of Path's time, once a second for each worker)
        for line in status:
            if line.startswith(b"RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


class Worker:
    """Between one driver and the main process."""

    def __init__(self, device: DeviceSettings, source: str, sock: socket.socket, heartbeat: c_double) -> None:
        self._device = device
        self._source = source
        self._sock = sock
        self._heartbeat = heartbeat
        self._stopping = False
        self._state: Report | None = None
        self._rejected = 0
        self._allowance = device.max_rate * BURST_SECONDS
        self._refilled = time.monotonic()
        self._slowed_until = 0.0
        self._libc = ctypes.CDLL(None)
        self._taken = resident_bytes(os.getpid())

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """End at the driver's next yield."""
        self._stopping = True

    def serve(self, driver: Driver[Any]) -> None:
        """Pass on what the driver observes until it raises or the process is to end.

        Raises:
            Stopped: told to stop.
            Exception: what the driver raised.

        """
        self._beat()
        observations = driver.observe()
        busy = False
        try:
            for observation in observations:
                self._beat()
                if self._stopping or self._abandoned():
                    raise Stopped
                if time.monotonic() >= self._slowed_until:
                    self._report(State.DEGRADED if driver.trouble else State.OK, driver.trouble)
                if observation is not None:
                    self._pass_on(observation)
                elif busy:
                    self._give_back()
                busy = observation is not None
                del observation  # or its picture would be in memory until there is another
        finally:
            if isinstance(observations, Generator):
                observations.close()
        raise DriverError("The driver ended by itself.")

    def fail(self, error: BaseException) -> None:
        """Say why this process ends, without quoting what a device said."""
        try:
            send_report(self._sock, Report(State.FAILED, describe(error), self._rejected))
        except OSError:
            return

    def _abandoned(self) -> bool:
        """Whether the agent has gone: the process that forked us, whose end would be ours, lives as long as we do."""
        try:
            return self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False

    def _beat(self) -> None:
        self._heartbeat.value = time.monotonic()

    def _report(self, state: State, reason: str = "") -> None:
        if self._state is None or (self._state.state, self._state.reason) != (state, reason):
            self._state = Report(state, reason, self._rejected)
            self._rejected = 0
            send_report(self._sock, self._state)

    def _pass_on(self, observation: Observation) -> None:
        frame = self._frame(observation)
        self._heartbeat.value = NOT_WAITED_FOR
        self._throttle()
        send_observed(self._sock, frame)
        if self._sock.recv(1) != ACKNOWLEDGED:
            raise Stopped
        self._beat()
        if observation.acknowledge is not None:
            observation.acknowledge()

    def _give_back(self) -> None:
        """Return to the system what a large picture took: the C library would keep it, and as much again."""
        if resident_bytes(os.getpid()) > self._taken + SPARE:
            self._libc.malloc_trim(0)

    def _throttle(self) -> None:
        """Let a device that floods wait, so that neither the disk nor the link is its alone."""
        while True:
            now = time.monotonic()
            self._allowance += (now - self._refilled) * self._device.max_rate
            self._allowance = min(self._allowance, self._device.max_rate * BURST_SECONDS)
            self._refilled = now
            if self._allowance >= 1:
                self._allowance -= 1
                return
            self._slowed_until = now + SLOWED_SECONDS
            self._report(
                State.DEGRADED, f"Sends more than {self._device.max_rate:g} events a second and is slowed down."
            )
            if self._stopping:
                raise Stopped
            time.sleep(min((1 - self._allowance) / self._device.max_rate, 0.5))

    def _frame(self, observation: Observation) -> Observed:
        references: list[EvidenceReference] = []
        blobs: list[Blob] = []
        for evidence in observation.evidence:
            for role, media_type, body, sent in _selected(evidence, self._device.evidence):
                name = sha256(body)
                references.append(
                    EvidenceReference(role=role, sha256=name, media_type=media_type, size=len(body), sent=sent)
                )
                if sent:
                    blobs.append(Blob(name, media_type, body))
        data = observation.data
        if isinstance(data, InputRejected):
            self._rejected += 1
        return Observed(
            suffix=f"{data.family}/{data.event}",
            encoded=encode(
                data,
                event_id=str(uuid7()),
                source=self._source,
                observed=observation.observed,
                evidence=json.dumps([reference.model_dump() for reference in references]) if references else "",
            ),
            key=self._key(observation.key),
            blobs=tuple(blobs),
        )

    def _key(self, key: str | None) -> bytes | None:
        return None if key is None else hashlib.sha256(f"{self._device.name}\0{key}".encode()).digest()[:16]


def _selected(evidence: Evidence, wanted: str) -> Iterator[tuple[str, str, bytes, bool]]:
    """What an event refers to, as (role, media type, bytes, whether they are published)."""
    everything = wanted == "all" and len(evidence.data) <= MAX_EVIDENCE
    yield evidence.role, evidence.media_type, evidence.data, everything
    if wanted != "none" and not everything and evidence.thumbnail is not None:
        yield f"{evidence.role}-thumbnail", "image/jpeg", evidence.thumbnail(), True


def describe(error: BaseException) -> str:
    """An exception in words without anything personal: a ``DriverError`` as it is, others by type and place only."""
    if isinstance(error, DriverError | SecretError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    detail = f" ({os.strerror(error.errno)})" if isinstance(error, OSError) and error.errno else ""
    if isinstance(error, MemoryError):
        return f"It needed more memory than its device file allows{place}."
    return f"{type(error).__name__}{detail}{place}"
