"""Swipe readers on a serial port."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from drivers.passport import slot
from drivers.passport.slot import Slot, SlotSettings
from drivers.serial_port import SerialPort, SerialSettings, find_port
from edge_agent.driver import Driver, Observation


class SwipeSettings(SlotSettings, SerialSettings):
    """Settings of ``passport.swipe``."""


class SwipeReader(Driver[SwipeSettings]):
    """Swipe readers on a serial port, with any marks around the lines or none: Access-IS, Honeywell and others."""

    kind = "passport.swipe"
    Settings = SwipeSettings
    deadline: ClassVar[float] = slot.DEADLINE

    def observe(self) -> Iterator[Observation | None]:
        """Yield an observation for each document, and for each swipe that could not be used."""
        return slot.observe(self.is_there, self.open)

    def is_there(self) -> bool:
        """Whether the reader is plugged in."""
        return find_port(self.settings) is not None

    def open(self) -> Slot:
        """Begin to listen.

        Raises:
            DriverError: the reader is not there, or cannot be opened.
        """
        return Slot(SerialPort(self.settings), self.settings)

    def probe(self) -> str:
        """Whether the port can be opened; a reader says nothing until something is swiped."""
        port = SerialPort(self.settings)
        port.close()
        return f"{port.path} can be opened with {self.settings.baud} baud; swipe a document to see more"
