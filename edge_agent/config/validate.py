"""From a table of a file to a model, or to mistakes in a technician's words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import date, time
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ByteSize, ValidationError
from pydantic_core import ErrorDetails

from edge_agent.config.fields import Kind, as_json, default, names, written
from edge_agent.config.files import Source, dotted
from edge_agent.config.mistakes import Mistake, listed, nearest, quote
from edge_agent.config.spans import KeyPath

M = TypeVar("M", bound=BaseModel)
Shape = Iterable[tuple[KeyPath, type[BaseModel]]]
"""All tables that a file may have, so that a key in the wrong one can be told from a misspelt one."""


def validate(
    model: type[M], table: dict[str, Any], source: Source, shape: Shape, at: KeyPath = ()
) -> tuple[M | None, list[Mistake]]:
    """Check the table that stands at ``at`` in a file.

    TOML has types of its own, so ``"1883"`` is not taken for a number nor 1 for true: pydantic's strict mode for JSON.
    """
    root = Kind(model)
    misread = [
        _wrong({**_NO_DETAIL, "type": kind}, root, path, table, source, at) for path, kind in _misread(table, root)
    ]
    try:
        typed = model.model_validate_json(as_json(table), strict=True)
    except ValidationError as error:
        known = {mistake.key for mistake in misread}
        others = _translate(error, root, table, source, tuple(shape), at)
        return None, [*misread, *(mistake for mistake in others if mistake.key not in known)]
    return (None, misread) if misread else (typed, [])


def _misread(value: Any, root: Kind, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """What pydantic would accept and understand wrongly: ``"1,5 GiB"`` as one byte, a date as text."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _misread(inner, root, (*path, key))
        case list():
            for index, inner in enumerate(value):
                yield from _misread(inner, root, (*path, index))
        case str() if _SIZE.fullmatch(value) is None and _is(root.at(path), ByteSize):
            yield path, "byte_size"
        case date() | time() if _is(root.at(path), str, Path):
            yield path, "string_type"


def _is(kind: Kind | None, *types: type) -> bool:
    return kind is not None and kind.annotation in types


_SIZE = re.compile(r"\s*\d+(\.\d+)?\s*[A-Za-z]*\s*")
_NO_DETAIL: ErrorDetails = {"type": "", "loc": (), "msg": "", "input": None}


def _translate(
    error: ValidationError, root: Kind, table: dict[str, Any], source: Source, shape: Shape, at: KeyPath
) -> Iterator[Mistake]:
    first: dict[KeyPath, ErrorDetails] = {}
    for detail in error.errors(include_url=False):  # several at one place: the alternatives of a union
        first.setdefault(_path(detail, table), detail)
    for path, detail in first.items():
        if detail["type"] == "missing" and isinstance(path[-1], str):
            if not source.broken:
                yield _missing(root, (*at, *path), source, at)
        elif detail["type"] == "extra_forbidden":
            yield _unknown(root.at(path[:-1]), (*at, *path), source, shape)
        else:
            short = detail["type"] == "missing"  # an entry of a list of fixed length
            yield _wrong(detail, root, path[:-1] if short else path, table, source, at)


def _path(detail: ErrorDetails, table: dict[str, Any]) -> KeyPath:
    """Where an error is in the file: its place for pydantic without the names of the alternatives that were tried."""
    path: KeyPath = ()
    node: Any = table
    for part in detail["loc"]:
        if isinstance(node, dict) and part in node:
            path, node = (*path, part), node[part]
        elif isinstance(node, list) and isinstance(part, int):
            path, node = (*path, part), node[part] if part < len(node) else None
        elif detail["type"] == "missing" and part == detail["loc"][-1]:
            path = (*path, part)
    return path


def _value(table: dict[str, Any], path: KeyPath) -> Any:
    value: Any = table
    for part in path:
        value = value[part]
    return value


def _missing(root: Kind, path: KeyPath, source: Source, at: KeyPath) -> Mistake:
    kind = root.at(path[len(at) :])
    return source.mistake(path, "is missing", kind.words() if kind else "")


def _unknown(parent: Kind | None, path: KeyPath, source: Source, shape: Shape) -> Mistake:
    *around, key = path
    model = next((member.model for member in parent.members if member.model), None) if parent else None
    known = list(names(model)) if model else []
    elsewhere = [dotted((*table, key)) for table, inner in shape if key in names(inner) and list(table) != around]
    suggestion = elsewhere[0] if elsewhere else nearest(str(key), known)
    if not suggestion and not around:
        suggestion = nearest(str(key), [dotted((*table, name)) for table, inner in shape for name in names(inner)])
    allowed = listed(known) if known else "no keys"
    where = f" in [{dotted(tuple(around))}]" if around else ""
    return source.mistake(path, f"is not known{where}", allowed, suggestion, at_key=True)


