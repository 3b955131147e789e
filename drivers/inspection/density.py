"""Density meters: readings that are typed in, and such as come over a line whose framing the site states.

No maker publishes how its meter talks, so nothing is assumed: what a reading looks like stands in the device's file.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from pydantic import Field, model_validator

from drivers.folder import LOOK_SECONDS, Content, FolderDriver, FolderSettings, RejectedError
from drivers.serial_port import SerialPort, SerialSettings, find_port, missing
from edge_agent.driver import Observation
from edge_agent.events.device import InputRejected
from edge_agent.events.inspection import DensityRead

LISTEN_SECONDS: Final = 0.1
LIMIT: Final = 1024
"""Bytes of a frame."""


class LineSettings(SerialSettings):
    """The table ``[settings.line]``: how readings look that come over a serial line."""

    pattern: str = Field(
        description='Regular expression for one reading, with its number as (?P<value>...), e.g. "D=(?P<value>[0-9]+)"',
        max_length=200,
    )
    end: str = Field(
        default="\r",
        min_length=1,
        max_length=8,
        description="What ends a reading; CR and LF are both taken off around it",
    )
    unit: str = Field(default="scale divisions", max_length=20, description="Unit of the readings")

    @model_validator(mode="after")
    def _check_pattern(self) -> Self:
        try:
            names = re.compile(self.pattern).groupindex
        except re.error as error:
            raise ValueError(f"has a pattern that is no regular expression: {error}") from None
        if "value" not in names:
            raise ValueError("has a pattern that does not say where the number is: write (?P<value>...) around it")
        return self


class DensitySettings(FolderSettings):
    """Settings of ``inspection.density``."""

    folder: Path = Field(
        default=Path("spool/density"),
        description="Where `edge-agent record density` puts readings; a relative path starts at the state directory",
    )
    settle_seconds: float = Field(default=0, ge=0, le=60, description="The command writes files that are finished")
    line: LineSettings | None = Field(default=None, description="A meter on a serial port")


class Density(FolderDriver[DensitySettings]):
    """Density meters, read by an officer or over a line. A reading is a number on the meter's own scale, no more."""

    kind = "inspection.density"
    Settings = DensitySettings

    def observe(self) -> Iterator[Observation | None]:
        """Yield an observation for each reading, typed or sent."""
        folder = self.open()
        port: SerialPort | None = None
        rest = b""
        try:
            while True:
                observation = self.poll(folder)
                yield observation
                if self.settings.line is None:
                    time.sleep(0 if observation else LOOK_SECONDS)
                    continue
                port = port or self._plugged(self.settings.line)
                if port is None:
                    time.sleep(LOOK_SECONDS)
                    continue
                rest += port.read(LISTEN_SECONDS)
                *frames, rest = rest.split(self.settings.line.end.encode("latin-1"))
                for frame in (*frames, *([rest] if len(rest) > LIMIT else [])):
                    if said := _sent(frame.strip(b"\r\n"), self.settings.line):
                        yield Observation(said)
                rest = b"" if len(rest) > LIMIT else rest
        finally:
            if port is not None:
                port.close()

    def _plugged(self, line: LineSettings) -> SerialPort | None:
        found = find_port(line)
        self.trouble = "" if found else missing(line)
        return SerialPort(line) if found else None

    def examine(self, data: bytes) -> Content:
        """A reading that was typed: JSON as the command writes it."""
        from pydantic import ValidationError

        try:
            return Content(DensityRead.model_validate_json(data))
        except ValidationError:
            raise RejectedError(
                "not-a-reading", "This is no reading as `edge-agent record density` writes it."
            ) from None


def _sent(frame: bytes, line: LineSettings) -> DensityRead | InputRejected | None:
    if not frame:
        return None
    text = frame[:LIMIT].decode("ascii", "backslashreplace")
    match = re.fullmatch(line.pattern, text)
    try:
        value = float(match["value"].replace(",", ".")) if match else None
    except ValueError:
        value = None
    if value is None:
        return InputRejected(
            reason="no-reading",
            message="What the meter sent does not fit the pattern in its file: compare baud, pattern and end.",
            size=len(frame),
        )
    return DensityRead(value=value, unit=line.unit, source="serial", frame=text)
