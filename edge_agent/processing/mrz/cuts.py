"""How a text that holds documents, one after the other and with noise between, is cut into them.

It is cut so that as little as possible is left over. A cut counts where all checks of the zone hold, or where the marks
around and between the lines leave no other. Text is of the characters of a zone, of those that readers put where they
could not make one out, and of single marks.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from edge_agent.processing.mrz.check_digits import ALPHABET
from edge_agent.processing.mrz.formats import FORMATS, Format, recognize
from edge_agent.processing.mrz.parse import parse

UNREAD: Final = "*?_"
"""What readers put where they could not make out a character."""
CHARACTERS: Final = ALPHABET + UNREAD
GAP, LINE_BREAK, PAUSE, END = MARKS = "|", "\n", "~", "="
"""Marks. Between the lines of a document there may be line breaks, never an end. A gap is one in time: if the checks of
a document hold, it may be anywhere in it. A line break with a gap is a pause."""
STRAY: Final = 4
"""Characters of noise that may touch a document. A zone with lines of 36 lies inside one with lines of 44, eight
characters in, and now and then its checks hold there by chance: with more room around it, it is not believed."""
MISPLACED: Final = 3
"""Characters that may stand in wrong places in a document whose checks fail; with more of them it is none."""
DOUBT: Final = 3
"""A document whose checks fail weighs as much as so many characters left over."""

_PARTING: Final = {LINE_BREAK, PAUSE, END}
RUN: Final = re.compile(f"[{re.escape(CHARACTERS)}]+")


def joined(mark: str, other: str) -> str:
    """The mark that two in a row make."""
    return PAUSE if {mark, other} == {GAP, LINE_BREAK} else max(mark, other, key=MARKS.index)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text: a document, or, without lines, what is left over. ``proven``: all its checks hold."""

    start: int
    end: int
    lines: tuple[str, ...] = ()
    proven: bool = False
    cost: int = 0

    def certain(self, text: str) -> bool:
        """Whether no more text could make something else of it: proven, marked off, and not short of check digits."""
        return self.proven and not self._licence and _clear(text, self.start, self.end, 0)

    @property
    def _licence(self) -> bool:
        return tuple(map(len, self.lines)) in _LICENCES

    @property
    def room(self) -> int | None:
        """How much that is left over may touch it; None: any, since it has check digits enough and fits in no other."""
        return 0 if self._licence else STRAY if len(self.lines[0]) == 36 else None


_LICENCES: Final = {(30,), (9, 30, 30)}
"""Driving licences, with one check digit or none."""
_SHAPES: Final = tuple(dict.fromkeys(fmt.lengths for fmt in FORMATS if fmt.lengths not in _LICENCES))


def _pattern(fmt: Format) -> re.Pattern[str]:
    """Finds a zone wherever it starts: all characters in their places, at most one mark between two lines."""
    gap, joint = f"{re.escape(GAP)}?", f"[{re.escape(GAP + LINE_BREAK + PAUSE)}]?"
    lines = (gap.join(f"[{re.escape(allowed)}]" for allowed in line) for line in fmt.allowed)
    return re.compile("(?=" + joint.join(f"({line})" for line in lines) + ")")


_PATTERNS: Final = tuple((fmt, _pattern(fmt)) for fmt in FORMATS)


def cut(text: str) -> list[Piece]:
    """Cut a text into documents and what is left over between them: all of it, in order."""
    by_end: dict[int, list[Piece]] = {}
    for piece in (*_proven(text), *_marked_off(text)):
        by_end.setdefault(piece.end, []).append(piece)
    costs: list[int] = [0]
    chosen: list[Piece | None] = [None]
    for end, character in enumerate(text, 1):
        best, document = costs[-1] + (character in CHARACTERS), None
        for piece in by_end.get(end, ()):
            if costs[piece.start] + piece.cost < best:
                best, document = costs[piece.start] + piece.cost, piece
        costs.append(best)
        chosen.append(document)
    pieces: list[Piece] = []
    end = position = len(text)
    while position:
        document = chosen[position]
        if document is None:
            position -= 1
            continue
        pieces += [Piece(position, end)] if position < end else []
        pieces.append(document)
        end = position = document.start
    pieces += [Piece(0, end)] if end else []
    return pieces[::-1]


def _proven(text: str) -> Iterator[Piece]:
    """Everything whose checks hold, wherever it starts, if it stands free enough."""
    found = []
    for fmt, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            lines = tuple(line.replace(GAP, "") for line in match.groups())
            if recognize(lines) is fmt and parse(lines).valid:
                found.append(Piece(match.start(1), match.end(len(lines)), lines, proven=True))
    starts, ends = {piece.start for piece in found}, {piece.end for piece in found}
    for piece in found:
        room = piece.room
        if room is None or _clear(text, piece.start, piece.end, room, starts, ends):
            yield piece


def _clear(
    text: str, start: int, end: int, room: int, starts: Collection[int] = (), ends: Collection[int] = ()
) -> bool:
    """Whether within ``room`` characters on either side there is a mark, the text's beginning, or another document.

    A gap is no mark here: a reader that halts where a smaller zone would begin is no proof of one. It takes no room.
    """
    return _reaches(text, range(start - 1, -1, -1), room, ends, 1) is not False and (
        _reaches(text, range(end, len(text)), room, starts, 0) is True
    )


def _reaches(text: str, places: range, room: int, edges: Collection[int], beyond: int) -> bool | None:
    """Whether a mark or another document's edge comes within ``room`` characters; None if the text ends before."""
    for at in places:
        if text[at] in _PARTING or at + beyond in edges:
            return True
        if text[at] != GAP:
            if not room:
                return False
            room -= 1
    return None


def _marked_off(text: str) -> Iterator[Piece]:
    """What has the shape of a document between two marks, though its checks may fail."""
    runs = [match.span() for match in RUN.finditer(text)]
    for i, (start, end) in enumerate(runs):
        for lengths in _SHAPES:
            if end - start == sum(lengths):
                spans = list(pairwise(accumulate(lengths, initial=start)))
            else:
                spans = runs[i : i + len(lengths)]
                if any(text[one[1] : two[0]] != LINE_BREAK for one, two in pairwise(spans)):
                    continue
            lines, end_of_last = tuple(text[one:two] for one, two in spans), spans[-1][1]
            if tuple(map(len, lines)) == lengths and end_of_last < len(text) and _misplaced(lines) <= MISPLACED:
                yield Piece(start, end_of_last, lines, cost=DOUBT + _misplaced(lines))


def _misplaced(lines: Sequence[str]) -> int:
    """How many characters cannot stand where they do."""
    fmt = recognize(lines)
    allowed = fmt.allowed if fmt is not None else ()
    rows = zip(lines, allowed, strict=True)
    return sum(character not in here for row in rows for character, here in zip(*row, strict=True))
