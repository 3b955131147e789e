"""Where each key and value of a TOML text stands, which no TOML reader tells.

``tomllib`` decides what is TOML and what it means; this scanner only has to agree with it on where things are, and is
used only once there is something to point at. On a text that ``tomllib`` refuses it goes as far as it can.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

KeyPath = tuple[str | int, ...]
"""The way to a value: keys, and indices of lists."""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``start`` to before ``end``, counted from 0."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a setting stands. A list entry has no key; a table that is written with headers has no value."""

    key: Span | None
    value: Span | None


@dataclass(slots=True)
class Statement:
    """A header or a ``key = value``.

    Attributes:
        start: its first character.
        end: after its last character, or where it stops making sense.
        path: of the table that it opens, or of the key that it sets; what is known of it in a broken one.
        header: whether it is ``[...]`` or ``[[...]]``.
        whole: whether it could be followed to its end; nothing comes after one that could not.
        places: of everything in it, by path.

    """

    start: int
    header: bool
    end: int = 0
    path: KeyPath = ()
    whole: bool = True
    places: dict[KeyPath, Place] = field(default_factory=dict)


def locate(text: str) -> dict[KeyPath, Place]:
    """The place of each key, value and list entry of a TOML text, by its path in what ``tomllib`` makes of it."""
    places: dict[KeyPath, Place] = {}
    for statement in statements(text):
        for path, place in statement.places.items():
            places.setdefault(path, place)
    return places


def statements(text: str) -> Iterator[Statement]:
    """The statements of a TOML text in their order, up to and with the first that is broken."""
    scanner = _Scanner(text)
    table: KeyPath = ()
    lengths: dict[KeyPath, int] = {}
    while scanner.skip(_BETWEEN) < len(text):
        statement = Statement(scanner.at, header=text[scanner.at] == "[")
        try:
            if statement.header:
                scanner.header(statement, lengths)
                table = statement.path
            else:
                scanner.pair(table, statement)
        except (_BrokenError, RecursionError):
            statement.whole = False
        statement.end = scanner.at
        yield statement
        if not statement.whole:
            return
        scanner.skip(_REST_OF_LINE)


_BETWEEN = re.compile(r"(?:\s|#[^\n]*)*")
_REST_OF_LINE = re.compile(r"[^\n]*")
_BLANK = re.compile(r"[ \t]*")
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*'""")
_STRING = re.compile(
    r'''"""(?:\\.|[^\\])*?""""{0,2}'''  # up to two quotes before the closing three belong to the text
    r"""|'''.*?''''{0,2}"""
    r"""|"(?!"")(?:\\.|[^"\\\n])*"|'(?!'')[^'\n]*'""",
    re.DOTALL,
)
_SCALAR = re.compile(r"\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*|[^\s,\]}#]+")


DEEPEST_KEY = 64
"""Parts of a dotted key: time and memory grow with the square of them, in tomllib as well."""


class _BrokenError(Exception):
    """The text cannot be followed any further."""


class _Scanner:
    """A position in a text, moved on by what is there."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0

    def skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self.at)
        if found is not None:
            self.at = found.end()
        return self.at

    def header(self, statement: Statement, lengths: dict[KeyPath, int]) -> None:
        """``[a.b]`` or ``[[a.b]]``; ``lengths`` are those of all lists of tables so far."""
        listed = self._text.startswith("[[", self.at)
        self.at += 2 if listed else 1
        path: KeyPath = ()
        parts = self._key()
        for number, (part, span) in enumerate(parts, 1):
            path += (part,)
            statement.path = path
            statement.places[path] = Place(span, None)
            if listed and number == len(parts):
                lengths[path] = lengths.get(path, 0) + 1
            if path in lengths:
                path += (lengths[path] - 1,)
                statement.path = path
                statement.places[path] = Place(span, None)
        self._take("]]" if listed else "]")

    def pair(self, table: KeyPath, statement: Statement) -> None:
        """``a.b = value``."""
        path = table
        parts = self._key()
        for part, span in parts:
            path += (part,)
            statement.places[path] = Place(span, None)
        statement.path = statement.path or path
        self._take("=")
        self.skip(_BLANK)
        value = self._value(path, statement)
        statement.places[path] = Place(parts[-1][1], value)

    def _key(self) -> list[tuple[str, Span]]:
        parts = []
        while True:
            self.skip(_BLANK)
            start = self.at
            if self.skip(_KEY_PART) == start:
                self._give_up()
            parts.append((self._unquoted(self._text[start : self.at]), Span(start, self.at)))
            self.skip(_BLANK)
            if not self._text.startswith(".", self.at):
                return parts
            if len(parts) == DEEPEST_KEY:
                self._give_up()
            self.at += 1

    def _unquoted(self, part: str) -> str:
        if part[0] not in "\"'":
            return part
        if "\\" not in part:
            return part[1:-1]
        try:
            return str(tomllib.loads(f"key = {part}")["key"])
        except tomllib.TOMLDecodeError:
            self._give_up()

    def _value(self, path: KeyPath, statement: Statement) -> Span:
        start = self.at
        match self._text[start : start + 1]:
            case '"' | "'":
                end = self.skip(_STRING)
            case "[":
                end = self._list(path, statement)
            case "{":
                end = self._inline_table(path, statement)
            case _:
                end = self.skip(_SCALAR)
        if end == start:
            self._give_up()
        return Span(start, end)

    def _list(self, path: KeyPath, statement: Statement) -> int:
        self.at += 1
        index = 0
        while not self._closes("]"):
            entry = (*path, index)
            statement.places[entry] = Place(None, self._value(entry, statement))
            index += 1
            if not self._closes("]", move=False):
                self._take(",")
        return self.at

    def _inline_table(self, path: KeyPath, statement: Statement) -> int:
        self.at += 1
        while not self._closes("}"):
            self.pair(path, statement)
            if not self._closes("}", move=False):
                self._take(",")
        return self.at

    def _closes(self, bracket: str, *, move: bool = True) -> bool:
        self.skip(_BETWEEN)
        closes = self._text.startswith(bracket, self.at)
        if closes and move:
            self.at += 1
        return closes

    def _take(self, expected: str) -> None:
        if not self._text.startswith(expected, self.at):
            self._give_up()
        self.at += len(expected)

    def _give_up(self) -> NoReturn:
        raise _BrokenError
