"""Spectrometers that send each spectrum over a serial port, between marks that the device's file gives."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from pydantic import ByteSize, Field

from drivers.drugkit.spectrum import PRELOAD, ComparisonSettings, OpenLibrary, about, site
from drivers.serial_port import SerialPort, SerialSettings
from edge_agent.driver import Driver, Observation
from edge_agent.events.device import InputRejected
from edge_agent.events.evidence import sha256


class SerialSpectrumSettings(SerialSettings, ComparisonSettings):
    """Settings of ``drugkit.spectrum-serial``."""

    begin: str = Field(
        default="##TITLE=",
        min_length=1,
        max_length=32,
        description="Text that a spectrum begins with; it belongs to it",
    )
    end: str = Field(
        default="##END=", min_length=1, max_length=32, description="Text that it ends with; it belongs to it as well"
    )
    patience_seconds: float = Field(
        default=5, gt=0, le=600, description="Silence after which half a spectrum is given up, and reported"
    )
    max_bytes: ByteSize = Field(default=ByteSize(4 * 1024**2), description="Longer spectra are given up")


class Framer:
    """Cuts what arrives into spectra, wherever the pieces end.

    ``feed`` and ``idle`` return frames with true, and what was given up with false.
    """

    def __init__(self, begin: bytes, end: bytes, limit: int) -> None:
        self._begin, self._end, self._limit = begin, end, limit
        self._held = bytearray()
        self._inside = False
        self._searched = 0

    def feed(self, data: bytes) -> list[tuple[bool, bytes]]:
        """Take what has arrived."""
        frames: list[tuple[bool, bytes]] = []
        self._held += data
        while True:
            if not self._inside:
                at = self._held.find(self._begin)
                keep = at if at >= 0 else max(0, len(self._held) - len(self._begin) + 1)
                del self._held[:keep]
                if at < 0:
                    return frames
                self._inside, self._searched = True, len(self._begin)
            at = self._held.find(self._end, self._searched)
            if at >= 0:
                stop = at + len(self._end)
                frames.append((True, bytes(self._held[:stop])))
                del self._held[:stop]
                self._inside = False
            elif len(self._held) > self._limit:
                frames.append((False, self.idle()))
            else:
                self._searched = max(len(self._begin), len(self._held) - len(self._end) + 1)
                return frames

    def idle(self) -> bytes:
        """Give up what was begun; it is returned, empty if nothing was."""
        given_up = bytes(self._held) if self._inside else b""
        self._held.clear()
        self._inside = False
        return given_up


class SerialSpectrum(Driver[SerialSpectrumSettings]):
    """Instruments that send JCAMP-DX, or any text that is read, over a serial port or USB adapter."""

    kind = "drugkit.spectrum-serial"
    Settings = SerialSpectrumSettings
    preload: ClassVar[tuple[str, ...]] = PRELOAD

    def __init__(self, settings: SerialSpectrumSettings) -> None:
        super().__init__(settings)
        self._shelf = OpenLibrary(settings.library)

    def observe(self) -> Iterator[Observation | None]:
        """Yield an observation for each spectrum, or for the half of one that was given up."""
        settings = self.settings
        framer = Framer(settings.begin.encode(), settings.end.encode(), settings.max_bytes)
        port = SerialPort(settings)
        heard = time.monotonic()
        try:
            while True:
                data = port.read(0.5)
                now = time.monotonic()
                frames = framer.feed(data) if data else []
                if data:
                    heard = now
                elif now - heard > settings.patience_seconds and (rest := framer.idle()):
                    frames = [(False, rest)]
                for whole, frame in frames:
                    yield self._observation(frame, whole=whole)
                if not frames:
                    yield None
        finally:
            port.close()

    def probe(self) -> str:
        """Whether the port can be opened; an instrument says nothing until something is measured."""
        port = SerialPort(self.settings)
        port.close()
        return f"{port.path} can be opened with {self.settings.baud} baud; {about(self._shelf, self.calibration())}"

    def _observation(self, frame: bytes, *, whole: bool) -> Observation:
        from drivers.drugkit.spectrum_reading import read_file
        from drivers.folder import RejectedError

        rejected = partial(InputRejected, size=len(frame), sha256=sha256(frame))
        if not whole:
            return Observation(
                rejected(
                    reason="truncated-spectrum", message="The spectrum did not end: send it again, look at the cable."
                )
            )
        try:
            content = read_file(frame, site(self.settings, self._shelf, self.calibration()))
        except RejectedError as error:
            return Observation(rejected(reason=error.code, message=str(error)))
        return Observation(content.data, content.evidence)
