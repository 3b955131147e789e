"""A serial port, found by its path or by what is plugged in, so that it does not matter which number it gets."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final, Literal, Self

import serial
from pydantic import Field, model_validator
from serial.tools import list_ports

from edge_agent.driver import DriverError, DriverSettings

BY_ID: Final = Path("/dev/serial/by-id")
WRITE_SECONDS: Final = 2.0
_PARITY: Final = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


class SerialSettings(DriverSettings):
    """Settings of every driver that listens to a serial port."""

    port: str = Field(
        default="",
        description="Path of the port, or its name in /dev/serial/by-id, which stays when another is plugged in first",
    )
    usb: str = Field(
        default="",
        pattern=r"^([0-9a-fA-F]{4}:[0-9a-fA-F]{4})?$",
        description="Instead of the port: USB vendor and product as lsusb shows them, e.g. 0db5:0139",
    )
    serial_number: str = Field(
        default="", description="Instead of the port, or to tell two of the same kind apart: USB serial number"
    )
    baud: int = Field(default=9600, ge=300, le=4_000_000, description="Bits per second, as the device is set to")
    bytesize: Literal[7, 8] = Field(default=8, description="Data bits")
    parity: Literal["none", "even", "odd"] = Field(default="none", description="Parity bit")
    stopbits: Literal[1, 2] = Field(default=1, description="Stop bits")

    @model_validator(mode="after")
    def _say_which(self) -> Self:
        if not (self.port or self.usb or self.serial_number):
            raise ValueError("does not say which port: give port, or usb, or serial_number")
        return self

    def found_by(self) -> str:
        """What the port is looked for by, in words."""
        if self.port:
            return f"at {self.port}"
        ways = [f"USB id {self.usb}"] if self.usb else []
        ways += [f"serial number {self.serial_number}"] if self.serial_number else []
        return f"with {' and '.join(ways)}"


def find_port(settings: SerialSettings) -> str | None:
    """The path of the port, None if nothing is plugged in there.

    Raises:
        DriverError: more than one device answers to the description.
    """
    if settings.port:
        path = Path(settings.port) if "/" in settings.port else BY_ID / settings.port
        return str(path) if path.exists() else None
    wanted = settings.usb.lower()
    found = sorted(
        port.device
        for port in list_ports.comports()
        if port.vid is not None
        and wanted in {"", f"{port.vid:04x}:{port.pid:04x}"}
        and settings.serial_number in {"", port.serial_number}
    )
    if len(found) > 1:
        raise DriverError(
            f"{len(found)} devices {settings.found_by()} are plugged in ({', '.join(found)}): add serial_number, or "
            "give the socket as port, from /dev/serial/by-path."
        )
    return found[0] if found else None


def missing(settings: SerialSettings) -> str:
    """What to do about a device that is not plugged in."""
    return f"There is no device {settings.found_by()}: plug it in; see ls -l {BY_ID}."


class _Serial(serial.Serial):  # type: ignore[misc]  # pyserial has no types
    """A port that keeps what arrived before it was opened: a document may have been swiped already."""

    def _reset_input_buffer(self) -> None:
        return


class SerialPort:
    """An open port. Nobody else can open it meanwhile.

    Attributes:
        path: of the device file.

    Raises:
        DriverError: there is none, or it cannot be opened; the message says what to do.
    """

    def __init__(self, settings: SerialSettings) -> None:
        path = find_port(settings)
        if path is None:
            raise DriverError(missing(settings))
        self.path = path
        try:
            self._port = _Serial(
                path,
                baudrate=settings.baud,
                bytesize=settings.bytesize,
                parity=_PARITY[settings.parity],
                stopbits=settings.stopbits,
                exclusive=True,
            )
        except (OSError, ValueError) as error:
            raise DriverError(_why(path, settings, getattr(error, "errno", None))) from None

    def read(self, timeout: float) -> bytes:
        """What has arrived, as soon as there is something; empty if nothing comes within ``timeout`` seconds.

        Raises:
            DriverError: the device has gone.
        """
        try:
            self._port.timeout = timeout
            first = bytes(self._port.read(1))
            return first + bytes(self._port.read(self._port.in_waiting)) if first else b""
        except OSError:  # pyserial's own exception is one
            raise self._gone() from None

    def write(self, data: bytes) -> None:
        """Say something to the device.

        Raises:
            DriverError: the device has gone, or takes nothing.
        """
        try:
            self._port.write_timeout = WRITE_SECONDS
            self._port.write(data)
        except OSError:
            raise self._gone() from None

    def _gone(self) -> DriverError:
        return DriverError(
            f"The device at {self.path} has gone: was it unplugged? Plug it in again, it is then found by itself."
        )

    def close(self) -> None:
        """Let others open it."""
        self._port.close()


def _why(path: str, settings: SerialSettings, code: int | None) -> str:
    match code:
        case errno.EACCES | errno.EPERM:
            return f"The agent's user may not open {path}: put it into group dialout."
        case errno.EAGAIN | errno.EBUSY:
            return f"{path} is in use by another program, or by the agent itself: end that one first."
        case errno.ENOENT | errno.ENODEV | errno.ENXIO | errno.EIO:
            return f"The device at {path} does not answer: unplug it and plug it in again."
        case None:
            form = f"{settings.baud} baud, {settings.bytesize} bits, parity {settings.parity}"
            return f"{path} is no serial port, or does not do {form}."
        case _:
            return f"{path} cannot be opened ({os.strerror(code)})."
