"""From the bytes of a swipe reader to the documents in them, whatever the reader puts before, between and after lines.

Nobody tells the agent how a reader is set up, so its marks are believed only to part what stands between them; the
check digits decide between the possible cuts (see ``cuts``). What is left over is named, never dropped in silence and
never made whole by a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edge_agent.processing.mrz.cuts import (
    CHARACTERS,
    END,
    GAP,
    LINE_BREAK,
    MARKS,
    PAUSE,
    RUN,
    STRAY,
    Piece,
    cut,
    joined,
)

GAP_SECONDS: Final = 0.25
"""Silence after which a reader has probably finished; at 9600 baud, the time of 240 characters."""
PATIENCE_SECONDS: Final = 1.0
"""Silence after which nothing more comes of what has begun; nobody swipes two documents in this time."""
NOISE_BYTES: Final = 16
"""So many bytes in one go that no document has are worth a message."""
LIMIT: Final = 2048
"""Bytes in which documents are looked for."""
TAIL: Final = 200
"""So many of them are kept when there are more: a document and its neighbour."""
BABBLE_BYTES: Final = 2048
BABBLE_BYTES_PER_SECOND: Final = 100.0
"""What a noisy line may send all day. With ``BABBLE_BYTES`` more than that and no document in them, it babbles."""


@dataclass(frozen=True, slots=True)
class Framing:
    """What a reader puts before, between and after the lines of a zone."""

    name: str
    before: bytes = b""
    between: bytes = b""
    after: bytes = b""

    def wrap(self, lines: Sequence[str]) -> bytes:
        """A document as a reader with this framing sends it."""
        return self.before + self.between.join(line.encode("ascii") for line in lines) + self.after


FRAMINGS: Final = (
    Framing("access-is", b"\x1c\x02", b"\r", b"\x03\x1d"),
    Framing("stx-etx", b"\x02", b"\r", b"\x03"),
    Framing("stx-etx, all lines ended", b"\x02", b"\r\n", b"\r\n\x03"),
    Framing("cr", b"", b"\r", b"\r"),
    Framing("lf", b"", b"\n", b"\n"),
    Framing("crlf", b"", b"\r\n", b"\r\n"),
    Framing("cr between lines", b"", b"\r", b""),
    Framing("unbroken"),
    Framing("unbroken, cr", after=b"\r"),
    Framing("unbroken, crlf", after=b"\r\n"),
)
"""The framings that were met. Others are understood as well, if no character of the alphabet is a mark in them."""

_LINE_BREAKS: Final = frozenset(b"\r\n")
_ENDS: Final = frozenset(b"".join(framing.before + framing.after for framing in FRAMINGS)) - _LINE_BREAKS


@dataclass(frozen=True, slots=True)
class Document:
    """The lines of a zone. ``ended`` is when its last byte arrived.

    ``proven``: all checks hold. If not, it has a document's shape between the reader's marks, and no more is known.
    """

    lines: tuple[str, ...]
    proven: bool
    ended: float


@dataclass(frozen=True, slots=True)
class Rejected:
    """Bytes that are no whole document: ``code`` for programs, ``message`` for technicians, ``size`` in bytes."""

    code: str
    message: str
    size: int


Found = Document | Rejected


class Framer:
    """Finds the documents in what a reader sends. Times are in seconds, of any clock that never runs backwards."""

    def __init__(self, *, gap_seconds: float = GAP_SECONDS, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._gap_seconds = gap_seconds
        self._patience_seconds = max(patience_seconds, gap_seconds)
        self._text = ""
        self._noise = 0
        self._babble = 0.0
        self._last = 0.0

    @property
    def babbling(self) -> bool:
        """Whether the reader sends on and on, and no document is in it."""
        return self._babble > BABBLE_BYTES

    def feed(self, data: bytes, now: float) -> list[Found]:
        """Take bytes that arrived ``now``; return what is certain by now, in the order in which it was sent."""
        found = self.idle(now)
        if data:
            self._babble = max(0.0, self._babble - (now - self._last) * BABBLE_BYTES_PER_SECOND) + len(data)
            self._last = now
        for start in range(0, len(data), LIMIT // 4):
            found += self._take(data[start : start + LIMIT // 4])
        return found

    def idle(self, now: float) -> list[Found]:
        """Nothing has arrived up to ``now``; return what that makes certain."""
        silent = now - self._last
        if silent >= self._patience_seconds:
            self._part(END)
            noise, self._noise = self._noise, 0
            found = self._release_all()
            return found or ([_no_document(noise)] if noise >= NOISE_BYTES else [])
        if silent >= self._gap_seconds and self._text and not self._text.endswith((GAP, PAUSE, END)):
            self._part(GAP)
            pieces = cut(self._text)
            return self._release(pieces, max((piece.end for piece in pieces if piece.proven), default=0))
        return []

    def _take(self, data: bytes) -> list[Found]:
        found: list[Found] = []
        for byte in data:
            if chr(byte) in CHARACTERS:
                self._text += chr(byte)
            elif byte in _ENDS:
                self._part(END)
                found += self._release_all() if self._text else []
            else:
                self._noise += byte not in _LINE_BREAKS
                self._part(LINE_BREAK)
        if self._text.endswith((LINE_BREAK, PAUSE)):
            pieces = cut(self._text)
            found += self._release(pieces, max((p.end for p in pieces if p.certain(self._text)), default=0))
        if len(self._text) > LIMIT:
            found += self._make_room()
        return found

    def _part(self, mark: str) -> None:
        """Part what comes from what was before."""
        if self._text.endswith(MARKS):
            mark = joined(self._text[-1], mark)
            self._text = self._text[:-1]
        if self._text:
            self._text += mark

    def _make_room(self) -> list[Found]:
        """Let go of all but the end, in which a document may have begun."""
        pieces = cut(self._text)
        through = len(self._text) - TAIL
        across = next((piece for piece in pieces if piece.lines and piece.start < through < piece.end), None)
        return self._release(pieces, across.start if across else through)

    def _release_all(self) -> list[Found]:
        return self._release(cut(self._text), len(self._text))

    def _release(self, pieces: list[Piece], through: int) -> list[Found]:
        """Let go of the text up to a position, and say what it was."""
        found: list[Found] = []
        for piece in pieces:
            if piece.lines and piece.end <= through:
                found.append(Document(piece.lines, piece.proven, self._last))
                self._babble = self._noise = 0
            elif piece.start < through:
                runs = RUN.findall(self._text[piece.start : min(piece.end, through)])
                if max(map(len, runs), default=0) > STRAY:
                    found.append(_half(sum(map(len, runs))))
        self._text = self._text[through:].lstrip("".join(MARKS))
        return found


def _half(size: int) -> Rejected:
    return Rejected(
        "half-document",
        f"The reader sent {size} characters that are no whole document: swipe it again, in one go and not too fast.",
        size,
    )


def _no_document(size: int) -> Rejected:
    return Rejected(
        "no-document",
        f"The reader sent {size} bytes that no document has: compare its baud rate, data bits and parity with the "
        "device's file, and look at its cable.",
        size,
    )
