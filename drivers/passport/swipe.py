"""Swipe readers on a serial port."""

from __future__ import annotations

from drivers.passport.slot import Slot, SlotDriver, SlotSettings
from drivers.serial_port import SerialPort, SerialSettings, find_port, missing


class SwipeSettings(SlotSettings, SerialSettings):
    """Settings of ``passport.swipe``."""


class SwipeReader(SlotDriver[SwipeSettings]):
    """Swipe readers on a serial port, with any marks around the lines or none: Access-IS, Honeywell and others."""

    kind = "passport.swipe"
    Settings = SwipeSettings

    def missing(self) -> str:
        """Why the reader is not there, and what to do; empty if it is."""
        return "" if find_port(self.settings) else missing(self.settings)

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