def _wrong(
    detail: ErrorDetails, root: Kind, path: KeyPath, table: dict[str, Any], source: Source, at: KeyPath
) -> Mistake:
    kind, value = root.at(path), _value(table, path)
    if not path or kind is None:  # a check of the whole table
        return source.mistake((*at, *path), _said(detail, value))
    parent = root.at(path[:-1])
    model = parent.model if parent is not None else None
    left_out = default(names(model)[str(path[-1])]) if model is not None else None
    allowed = kind.words() + (f" (default {left_out})" if left_out else "")
    if kind.secret:
        return source.mistake((*at, *path), "this is not the name of a credential", allowed)
    return source.mistake((*at, *path), _said(detail, value), allowed, _meant(kind, value))


def _said(detail: ErrorDetails, value: Any) -> str:
    """What is wrong with a value."""
    found = written(value) if not isinstance(value, str) else quote(value)
    context = detail.get("ctx", {})
    if isinstance(value, date | time):
        return f"is {_type(value)}"
    match detail["type"]:
        case "greater_than" | "greater_than_equal":
            return f"{found} is too small"
        case "less_than" | "less_than_equal":
            return f"{found} is too large"
        case "string_too_short":
            return "is empty" if value == "" else f"{found} is too short"
        case "string_too_long":
            return f"is too long: {len(value)} characters"
        case "too_short" | "too_long" | "missing":
            return f"has {len(value)} {'entry' if len(value) == 1 else 'entries'}"
        case "literal_error" | "enum" if isinstance(value, str):
            return f"{found} is not one of the choices"
        case "string_pattern_mismatch":
            return "is empty" if value == "" else f"{found} does not have the right form"
        case "byte_size" | "byte_size_unit" if isinstance(value, str):
            return f"{found} is not a size"
        case "finite_number":
            return f"{found} is not a finite number"
        case "multiple_of":
            return f"{found} is not a whole number of steps"
        case "path_not_file":
            return f"{found} is not a file that exists"
        case "path_not_directory":
            return f"{found} is not a folder that exists"
        case "path_not_exists" | "path_does_not_exist":
            return f"{found} does not exist"
        case "value_error" | "assertion_error":
            return str(context.get("error") or detail["msg"])
        case "union_tag_invalid" | "union_tag_not_found":
            choices = context.get("expected_tags", "")
            return f"is none of the kinds that {context.get('discriminator')} tells apart: {choices}".rstrip(": ")
        case kind if kind.endswith(("_type", "_parsing")) or kind in {"int_from_float", "literal_error", "enum"}:
            return f"is {_type(value)}"
        case kind if kind.startswith("byte_size"):
            return f"is {_type(value)}"
        case _:
            return f"{found}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"


def _type(value: Any) -> str:
    match value:
        case bool():
            return written(value)
        case str():
            return f"the text {quote(value)}"
        case int():
            return f"the whole number {value}"
        case float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return f"the date or time {value}"


def _meant(kind: Kind, value: Any) -> str:
    """A value that is allowed and close to the one found; empty if there is none."""
    if kind.choices:
        near = nearest(str(value), kind.choices)
        return quote(near) if near else ""
    guesses = (guess for guess in _guesses(value, kind) if type(guess) is not type(value) or guess != value)
    return next((_short(guess) for guess in guesses if kind.fits(guess)), "")


def _short(value: Any) -> str:
    text = written(value)
    return text if len(text) <= 60 else ""


def _guesses(value: Any, kind: Kind) -> Iterator[Any]:
    match value:
        case str():
            stripped = value.strip()
            for text in (stripped, stripped.lower(), stripped.replace(",", ".")):
                try:
                    yield tomllib.loads(f"value = {text}")["value"]
                except ValueError:
                    continue
            yield {"yes": True, "on": True, "no": False, "off": False}.get(stripped.lower())
            if size := re.fullmatch(r"(\d+(?:[.,]\d+)?)\W*([kmgt])\w*", stripped.lower()):
                yield f"{size[1].replace(',', '.')} {size[2].upper()}iB"
            if kind.pattern:
                yield stripped.lower()
                yield re.sub(r"[^a-z0-9]+", "-", stripped.lower()).strip("-")
            yield [value]
        case bool():
            return
        case date() | time():
            yield value.isoformat()
        case int() | float():
            if isinstance(value, float) and value.is_integer():
                yield int(value)
            if value in {0, 1}:
                yield bool(value)
            yield str(value)
            yield [value]
