"""Swipe readers that pose as a keyboard.

Not tried on hardware yet: the tests decode recorded input events and write them through a pipe.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from drivers.keyboard import Keyboard, find_keyboard
from drivers.passport import slot
from drivers.passport.slot import Slot, SlotSettings
from edge_agent.driver import Driver, Observation


class WedgeSettings(SlotSettings):
    """Settings of ``passport.wedge``."""

    device: str = Field(
        min_length=1, description="Name in /dev/input/by-id (it ends in -event-kbd), or path, of the reader's keyboard"
    )
    layout: Literal["us", "de", "fr"] = Field(
        default="us", description="The country whose keyboard the reader poses as"
    )


class WedgeReader(Driver[WedgeSettings]):
    """Swipe readers that type what they read; nobody else sees it. Not tried on hardware yet."""

    kind = "passport.wedge"
    Settings = WedgeSettings
    deadline: ClassVar[float] = slot.DEADLINE

    def observe(self) -> Iterator[Observation | None]:
        """Yield an observation for each document, and for each swipe that could not be used."""
        return slot.observe(self.is_there, self.open)

    def is_there(self) -> bool:
        """Whether the reader is plugged in."""
        return find_keyboard(self.settings.device) is not None

    def open(self) -> Slot:
        """Take the keyboard, and begin to listen.

        Raises:
            DriverError: the reader is not there, or cannot be had alone.
        """
        return Slot(Keyboard(self.settings.device, self.settings.layout), self.settings)

    def probe(self) -> str:
        """Whether the keyboard can be had alone; a reader types nothing until something is swiped."""
        keyboard = Keyboard(self.settings.device, self.settings.layout)
        keyboard.close()
        return f"{keyboard.path} can be read by the agent alone; swipe a document to see more"
