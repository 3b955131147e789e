"""TOML that is read past its syntax errors, so that all of them are told at once, and in a technician's words."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from edge_agent.config.mistakes import quote
from edge_agent.config.spans import DEEPEST_KEY, KeyPath, Place, Statement, locate, statements

MAX_ERRORS = 20
"""In one file; what comes after so many is not worth reading."""


@dataclass(frozen=True, slots=True)
class SyntaxMistake:
    """A place that is not TOML; line and column count from 1."""

    line: int
    column: int
    width: int
    path: KeyPath
    wrong: str
    allowed: str = ""
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """What could be read.

    Attributes:
        text: the file with plain line ends and its broken statements blanked out.
        data: what ``tomllib`` makes of that.
        errors: what was broken, in the order of the file. Where there are any, keys may be missing from ``data``.

    """

    text: str
    data: dict[str, Any]
    errors: tuple[SyntaxMistake, ...] = ()

    def places(self) -> dict[KeyPath, Place]:
        """Where everything in ``data`` stands."""
        return locate(self.text)


def parse(text: str) -> Document:
    """Read a TOML text."""
    text = text.replace("\r\n", "\n")  # as tomllib does
    if _TOO_DEEP.search(text):
        return Document("", {}, (SyntaxMistake(1, 1, 1, (), "a key of more parts than anything here has"),))
    errors: list[SyntaxMistake] = []
    while True:
        try:
            data = tomllib.loads(text)
        except RecursionError:
            errors.append(SyntaxMistake(1, 1, 1, (), "lists or tables are nested too deeply to be read"))
            return Document("", {}, tuple(errors))
        except ValueError as error:
            position, message = _position(text, error)
            broken = _statement(text, position)
            errors.append(_explain(text, position, message, broken))
            if len(errors) == MAX_ERRORS:
                return Document("", {}, tuple(errors))
            remaining = _without(text, position, broken, len(errors))
            if remaining == text:  # no way past it
                return Document("", {}, tuple(errors))
            text = remaining
        else:
            for number in range(1, len(errors) + 1):
                data.pop(_tombstone(number), None)
            return Document(text, data, tuple(sorted(errors, key=lambda error: (error.line, error.column))))


_SUFFIX = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_NEXT_STATEMENT = re.compile(
    r"""^[ \t]*(?:\[\[?[ \t]*[A-Za-z"'][^\],]*\]\]?[ \t]*(?:\#.*)?$|(?:[A-Za-z0-9_.-]|"[^"\n]*"|'[^'\n]*')+[ \t]*=)""",
    re.MULTILINE,
)
_TOO_DEEP = re.compile(rf"""^[ \t\[]*[\w"'-]+(?:[ \t]*\.[ \t]*[\w"'-]+){{{DEEPEST_KEY},}}""", re.MULTILINE)
_TOMBSTONE = "broken-header-"
_TOO_MANY_DIGITS = re.compile(r"\d{4300,}")


def _position(text: str, error: ValueError) -> tuple[int, str]:
    """Where tomllib stopped, and what it says without the place."""
    found = _SUFFIX.fullmatch(str(error))
    if found is None:  # not tomllib but int(), which has no place to tell
        digits = _TOO_MANY_DIGITS.search(text)
        return (digits.start() if digits else 0), "Too many digits"
    if found[2] is None:
        return len(text), found[1]
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: int(found[2]) - 1]) + int(found[3]) - 1, found[1]


def _statement(text: str, position: int) -> Statement:
    """The statement that tomllib was reading when it stopped."""
    found = [statement for statement in statements(text) if statement.start <= position]
    if found and (not found[-1].whole or position <= found[-1].end or "\n" not in text[found[-1].end : position]):
        return found[-1]
    start = text.rfind("\n", 0, position) + 1
    return Statement(start, header=False, end=position)


def _without(text: str, position: int, broken: Statement, number: int) -> str:
    """The text without the broken statement; a broken header becomes one of a table that is dropped later."""
    following = _NEXT_STATEMENT.search(text, _line_end(text, broken.start) + 1)
    limit = following.start() - 1 if following else len(text)
    end = min(_line_end(text, position), limit)
    while end < limit and _open_brackets(text[broken.start : end]):
        end = min(_line_end(text, end + 1), limit)
    end = max(end, _line_end(text, broken.start))
    blank = re.sub(r"[^\n]", " ", text[broken.start : end])
    return text[: broken.start] + (f"[{_tombstone(number)}]" if broken.header else "") + blank + text[end:]


def _tombstone(number: int) -> str:
    return f"{_TOMBSTONE}{number}"


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", min(position, len(text)))
    return len(text) if end < 0 else end


def _open_brackets(text: str) -> bool:
    return sum(text.count(opening) for opening in "[{") > sum(text.count(closing) for closing in "]}")


# -- what is wrong, in words ------------------------------------------------------------------------------------------

VALUES = "text in double quotes, a number, true, false, or a list in [ ]"
_QUOTES = str.maketrans("“”„‟«»‘’‚", '""""""' + '"""')  # noqa: RUF001  (what word processors make of quotes)
_WORDS = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def _explain(text: str, position: int, message: str, broken: Statement) -> SyntaxMistake:
    line = text[position : _line_end(text, position)]
    here = text[position : position + 1]
    rest = text[broken.end : _line_end(text, broken.end)].strip()

    def at(
        wrong: str, allowed: str = "", suggestion: str = "", *, start: int = position, width: int = 1
    ) -> SyntaxMistake:
        return _mistake(text, broken, start, start + width, wrong, allowed, suggestion)

    match message.split(" ", 2):
        case ["Cannot" | "Duplicate", ("overwrite" | "declare" | "inline"), _]:
            return _twice(text, broken)
        case ["Cannot", *_]:
            return at(
                "adds to a table or list that is written elsewhere and complete there",
                "all of it in one place",
                start=broken.start,
                width=broken.end - broken.start,
            )
        case ["Invalid", "value" | "date", *_] | ["Expected", "newline", *_] if not broken.header:
            return _bad_value(text, broken)
        case ["Too", "many", _]:
            return at("is a number with too many digits", width=10)
        case ["Unescaped" | "Invalid" | "Escaped", *_] if "\\" in text[broken.start : position]:
            return _bad_escape(text, position, broken)
        case ["Unterminated", *_] | ["Expected", '"\'"' | "\"'''\"", *_]:
            return _unclosed_text(text, broken)
        case ["Illegal" | "Found", *_]:
            if here == "\n":
                return _unclosed_text(text, broken)
            return at(f"holds the control character U+{ord(here or chr(0)):04X}", "text that can be seen")
        case ["Unclosed", "array"]:
            opened = broken.places.get(broken.path)
            start = text.find("[", opened.key.end if opened and opened.key else broken.start)
            return at("is a list without its closing ], or with a comma missing between two entries", start=start)
        case ["Unclosed", *_]:
            return at(
                "is a table in { } without its closing }, or with a comma missing between two keys",
                "all of it on one line",
            )
        case ["Expected", "'='", *_] if here == ":":
            return at(
                "has a colon in place of the equals sign", "key = value", f"{_key(text, broken)} = {line[1:].strip()}"
            )
        case ["Expected", "'='", *_]:
            return _no_equals_sign(text, broken)
        case ["Expected", "']'" | "']]'", *_]:
            return at("is a table's name that is not closed as it was opened", "[name] or [[name]]")
        case ["Invalid", "initial", *_]:
            return at(f"is not a key: {_named(here)} cannot stand here", "letters, digits, hyphens and underscores")
    if broken.header:
        return at(f"has something after the table's name: {quote(rest)}", "a new line for what follows")
    hint = "comments, which begin with #, tables such as [broker], and key = value"
    return at(f"is not a setting: the line begins with {_named(here)}", hint, width=len(line))


def _mistake(
    text: str, broken: Statement, start: int, end: int, wrong: str, allowed: str = "", suggestion: str = ""
) -> SyntaxMistake:
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    known = not (broken.path and str(broken.path[0]).startswith(_TOMBSTONE))
    path = broken.path if known else broken.path[1:]
    return SyntaxMistake(line, column, max(1, end - start), path, wrong, allowed, suggestion)


def _named(character: str) -> str:
    return "the end of the line" if character in {"", "\n"} else character if character.isprintable() else "a blank"


def _key(text: str, broken: Statement) -> str:
    return re.split(r"[=:\n]", text[broken.start :], maxsplit=1)[0].strip()


def _no_equals_sign(text: str, broken: Statement) -> SyntaxMistake:
    line = text[broken.start : _line_end(text, broken.start)]
    suggestion = ""
    if "=" in line:
        key, value = line.split("=", 1)
        suggestion = f"{re.sub(r'[^A-Za-z0-9]+', '_', key).strip('_')} = {value.strip()}"
    elif len(parts := line.split(None, 1)) == 2 and parts[0].strip("-"):
        suggestion = f"{parts[0]} = {parts[1]}" if _reads(parts[1]) else f"{parts[0]} = {quote(parts[1])}"
    return _mistake(
        text,
        broken,
        broken.start,
        broken.start + len(line.rstrip()),
        "has no equals sign after the key" if "=" not in line else "has a key of more than one word",
        "key = value",
        suggestion,
    )


def _twice(text: str, broken: Statement) -> SyntaxMistake:
    places = locate(text[: broken.start])
    prefixes = [broken.path[:length] for length in range(len(broken.path), 0, -1)]
    first = next((places[path].key for path in prefixes if path in places), None)
    where = f", first in line {text.count(chr(10), 0, first.start) + 1}" if first else ""
    own = broken.places.get(broken.path)
    return _mistake(
        text,
        broken,
        own.key.start if own and own.key else broken.start,
        own.key.end if own and own.key else broken.end,
        f"{'is a table that stands here twice' if broken.header else 'is set twice'}{where}",
        "once, with all its keys together" if broken.header else "once",
    )


def _value_span(text: str, broken: Statement) -> tuple[int, int]:
    """The value of a broken statement: all behind the equals sign that is not a comment."""
    place = broken.places.get(broken.path)
    after = place.key.end if place and place.key else broken.start
    start = text.find("=", after, _line_end(text, broken.start)) + 1 or after
    end = _line_end(text, start)
    comment = re.search(r"\s#", text[start:end])
    end = start + comment.start() if comment else end
    raw = text[start:end]
    start += len(raw) - len(raw.lstrip())
    return start, max(start, start + len(raw.strip()))


def _bad_value(text: str, broken: Statement) -> SyntaxMistake:
    start, end = _value_span(text, broken)
    raw = text[start:end]

    def found(wrong: str, allowed: str = VALUES, suggestion: str = "") -> SyntaxMistake:
        return _mistake(text, broken, start, end, wrong, allowed, suggestion)

    if not raw or raw.startswith("#"):
        return found("has no value")
    if raw.casefold() in {"null", "none", "nil", "~"}:
        return found(f"{raw} is not a value", "leave the key out where nothing is meant")
    if re.match(r"""(?:"[^"]*"|'[^']*'|\S+)\s+[A-Za-z_][\w-]*\s*=""", raw):
        return found("has another setting behind it on the same line", "one setting a line")
    if re.match(r"\d{4}-\d\d-\d\d", raw):
        return found(f"{raw} is not a date or time that exists")
    return found(f"{raw} is not a value", VALUES, _meant(raw))


def _meant(raw: str) -> str:
    """What was probably meant by something that is not a value."""
    plain = raw.translate(_QUOTES)
    candidates = [raw.rstrip(" ,;"), raw.lstrip("= "), raw.casefold(), _WORDS.get(raw.casefold(), "")]
    if re.fullmatch(r"[+-]?[\d_.,]+", raw):
        number = re.sub(r"^([+-]?)0+(?=\d)", r"\1", raw.replace(",", "."))
        candidates += [number, f"0{number}", f"{number}0"]
    candidates += [plain, f"[{raw}]" if "," in raw and raw[0] in "\"'" else ""]
    candidates += [] if raw[0] in "\"'[{" else [quote(raw)]
    return next((candidate for candidate in candidates if candidate and _reads(candidate)), "")


def _reads(value: str) -> bool:
    try:
        tomllib.loads(f"v = {value}")
    except (ValueError, RecursionError):
        return False
    return True


def _bad_escape(text: str, position: int, broken: Statement) -> SyntaxMistake:
    start, end = _value_span(text, broken)
    literal = "'" + text[start:end].strip('"') + "'"
    backslash = text.rfind("\\", broken.start, position)
    return _mistake(
        text,
        broken,
        backslash,
        backslash + 2,
        "a backslash in double quotes begins a special character",
        "single quotes around text with backslashes",
        literal if _reads(literal) else "",
    )


def _unclosed_text(text: str, broken: Statement) -> SyntaxMistake:
    start, end = _value_span(text, broken)
    raw = text[start:end]
    if raw[:3] in {'"""', "'''"}:
        return _mistake(
            text, broken, start, start + 3, "is text over several lines that never ends", f"{raw[:3]} after it"
        )
    closed = f"{raw}{raw[:1]}"
    return _mistake(
        text,
        broken,
        start,
        end,
        "is text without its closing quote",
        "the same quote at both ends, on the same line",
        closed if raw[:1] in {'"', "'"} and _reads(closed) else "",
    )
