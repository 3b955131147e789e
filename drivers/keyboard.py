"""What a device types that poses as a keyboard, read from the kernel's input events and from nobody else's screen.

Source: linux/input.h and linux/input-event-codes.h. The device is taken for ourselves (EVIOCGRAB): what it types
reaches no console and no other program from then on. Before, while nobody has it, it types wherever the cursor is.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import struct
from pathlib import Path
from typing import Final

from edge_agent.driver import DriverError

BY_ID: Final = Path("/dev/input/by-id")
EVENT: Final = struct.Struct("@llHHi")
"""struct input_event: seconds, microseconds, type, code, value; 24 bytes on a 64-bit machine."""
EVIOCGRAB: Final = 0x40044590
SYN, KEY = 0, 1
SYN_DROPPED: Final = 3
RELEASED, PRESSED = 0, 1
LOST: Final = b"\x00"
"""Stands for keys that cannot be told: those that the kernel dropped, and those without a character here."""

_LEFT_SHIFT, _RIGHT_SHIFT, _LEFT_CTRL, _RIGHT_CTRL = 42, 54, 29, 97
_SHIFTS, _CTRLS = frozenset({_LEFT_SHIFT, _RIGHT_SHIFT}), frozenset({_LEFT_CTRL, _RIGHT_CTRL})
_SILENT: Final = _SHIFTS | _CTRLS | {56, 100, 125, 126, 58, 69}
"""Shift, control, alt, the keys of windows, and the locks: they type nothing by themselves."""
_COMMA, _DOT, _NEXT_TO_SHIFT = 51, 52, 86

_ROWS: Final = {2: "1234567890", 16: "QWERTYUIOP", 30: "ASDFGHJKL", 44: "ZXCVBNM", 71: "789", 75: "456", 79: "1230"}
"""Characters by the code of the first key in a row; letters are capitals and digits digits, with shift or without."""
_US: Final = {first + i: character for first, row in _ROWS.items() for i, character in enumerate(row)} | {
    28: "\r",
    96: "\r",
    15: "\n",
    _NEXT_TO_SHIFT: "<",
}
_CONTROL: Final = {character: chr(ord(character) & 0x1F) for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_CONTROL_KEYS: Final = {43: "\x1c", 27: "\x1d", 26: "\x1b"}


def _swapped(*pairs: tuple[int, int]) -> dict[int, str]:
    return {key: _US[other] for pair in pairs for key, other in (pair, pair[::-1])}


LAYOUTS: Final = {
    "us": _US,
    "de": _US | _swapped((21, 44)),
    "fr": _US | _swapped((16, 30), (17, 44)) | {39: "M", 50: ","},
}
"""The characters of keys, by the country that the reader is set to."""


class Decoder:
    """From input events to the bytes that a reader with a cable would have sent."""

    def __init__(self, layout: str) -> None:
        self._keys = LAYOUTS[layout]
        self._angles = frozenset({_COMMA, _DOT}) if layout == "us" else frozenset()
        self._held: set[int] = set()
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """Take some events, the last of them perhaps in part."""
        data = self._rest + data
        whole = len(data) - len(data) % EVENT.size
        self._rest = data[whole:]
        return b"".join(self._typed(*event[2:]) for event in EVENT.iter_unpack(data[:whole]))

    def _typed(self, kind: int, code: int, value: int) -> bytes:
        if kind == SYN and code == SYN_DROPPED:
            self._held.clear()
            return LOST
        if kind != KEY:
            return b""
        if value == RELEASED:
            self._held.discard(code)
        elif value == PRESSED:  # all else is a key that repeats because it is held
            self._held.add(code)
            return b"" if code in _SILENT else self._character(code).encode("ascii")
        return b""

    def _character(self, code: int) -> str:
        character = self._keys.get(code, LOST.decode())
        if self._held & _CTRLS:
            return _CONTROL_KEYS.get(code) or _CONTROL.get(character, LOST.decode())
        if code in self._angles and self._held & _SHIFTS:
            return "<"  # some readers hold shift with the wrong of the two keys
        return character


def find_keyboard(device: str) -> str | None:
    """The path of a device that is given by its path or its name in /dev/input/by-id; None if it is not there."""
    path = Path(device) if "/" in device else BY_ID / device
    return str(path) if path.exists() else None


def missing(device: str) -> str:
    """What to do about a device that is not plugged in."""
    return f"There is no input device {device}: plug it in; see ls -l {BY_ID}."


class Keyboard:
    """A device that poses as a keyboard, taken for ourselves.

    Raises:
        DriverError: it is not there, is none, or cannot be had alone; the message says what to do.
    """

    def __init__(self, device: str, layout: str) -> None:
        path = find_keyboard(device)
        if path is None:
            raise DriverError(missing(device))
        self.path = path
        self._decoder = Decoder(layout)
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise DriverError(_why(path, error)) from None
        try:
            grab(self._file)
        except OSError as error:
            os.close(self._file)
            raise DriverError(_why(path, error)) from None

    def read(self, timeout: float) -> bytes:
        """What was typed, as soon as there is something; empty if nothing comes within ``timeout`` seconds.

        Raises:
            DriverError: the device has gone.
        """
        ready, _, _ = select.select([self._file], [], [], timeout)
        if not ready:
            return b""
        try:
            data = os.read(self._file, 64 * EVENT.size)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            raise DriverError(
                f"The reader at {self.path} has gone: was it unplugged? Plug it in again, it is then found by itself."
            )
        return self._decoder.feed(data)

    def close(self) -> None:
        """Let others have it."""
        os.close(self._file)


def grab(file: int) -> None:
    """Take an input device for ourselves."""
    fcntl.ioctl(file, EVIOCGRAB, 1)


def _why(path: str, error: OSError) -> str:
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return f"The agent's user may not read {path}: see what the example of its device file says of permission."
        case errno.EBUSY:
            return f"{path} is taken by another program, or by the agent itself: end that one first."
        case errno.ENOTTY | errno.EINVAL:
            return f"{path} is no input device: take one from {BY_ID} whose name ends in -event-kbd."
        case _:
            return f"{path} cannot be opened ({os.strerror(error.errno or 0)})."
