"""Events without a device, as many and as large as wanted: to try the disk, the link and the broker of a post."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from edge_agent.driver import Driver, DriverSettings, Observation
from edge_agent.events.envelope import EventData


class TrialLoad(EventData):
    """An event that means nothing."""

    family: ClassVar[str] = "trial"
    event: ClassVar[str] = "load"

    number: int = Field(ge=1, description="Counts the device's observations from 1")
    sent: float = Field(description="CLOCK_MONOTONIC of the post in seconds when it was observed")
    padding: str = Field(description="Makes the event as large as wanted")


class LoadSettings(DriverSettings):
    """Settings of ``trial.load``."""

    rate: float = Field(default=1.0, gt=0, le=100_000, description="Events per second")
    size: int = Field(default=1000, ge=0, le=100_000, description="Bytes of padding in each")
    count: int | None = Field(default=None, ge=0, description="Ends after so many; endless if left out")
    memory: Path | None = Field(
        default=None, description="File in which it notes each acknowledged number, and from which it goes on"
    )


class Load(Driver[LoadSettings]):
    """A device that counts. With a ``memory`` it behaves like one that offers again what was not acknowledged."""

    kind = "trial.load"
    Settings = LoadSettings

    def observe(self) -> Iterator[Observation | None]:
        """Yield numbered observations at the wanted rate."""
        number = self._last_acknowledged()
        padding = "x" * self.settings.size
        due = time.monotonic()
        while self.settings.count is None or number < self.settings.count:
            due = max(due + 1 / self.settings.rate, time.monotonic() - 1)
            while (wait := due - time.monotonic()) > 0:
                time.sleep(min(wait, 0.5))
                if wait > 0.5:
                    yield None
            number += 1
            yield Observation(
                TrialLoad(number=number, sent=time.monotonic(), padding=padding),
                acknowledge=partial(self._acknowledge, number) if self.settings.memory else None,
                key=str(number) if self.settings.memory else None,
            )
        while True:
            time.sleep(0.5)
            yield None

    def _last_acknowledged(self) -> int:
        memory = self.settings.memory
        if memory is None or not memory.exists():
            return 0
        return max((int(line) for line in memory.read_text().split()), default=0)

    def _acknowledge(self, number: int) -> None:
        if self.settings.memory is not None:
            with self.settings.memory.open("a") as memory:
                memory.write(f"{number}\n")
