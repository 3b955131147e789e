"""What all readers have in common through whose slot a document is drawn: bytes come in, documents come out."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections import deque
from collections.abc import Iterator
from typing import Final, Protocol, TypeVar

from pydantic import Field

from drivers.passport.event import passport_read
from edge_agent.driver import Driver, DriverError, DriverSettings, Observation
from edge_agent.events.device import InputRejected
from edge_agent.events.passport import Source
from edge_agent.processing.mrz.framing import GAP_SECONDS, PATIENCE_SECONDS, Document, Found, Framer
from edge_agent.processing.mrz.parse import parse

ENGINE: Final = "swipe reader"
LISTEN_SECONDS: Final = 0.1
LOOK_SECONDS: Final = 0.2


class SlotSettings(DriverSettings):
    """When a document has ended, whatever the reader is connected by."""

    gap_seconds: float = Field(
        default=GAP_SECONDS,
        ge=0.05,
        le=5,
        description="Silence after which a reader has probably sent a whole document",
    )
    patience_seconds: float = Field(
        default=PATIENCE_SECONDS, ge=0.2, le=10, description="Silence after which half a document is given up"
    )
    silence_seconds: float = Field(
        default=0, ge=0, le=31_536_000, description="A reader that sends nothing for so long is reported; 0: never"
    )


class Line(Protocol):
    """What a reader's bytes come from."""

    @property
    def path(self) -> str:
        """Where it is, for messages."""

    def read(self, timeout: float) -> bytes:
        """What has arrived, as soon as there is something; empty if nothing comes in time."""

    def close(self) -> None:
        """Let go of the device."""


class Slot:
    """Documents out of the bytes of one reader.

    Time is counted only while listening: what arrives while an event is being recorded waits in the kernel, and has
    no gap in it.
    """

    def __init__(self, line: Line, settings: SlotSettings) -> None:
        self._line = line
        self._silence_seconds = settings.silence_seconds
        self._framer = Framer(gap_seconds=settings.gap_seconds, patience_seconds=settings.patience_seconds)
        self._found: deque[Found] = deque()
        self._listened = self._heard = 0.0

    def poll(self, timeout: float) -> Observation | None:
        """Listen for at most ``timeout`` seconds, less if something arrives.

        Raises:
            DriverError: the reader has gone, babbles, or has been silent for longer than allowed.
        """
        if not self._found:
            self._listen(timeout)
        if self._found:
            return self._observation(self._found.popleft())
        if self._framer.babbling:
            raise DriverError(
                f"The reader at {self._line.path} babbles: it sends on and on, and no document is in it. See that "
                "it is set up as the device's file says, and look at its cable."
            )
        if 0 < self._silence_seconds < self._listened - self._heard:
            raise DriverError(
                f"The reader at {self._line.path} has sent nothing for {self._silence_seconds:g} s: swipe a document, "
                "look at its lamp and its cable."
            )
        return None

    def close(self) -> None:
        """Let go of the reader."""
        self._line.close()

    def _listen(self, timeout: float) -> None:
        started = time.monotonic()
        data = self._line.read(timeout)
        self._listened += time.monotonic() - started
        if data:
            self._heard = self._listened
        self._found += self._framer.feed(data, self._listened)

    def _observation(self, found: Found) -> Observation:
        if not isinstance(found, Document):
            return Observation(InputRejected(reason=found.code, message=found.message, size=found.size))
        started = time.perf_counter()
        mrz = parse(found.lines)
        took = self._listened - found.ended + time.perf_counter() - started
        return Observation(passport_read(mrz, source=Source.SWIPE, engine=ENGINE, milliseconds=round(took * 1000, 1)))


S = TypeVar("S", bound=SlotSettings)


class SlotDriver(Driver[S]):
    """A driver of one reader, which may be plugged in at any time."""

    @abstractmethod
    def missing(self) -> str:
        """Why the reader is not there, and what to do; empty if it is."""

    @abstractmethod
    def open(self) -> Slot:
        """Begin to listen.

        Raises:
            DriverError: the reader is not there, or cannot be opened.
        """

    def observe(self) -> Iterator[Observation | None]:
        """Yield an observation for each document, and for each swipe that could not be used."""
        while trouble := self.missing():
            self.trouble = trouble
            yield None
            time.sleep(LOOK_SECONDS)
        self.trouble = ""
        slot = self.open()
        try:
            while True:
                yield slot.poll(LISTEN_SECONDS)
        finally:
            slot.close()
