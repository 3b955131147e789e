"""Drivers that go wrong in every way a device driver can: a third party's package, found by its entry points."""

from __future__ import annotations

import ctypes
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from edge_agent.driver import CredentialName, Driver, DriverError, DriverSettings, Observation
from edge_agent.events.device import InputRejected

SEEN = InputRejected(reason="trial", message="seen")


class Segfault(Driver[DriverSettings]):
    kind = "trial.segfault"
    Settings = DriverSettings

    def observe(self) -> Iterator[Observation | None]:
        yield Observation(SEEN)
        ctypes.string_at(0)


class Hang(Driver[DriverSettings]):
    """Sleeps in C without releasing the interpreter's lock: no signal handler of Python runs either."""

    kind = "trial.hang"
    Settings = DriverSettings
    deadline = 2.0

    def observe(self) -> Iterator[Observation | None]:
        yield Observation(SEEN)
        ctypes.PyDLL(None).sleep(1000)


class Leak(Driver[DriverSettings]):
    kind = "trial.leak"
    Settings = DriverSettings

    def observe(self) -> Iterator[Observation | None]:
        hoard = []
        while True:
            hoard.append(os.urandom(1024 * 1024))
            time.sleep(0.02)
            yield None


class Flood(Driver[DriverSettings]):
    kind = "trial.flood"
    Settings = DriverSettings

    def observe(self) -> Iterator[Observation | None]:
        while True:
            yield Observation(SEEN)


class RaiseSettings(DriverSettings):
    """Fails at each start until the file ``heal`` exists."""

    heal: str


class Raise(Driver[RaiseSettings]):
    kind = "trial.raise"
    Settings = RaiseSettings

    def observe(self) -> Iterator[Observation | None]:
        while not Path(self.settings.heal).exists():
            raise DriverError("The cable is not plugged in: plug it in.")
        while True:
            time.sleep(0.2)
            yield None


class LockedSettings(DriverSettings):
    password: CredentialName


class Locked(Driver[LockedSettings]):
    """Goes on with each password that its file holds, and then says what it was, but not to anybody who can read."""

    kind = "trial.locked"
    Settings = LockedSettings

    def observe(self) -> Iterator[Observation | None]:
        while True:
            digest = hashlib.sha256(self.secret(self.settings.password).encode()).hexdigest()
            yield Observation(InputRejected(reason="trial", message="seen", sha256=digest), key=digest)
            time.sleep(0.1)
