"""Drivers whose probe ends in every way there is: a third party's package, found by its entry points."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
from collections.abc import Iterator

from edge_agent.driver import CredentialName, Driver, DriverSettings, Observation


class _Probed(Driver[DriverSettings]):
    Settings = DriverSettings

    def observe(self) -> Iterator[Observation | None]:
        yield None


class Well(_Probed):
    """Answers, whatever it prints."""

    kind = "test.well"

    def probe(self) -> str:
        print("a library that talks")
        return f"a scale, seen from {os.getcwd()}"  # noqa: PTH109  (what the process has)


class Hang(_Probed):
    """Sleeps in C without releasing the interpreter's lock."""

    kind = "test.hang"

    def probe(self) -> str:
        ctypes.PyDLL(None).sleep(1000)
        return ""


class Crash(_Probed):
    """A fault in C."""

    kind = "test.crash"

    def probe(self) -> str:
        ctypes.string_at(0)
        return ""


class Gone(_Probed):
    """The cable is out."""

    kind = "test.gone"

    def probe(self) -> str:
        raise FileNotFoundError(errno.ENOENT, "", "/dev/ttyUSB9")


class LockedSettings(DriverSettings):
    password: CredentialName


class Locked(Driver[LockedSettings]):
    """Lets in whoever knows the password."""

    kind = "test.locked"
    Settings = LockedSettings

    def observe(self) -> Iterator[Observation | None]:
        yield None

    def probe(self) -> str:
        return hashlib.sha256(self.secret(self.settings.password).encode()).hexdigest()


class Odd(_Probed):
    """Quotes what the device said."""

    kind = "test.odd"

    def probe(self) -> str:
        raise ValueError("ERIKSSON<<ANNA<MARIA")
