"""Configuration files: read within bounds, decoded, parsed, and pointed into."""

from __future__ import annotations

import codecs
import os
import re
import stat
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from edge_agent.config.mistakes import Mistake
from edge_agent.config.spans import KeyPath, Place
from edge_agent.config.syntax import Document, SyntaxMistake, parse

MAX_BYTES = 256 * 1024
"""Of one file: a hundred times what a device with many regions needs."""

NOT_THERE = "is not there"


class UnreadableError(Exception):
    """A file is not there, not a file, too large or not text."""

    def __init__(self, wrong: str, allowed: str = "", line: int = 0, column: int = 0, source: str = "") -> None:
        super().__init__(wrong)
        self.wrong, self.allowed = wrong, allowed
        self.line, self.column, self.source = line, column, source


@dataclass
class Source:
    """One TOML file.

    Attributes:
        path: where it was read.
        raw: its bytes, as far as they could be read.
        document: its content, without what was broken.
        secrets: paths of values that are blotted out wherever their line is shown.

    """

    path: Path
    raw: bytes = b""
    document: Document = field(default_factory=lambda: Document("", {}))
    secrets: set[KeyPath] = field(default_factory=set)
    _unreadable: Mistake | None = None

    @classmethod
    def read(cls, path: Path) -> Source:
        """Read a file; ``unread`` says what could not be."""
        source = cls(path)
        try:
            source.raw = read_bounded(path)
            source.document = parse(_decoded(source.raw))
        except UnreadableError as error:
            source._unreadable = Mistake(
                str(path), error.line, error.column, "", error.wrong, error.allowed, source=error.source
            )
        return source

    @property
    def data(self) -> dict[str, Any]:
        """The file's content."""
        return self.document.data

    def value(self, path: KeyPath) -> Any:
        """What stands at a path of keys; None if nothing does."""
        value: Any = self.data
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        return value

    @property
    def usable(self) -> bool:
        """Whether it could be read at all."""
        return self._unreadable is None

    @property
    def broken(self) -> bool:
        """Whether something could not be read, so that what seems to be missing may only be misspelt."""
        return self._unreadable is not None or bool(self.document.errors)

    @cached_property
    def places(self) -> dict[KeyPath, Place]:
        """Where everything stands."""
        return self.document.places()

    def unread(self) -> list[Mistake]:
        """What could not be read: the file, or statements in it."""
        if self._unreadable is not None:
            return [self._unreadable]
        return [self._syntax(error) for error in self.document.errors]

    def mistake(
        self, path: KeyPath, wrong: str, allowed: str = "", suggestion: str = "", *, at_key: bool = False
    ) -> Mistake:
        """A mistake in the value (or key) at ``path``, or in the nearest table around it that is written down."""
        span = None
        for length in range(len(path), 0, -1):
            if place := self.places.get(path[:length]):
                exact = length == len(path) and not at_key
                span = (place.value if exact else place.key) or place.key or place.value
                break
        if span is None:
            return Mistake(str(self.path), 1, 1, dotted(path), wrong, allowed, suggestion)
        start, end = span.start, span.end
        line = bisect_right(self._starts, start)
        column = start - self._starts[line - 1] + 1
        return Mistake(
            str(self.path), line, column, dotted(path), wrong, allowed, suggestion, self._shown(line), end - start
        )

    def _syntax(self, error: SyntaxMistake) -> Mistake:
        wrong, allowed, suggestion, shown = error.wrong, error.allowed, error.suggestion, self._shown(error.line)
        if error.path in self.secrets:
            wrong, allowed, suggestion = "cannot be read", "the name of a credential, in double quotes", ""
            key, equals, value = shown.partition("=")
            shown = key + equals + "*" * len(value)
        where = (error.line, error.column)
        return Mistake(str(self.path), *where, dotted(error.path), wrong, allowed, suggestion, shown, error.width)

    @cached_property
    def _starts(self) -> list[int]:
        """The index of each line's first character."""
        return [0, *(found.end() for found in re.finditer("\n", self.document.text))]

    @cached_property
    def _lines(self) -> list[str]:
        return _decoded(self.raw).replace("\r\n", "\n").split("\n")

    def _shown(self, line: int) -> str:
        shown = self._lines[line - 1]
        if line > len(self._starts):
            return shown
        for path in self.secrets & self.places.keys():
            value = self.places[path].value
            if value is not None:
                first = min(max(0, value.start - self._starts[line - 1]), len(shown))
                last = min(max(first, value.end - self._starts[line - 1]), len(shown))
                shown = shown[:first] + "*" * (last - first) + shown[last:]
        return shown


def read_bounded(path: Path, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a regular file.

    Raises:
        UnreadableError: it is not there, not a file, not readable, or larger than ``limit``.

    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not stop us
        try:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise UnreadableError(f"is {'a folder' if stat.S_ISDIR(mode) else 'a device or pipe'}, not a file")
            with os.fdopen(os.dup(descriptor), "rb") as file:
                data = file.read(limit + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UnreadableError(unreadable(path, error)) from error
    except ValueError as error:  # a zero character
        raise UnreadableError("is not a path") from error
    if len(data) > limit:
        raise UnreadableError("is too large for a configuration file", f"at most {limit // 1024} KiB")
    return data


def unreadable(path: Path, error: OSError) -> str:
    """Why a file or folder cannot be opened, in words."""
    match error:
        case FileNotFoundError():
            return "is a link to a file that is not there" if path.is_symlink() else NOT_THERE
        case PermissionError():
            return f"may not be read by the user {_user()}"
        case NotADirectoryError():
            return "is not in a folder: a part of its path is a file"
        case _:
            return f"cannot be read ({error.strerror})"


def dotted(path: KeyPath) -> str:
    """``broker.tls.ca`` or ``settings.regions[2].name``: how a setting is called in messages."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            plain = part.replace("_", "").replace("-", "").isalnum() and part.isascii()
            text += ("." if text else "") + (part if plain else f'"{part}"')
    return text


def _user() -> str:
    import pwd  # noqa: PLC0415  (only for this message)

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableError("is saved as UTF-16", "UTF-8: choose it in the editor's `save as`", 1, 1)
    data = data.removeprefix(codecs.BOM_UTF8)  # some editors write one; it means nothing
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
        shown = data.split(b"\n")[line - 1].decode(errors="replace")
        raise UnreadableError(
            f"holds the byte 0x{data[error.start]:02X}, which is not UTF-8",
            "UTF-8: choose it in the editor's `save as`",
            line,
            column,
            shown.rstrip("\r"),
        ) from error
