"""A desk with a document scanner and a swipe reader: a document that both have seen is one event."""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import inf
from typing import ClassVar

from pydantic import Field

from drivers.passport.page import PageFolder, PageSettings
from drivers.passport.pairing import Pairing
from drivers.passport.slot import LISTEN_SECONDS, Slot
from drivers.passport.swipe import SwipeReader, SwipeSettings
from edge_agent.driver import Driver, DriverError, DriverSettings, Observation
from edge_agent.events.passport import Source


class DeskSettings(DriverSettings):
    """Settings of ``passport.desk``."""

    pair_seconds: float = Field(
        default=2, ge=0, le=30, description="How long a reading is held back for another of the same document"
    )
    pages: PageSettings = Field(description="The scanner's folder, as in passport.page")
    swipe: SwipeSettings = Field(description="The swipe reader's port, as in passport.swipe")


class Desk(Driver[DeskSettings]):
    """A page scanner and a swipe reader side by side, whose readings of one document become one event.

    A page stays in its folder until the event is durable. What was swiped is held in memory: if the process ends within
    ``pair_seconds``, it has to be swiped again. Pages are read on while the swipe reader is unplugged.
    """

    kind = "passport.desk"
    Settings = DeskSettings
    preload: ClassVar[tuple[str, ...]] = PageFolder.preload

    def __init__(self, settings: DeskSettings) -> None:
        super().__init__(settings)
        self._pages = PageFolder(settings.pages)
        self._swipe = SwipeReader(settings.swipe)

    def observe(self) -> Iterator[Observation | None]:
        """Yield one observation for each document, and for each input that could not be used."""
        pairing = Pairing(self.settings.pair_seconds, frozenset({Source.PAGE, Source.SWIPE}))
        slot: Slot | None = None
        try:
            folder = self._pages.open()
            while True:
                if slot is None:
                    slot = self._look_for_reader()
                for observation in (self._pages.poll(folder), _listen(slot)):
                    if observation is not None:
                        pairing.add(observation, time.monotonic())
                yield from pairing.release(time.monotonic())
                yield None
        except DriverError:
            yield from pairing.release(inf)
            raise
        finally:
            if slot is not None:
                slot.close()

    def _look_for_reader(self) -> Slot | None:
        self.trouble = self._swipe.missing()
        return None if self.trouble else self._swipe.open()

    def probe(self) -> str:
        """Whether files could be taken from the folder, and the port can be opened."""
        return f"{self._pages.probe()}; {self._swipe.probe()}"


def _listen(slot: Slot | None) -> Observation | None:
    if slot is not None:
        return slot.poll(LISTEN_SECONDS)
    time.sleep(LISTEN_SECONDS)
    return None
