"""A mistake in the configuration: where it is, what is wrong, what is allowed, and what was probably meant."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

LONGEST_QUOTE = 60
LONGEST_LINE = 100
"""Characters of a source line that are shown around a mistake."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake, or one note about something that is allowed but may not be meant.

    Attributes:
        file: as the caller named the folder, so that an editor finds it.
        line: counts from 1; 0 when it is about the file as a whole.
        column: counts characters from 1; 0 when it is about the file as a whole.
        key: with the tables it stands in (``broker.tls.ca``); empty when it is about no key.
        wrong: what was found.
        allowed: what could stand there; may be empty.
        suggestion: what was probably meant, as it would be written; may be empty.
        source: the line of the file, with secrets blotted out; empty when it is about what is not in the file.
        width: characters to be marked from ``column`` on.

    """

    file: str
    line: int
    column: int
    key: str
    wrong: str
    allowed: str = ""
    suggestion: str = ""
    source: str = ""
    width: int = 1

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        parts = [f"{self.key}: {self.wrong}" if self.key else self.wrong]
        if self.allowed:
            parts.append(f"allowed: {self.allowed}")
        if self.suggestion:
            parts.append(f"did you mean {self.suggestion}?")
        return _printable(f"{where}: {'; '.join(parts)}")

    @property
    def snippet(self) -> str:
        """The source line with its number, and below it a caret under what is meant; empty for a file as a whole."""
        if not self.source:
            return ""
        first = max(0, self.column - 1 - LONGEST_LINE // 2) if len(self.source) > LONGEST_LINE else 0
        shown = self.source[first : first + LONGEST_LINE]
        before = shown[: self.column - 1 - first]
        marked = shown[self.column - 1 - first :][: self.width]
        number = f"{self.line:>6} | "
        gap = " " * (len(number) - 2) + "| "
        indent = "".join("\t" if character == "\t" else " " * _cells(character) for character in before)
        return f"{number}{_printable(shown)}\n{gap}{indent}{'^' * max(1, sum(map(_cells, marked)))}"


def quote(value: str) -> str:
    """Text as TOML writes it, cut off where it gets long."""
    short = value if len(value) <= LONGEST_QUOTE else value[: LONGEST_QUOTE - 1] + "…"
    return json.dumps(short, ensure_ascii=False)


def nearest(word: str, choices: Iterable[str]) -> str:
    """The choice that was probably meant, whatever its case and with hyphens for underscores; empty if none is near."""
    plain = {_plain(choice): choice for choice in choices}
    found = get_close_matches(_plain(word), plain, 1, 0.6)
    return plain[found[0]] if found else ""


def listed(words: Iterable[str]) -> str:
    """``a, b or c``."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _plain(word: str) -> str:
    return word.casefold().replace("-", "_").replace(" ", "_")


def _printable(text: str) -> str:
    """A file may hold anything, and a terminal obeys escape sequences."""
    return "".join(character if character.isprintable() or character == "\t" else "�" for character in text)


def _cells(character: str) -> int:
    """How many columns of a terminal a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
