"""From the bytes of a hand scanner to the codes in them.

Scanners may put the AIM symbology identifier (ISO/IEC 15424: ``]``, a letter, a modifier) before the contents; with it
the symbology is known, and whether the contents are GS1 element strings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from edge_agent.processing.barcode.symbols import Symbol

LIMIT: Final = 8192
"""Bytes; the largest QR Code holds 7,089 digits. What goes on longer is cut there."""
_IDENTIFIER: Final = re.compile(rb"\][A-Za-z][0-9A-Za-z]")
_NAMES: Final = {
    "A": "Code 39",
    "C": "Code 128",
    "d": "Data Matrix",
    "E": "EAN-13",
    "e": "DataBar",
    "F": "Codabar",
    "G": "Code 93",
    "I": "ITF",
    "L": "PDF417",
    "Q": "QR Code",
    "U": "MaxiCode",
    "z": "Aztec",
}
_EAN_8: Final = "]E4"


@dataclass(frozen=True, slots=True)
class Code:
    """One scan. ``identifier`` is empty where the scanner sends none; ``cut``: it was longer than any code."""

    data: bytes
    identifier: str = ""
    cut: bool = False


class Framer:
    """Codes out of a stream of bytes, however it is cut. Times in seconds, of a clock that never runs backwards."""

    def __init__(self, ending: Literal["line", "etx", "gap"], gap_seconds: float) -> None:
        self._ending = ending
        self._gap_seconds = gap_seconds
        self._rest = b""
        self._last = 0.0

    def feed(self, data: bytes, now: float) -> list[Code]:
        """Take bytes that arrived ``now``, or none; return the codes that are whole by now."""
        paused = bool(self._rest) and now - self._last >= self._gap_seconds
        codes = [self._rest] if paused else []
        if paused:
            self._rest = b""
        if data:
            self._last = now
            self._rest += data
            codes += self._whole()
        return [code for each in codes for code in _code(each)]

    def _whole(self) -> list[bytes]:
        whole: list[bytes] = []
        match self._ending:
            case "line":
                *whole, self._rest = re.split(rb"[\r\n]+", self._rest)
            case "etx":
                *whole, self._rest = self._rest.split(b"\x03")
                whole = [each.rpartition(b"\x02")[2] for each in whole]
        while len(self._rest) > LIMIT:
            whole.append(self._rest[: LIMIT + 1])
            self._rest = self._rest[LIMIT + 1 :]
        return whole


def _code(data: bytes) -> list[Code]:
    data = data.strip(b"\r\n\x02\x03")
    if not data:
        return []
    match = _IDENTIFIER.match(data)
    identifier = match[0].decode() if match else ""
    contents = data[len(identifier) : LIMIT]
    return [Code(contents, identifier, len(data) > LIMIT)] if contents else []


def symbol(code: Code) -> Symbol:
    """A scan as a symbol, without a place."""
    name = "EAN-8" if code.identifier == _EAN_8 else _NAMES.get(code.identifier[1:2], "")
    try:
        text: str | None = code.data.decode()
    except UnicodeDecodeError:
        text = None
    return Symbol(name, code.data, text, code.identifier, np.zeros((4, 2)), frozenset({"scanner"}))
