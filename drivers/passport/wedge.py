"""Swipe readers that pose as a keyboard.

Not tried on hardware yet: the tests decode recorded input events and write them through a pipe.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from drivers.keyboard import Keyboard, find_keyboard, missing
from drivers.passport.slot import Slot, SlotDriver, SlotSettings


class WedgeSettings(SlotSettings):
    """Settings of ``passport.wedge``."""

    device: str = Field(
        min_length=1, description="Name in /dev/input/by-id (it ends in -event-kbd), or path, of the reader's keyboard"
    )
    layout: Literal["us", "de", "fr"] = Field(
        default="us", description="The country whose keyboard the reader poses as"
    )


class WedgeReader(SlotDriver[WedgeSettings]):
    """Swipe readers that type what they read; nobody else sees it. Not tried on hardware yet."""

    kind = "passport.wedge"
    Settings = WedgeSettings

    def missing(self) -> str:
        """Why the reader is not there, and what to do; empty if it is."""
        return "" if find_keyboard(self.settings.device) else missing(self.settings.device)

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
