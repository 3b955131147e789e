"""From text as a device sends it to the lines of a machine readable zone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_ONE_PIECE: Final = {88: (44, 44), 72: (36, 36), 90: (30, 30, 30), 69: (9, 30, 30)}
"""The lengths of the lines in a zone that arrives without line breaks, by its length."""


def as_lines(text: str | Sequence[str]) -> tuple[str, ...]:
    """The lines of a zone; white space, control characters and empty lines are dropped, nothing else is changed.

    Any line break will do (CR, LF, CRLF, form feed), and none as well: some swipe readers send 72, 88 or 90 characters.
    """
    pieces = text.splitlines() if isinstance(text, str) else (piece for line in text for piece in line.splitlines())
    cleaned = ("".join(c for c in piece if c.isprintable() and not c.isspace()) for piece in pieces)
    lines = tuple(line for line in cleaned if line)
    if len(lines) == 1 and len(lines[0]) in _ONE_PIECE:
        return tuple(_cut(lines[0], _ONE_PIECE[len(lines[0])]))
    return lines


def _cut(text: str, lengths: Sequence[int]) -> list[str]:
    ends = [sum(lengths[: i + 1]) for i in range(len(lengths))]
    return [text[end - length : end] for end, length in zip(ends, lengths, strict=True)]
