"""From the bytes of a scale to its readings: A&D and CAS lines, Toledo 8217, Mettler Toledo SICS.

Sources: A&D "standard format" (GC and EK-L manuals) and CAS 22 bytes (CI, PDI and NT manuals): ``ST,GS,+  4.876kg``.
Mettler Toledo 8217: answers to ``W`` with STX, digits, CR, or STX, ``?``, status byte, CR. MT-SICS level 0: ``S`` and
``SI`` answer with ``S S`` (stable) or ``S D`` (dynamic), value, unit, CR LF.

Only a frame that has the shape of its protocol from end to end is a reading; whatever else is between is counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LIMIT: Final = 256
"""Bytes without the end of a frame; more are noise."""
KILOGRAMS: Final = {"kg": 1.0, "g": 0.001, "mg": 1e-6, "t": 1000.0, "lb": 0.45359237, "oz": 0.028349523125}
"""One of each unit in kg; pound and ounce: International Yard and Pound Agreement, 1959."""


class Protocol(StrEnum):
    """How a scale talks."""

    AND = "and"
    TOLEDO = "toledo-8217"
    SICS = "sics"


class State(StrEnum):
    """What a scale says about itself."""

    STABLE = "stable"
    MOVING = "moving"
    OVER = "over"
    UNDER = "under"
    BUSY = "busy"
    UNCHANGED = "unchanged"
    """As some Toledo scales say instead of a weight that they have sent already."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer of a scale.

    Attributes:
        state: only a stable one has a weight.
        digits: as sent, with sign if negative; empty without a weight.
        unit: a key of ``KILOGRAMS``; empty where the protocol names none.
        net: whether a tare is subtracted; None if not said.
        frame: the bytes as they came.
    """

    state: State
    digits: str
    unit: str
    net: bool | None
    frame: bytes


_VALUE: Final = rb"([+-]?) *([0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_LINE: Final = re.compile(
    rb"(ST|US|OL),(?:(GS|NT|TR),)?(?:(?:LO|OK|HI|--),)?(?:[\x20-\x7f][\x00-\xff],)?"
    + _VALUE
    + rb" *(kg|g|mg|t|lb|oz) *"
)
_TOLEDO: Final = re.compile(rb"\x02(?: *([0-9]+\.?[0-9]*)(N?)|\?([\x00-\xff]?))")
_SICS: Final = re.compile(rb"S ([SD]) +" + _VALUE + rb" +(kg|g|mg|t|lb|oz)")
_SICS_STATES: Final = {b"S I": State.BUSY, b"S +": State.OVER, b"S -": State.UNDER}
_ENDS: Final = {
    Protocol.AND: re.compile(rb"\r\n?|\n"),
    Protocol.TOLEDO: re.compile(rb"\r"),
    Protocol.SICS: re.compile(rb"\r\n?|\n"),
}
_REQUESTS: Final = {Protocol.AND: b"", Protocol.TOLEDO: b"W", Protocol.SICS: b"SI\r\n"}


def request(protocol: Protocol) -> bytes:
    """What to send for one reading; empty where the scale sends by itself."""
    return _REQUESTS[protocol]


def parse(frame: bytes, protocol: Protocol) -> Reading | None:
    """The reading in a frame without its line end; None if it is none."""
    match protocol:
        case Protocol.AND:
            return _line(frame)
        case Protocol.TOLEDO:
            return _toledo(frame)
        case Protocol.SICS:
            return _sics(frame)


def _line(frame: bytes) -> Reading | None:
    match = _LINE.fullmatch(frame)
    if match is None:
        return None
    header, kind, sign, digits, unit = match.groups()
    state = {b"ST": State.STABLE, b"US": State.MOVING, b"OL": State.UNDER if sign == b"-" else State.OVER}[header]
    net = None if kind is None else kind == b"NT"
    if kind == b"TR":  # the tare itself, on request
        return None
    return Reading(state, _digits(sign, digits) if state is State.STABLE else "", unit.decode(), net, frame)


def _toledo(frame: bytes) -> Reading | None:
    match = _TOLEDO.fullmatch(frame)
    if match is None:
        return None
    digits, net, status = match.groups()
    if status is None:
        return Reading(State.STABLE, digits.decode(), "", net == b"N", frame)
    bits = status[0] if status else 0x0D  # that status byte is a CR, at which the frame was cut
    state = State.OVER if bits & 2 else State.UNDER if bits & 4 else State.MOVING if bits & 1 else State.UNCHANGED
    return Reading(state, "", "", bool(bits & 32), frame)


def _sics(frame: bytes) -> Reading | None:
    state = _SICS_STATES.get(frame.rstrip())
    if state is not None:
        return Reading(state, "", "", None, frame)
    match = _SICS.fullmatch(frame)
    if match is None:
        return None
    kind, sign, digits, unit = match.groups()
    stable = kind == b"S"
    return Reading(
        State.STABLE if stable else State.MOVING, _digits(sign, digits) if stable else "", unit.decode(), None, frame
    )


def _digits(sign: bytes, digits: bytes) -> str:
    return (sign.replace(b"+", b"") + digits).decode()


class Framer:
    """Frames out of a stream of bytes, however it is cut; ``noise`` counts the bytes since the last reading."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._rest = b""
        self.noise = 0

    def feed(self, data: bytes) -> list[Reading]:
        """Take bytes as they arrived; return the readings that are whole now."""
        self._rest += data
        *frames, self._rest = _ENDS[self._protocol].split(self._rest)
        readings: list[Reading] = []
        for frame in frames:
            reading = self._reading(frame)
            if reading is None:
                self.noise += len(frame)
            else:
                self.noise = 0
                readings.append(reading)
        if len(self._rest) > LIMIT:
            self.noise += len(self._rest)
            self._rest = self._rest[-LIMIT // 2 :]
        return readings

    def _reading(self, frame: bytes) -> Reading | None:
        """A frame may have noise before it, as after plugging in, but nothing behind it."""
        reading = parse(frame, self._protocol)
        if reading is None and self._protocol is Protocol.TOLEDO and b"\x02" in frame[1:]:
            return parse(frame[frame.rindex(b"\x02") :], self._protocol)
        return reading


class Loads:
    """Tells from readings when a load has been put on: one for each, as soon as it has come to rest.

    ``agree`` readings that are stable and equal are one weight, so that a digit that was garbled on the line is none. A
    further weight is a new load if the scale was empty in between, or the weight changed by more than ``empty``.
    """

    def __init__(self, *, empty: float, agree: int, unit: str) -> None:
        self._empty, self._agree, self._unit = empty, agree, unit
        self._last: Reading | None = None
        self._times = 0
        self._reported = 0.0

    def take(self, reading: Reading) -> Reading | None:
        """The reading, if it is that of a load that was not reported yet."""
        if reading.state is State.UNCHANGED and self._last is not None:
            reading = self._last
        if reading.state is State.BUSY:
            return None
        if reading.state is not State.STABLE:
            self._last, self._times = None, 0
            return None
        last, self._last = self._last, reading
        same = last is not None and (last.digits, last.unit) == (reading.digits, reading.unit)
        self._times = self._times + 1 if same else 1
        if self._times < self._agree:
            return None
        weight = kilograms(reading, self._unit)
        if weight < self._empty:
            self._reported = 0.0
            return None
        if abs(weight - self._reported) <= self._empty:
            return None
        self._reported = weight
        return reading


def kilograms(reading: Reading, unit: str) -> float:
    """A stable reading in kg; ``unit`` is that of scales that name none."""
    return round(float(reading.digits) * KILOGRAMS[reading.unit or unit], 9)
