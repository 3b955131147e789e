"""Scales on a serial port: one event for each load that comes to rest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final, Literal

from pydantic import Field

from drivers.serial_port import SerialPort, SerialSettings, find_port, missing
from edge_agent.driver import Driver, Observation
from edge_agent.events.inspection import Weighed
from edge_agent.processing.scales.frames import Framer, Loads, Protocol, Reading, State, kilograms, request

LISTEN_SECONDS: Final = 0.1
LOOK_SECONDS: Final = 0.2
NOISE_BYTES: Final = 200
"""So many bytes without a reading are worth a word."""


class ScaleSettings(SerialSettings):
    """Settings of ``inspection.scale``."""

    protocol: Literal["and", "toledo-8217", "sics"] = Field(
        default="and",
        description="How the scale talks: and (A&D and CAS lines, sent by themselves), toledo-8217, or sics",
    )
    unit: Literal["kg", "g", "lb", "oz"] = Field(
        default="kg", description="Unit of toledo-8217, which names none; the others say it themselves"
    )
    poll_seconds: float = Field(default=0.3, ge=0.05, le=10, description="How often toledo-8217 and sics are asked")
    empty_below: float = Field(
        default=0.02, gt=0, le=100, description="kg; less is an empty scale, and a smaller change no new load"
    )
    agree: int = Field(default=2, ge=1, le=20, description="Equal stable readings in a row that make a weight")
    silence_seconds: float = Field(
        default=5, ge=0, le=86400, description="A scale that says nothing for so long is reported; 0: never"
    )


class Scale(Driver[ScaleSettings]):
    """Scales that speak as A&D and CAS do, Toledo 8217, or Mettler Toledo SICS. Only stable readings count."""

    kind = "inspection.scale"
    Settings = ScaleSettings

    def observe(self) -> Iterator[Observation | None]:
        """Yield an observation for each load."""
        while find_port(self.settings) is None:
            self.trouble = missing(self.settings)
            yield None
            time.sleep(LOOK_SECONDS)
        self.trouble = ""
        port = SerialPort(self.settings)
        try:
            yield from self._listen(port)
        finally:
            port.close()

    def probe(self) -> str:
        """What the scale says now.

        Raises:
            DriverError: the port cannot be opened.
        """
        port, until = SerialPort(self.settings), time.monotonic() + 2
        framer, ask = Framer(Protocol(self.settings.protocol)), request(Protocol(self.settings.protocol))
        try:
            while time.monotonic() < until:
                if ask:
                    port.write(ask)
                if readings := framer.feed(port.read(0.5)):
                    said = readings[-1]
                    return f"{port.path}: the scale says {said.digits or said.state.value} {said.unit}".rstrip()
        finally:
            port.close()
        return f"{port.path} can be opened, but no reading came in 2 s: see protocol, baud and parity"

    def _listen(self, port: SerialPort) -> Iterator[Observation | None]:
        settings = self.settings
        protocol = Protocol(settings.protocol)
        framer, ask = Framer(protocol), request(protocol)
        loads = Loads(empty=settings.empty_below, agree=settings.agree, unit=settings.unit)
        asked = 0.0
        heard = time.monotonic()
        while True:
            if ask and time.monotonic() - asked >= settings.poll_seconds:
                port.write(ask)
                asked = time.monotonic()
            readings = framer.feed(port.read(LISTEN_SECONDS))
            heard = time.monotonic() if readings else heard
            self.trouble = self._trouble(readings, framer.noise, time.monotonic() - heard)
            placed = [load for reading in readings if (load := loads.take(reading)) is not None]
            for load in placed:
                yield Observation(self._weighed(load))
                heard = time.monotonic()
            if not placed:
                yield None

    def _trouble(self, readings: list[Reading], noise: int, silent: float) -> str:
        if readings:
            match readings[-1].state:
                case State.OVER:
                    return "The scale is overloaded: take something off."
                case State.UNDER:
                    return "The scale shows less than nothing: set it to zero, empty."
                case _:
                    return ""
        if noise >= NOISE_BYTES:
            return "What the scale sends is no reading: compare protocol, baud, bits and parity with its manual."
        if 0 < self.settings.silence_seconds < silent:
            return f"The scale has said nothing for {self.settings.silence_seconds:g} s: switch it on, see its cable."
        return self.trouble

    def _weighed(self, load: Reading) -> Weighed:
        unit = load.unit or self.settings.unit
        return Weighed.model_validate(
            {
                "value": float(load.digits),
                "unit": unit,
                "shown": load.digits,
                "kilograms": kilograms(load, self.settings.unit),
                "net": load.net,
                "frame": load.frame.decode("ascii", "backslashreplace").replace("\x02", "\\x02"),
                "protocol": self.settings.protocol,
            }
        )
