"""What the models say about each setting, in a technician's words: what is allowed, and what its default is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ByteSize, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo

from edge_agent.config.mistakes import listed, quote
from edge_agent.config.spans import KeyPath

DEEPEST = 8
"""Tables in tables: a model may contain itself."""

WORDS = {
    "^[a-z0-9]+(-[a-z0-9]+)*$": "lower-case letters, digits and single hyphens",
    "^[a-z]{2}$": "two lower-case letters",
    "^[A-Za-z0-9._-]+$": "letters, digits, dots, hyphens and underscores",
}
"""Patterns of our models; one that is not here is shown as it is."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of a value: its annotation without ``Annotated`` and ``None``, and what constrains it."""

    annotation: Any
    constraints: tuple[Any, ...] = ()

    @classmethod
    def of(cls, annotation: Any, constraints: Sequence[Any] = ()) -> Kind:
        """Unwrap ``Annotated[...]`` and ``... | None``."""
        found = tuple(constraints)
        while True:
            if isinstance(annotation, FieldInfo):
                found = (*annotation.metadata, annotation.json_schema_extra, *found)
                annotation = annotation.annotation
            elif get_origin(annotation) is Annotated:
                annotation, *extra = get_args(annotation)
                for item in extra:
                    found += (*item.metadata, item.json_schema_extra) if isinstance(item, FieldInfo) else (item,)
            elif get_origin(annotation) in {Union, UnionType}:
                members = [member for member in get_args(annotation) if member is not NoneType]
                if len(members) != 1:
                    return cls(annotation, found)
                annotation = members[0]
            else:
                return cls(annotation, found)

    @property
    def members(self) -> tuple[Kind, ...]:
        """The alternatives of a union; otherwise itself."""
        if get_origin(self.annotation) not in {Union, UnionType}:
            return (self,)
        arguments = [member for member in get_args(self.annotation) if member is not NoneType]
        return tuple(Kind.of(member, self.constraints) for member in arguments)

    @property
    def model(self) -> type[BaseModel] | None:
        """The model of a table."""
        is_model = isinstance(self.annotation, type) and issubclass(self.annotation, BaseModel)
        return self.annotation if is_model else None

    @property
    def choices(self) -> tuple[str, ...]:
        """The words that are allowed, where there are only some."""
        if get_origin(self.annotation) is Literal:
            return tuple(str(choice) for choice in get_args(self.annotation))
        if isinstance(self.annotation, type) and issubclass(self.annotation, Enum):
            return tuple(str(choice.value) for choice in self.annotation)
        return ()

    @property
    def pattern(self) -> str:
        """The regular expression that a text must match; empty for any text."""
        pattern = self._constraint("pattern")
        return str(getattr(pattern, "pattern", pattern) or "")

    @property
    def secret(self) -> bool:
        """Whether it names a credential: a field with ``json_schema_extra={"secret": True}``."""
        return any(isinstance(constraint, dict) and constraint.get("secret") for constraint in self.constraints)

    def inner(self, part: str | int) -> Kind | None:
        """The kind of an entry of a list or table."""
        for member in self.members:
            arguments = get_args(member.annotation)
            if member.model is not None and isinstance(part, str) and part in names(member.model):
                return Kind.of(names(member.model)[part])
            if get_origin(member.annotation) is dict and isinstance(part, str):
                return Kind.of(arguments[1])
            if get_origin(member.annotation) is tuple and isinstance(part, int) and Ellipsis not in arguments:
                return Kind.of(arguments[part]) if part < len(arguments) else None
            if get_origin(member.annotation) in _LISTS and isinstance(part, int):
                return Kind.of(arguments[0])
        return None

    def at(self, path: KeyPath) -> Kind | None:
        """The kind of what is at a path in here."""
        kind: Kind | None = self
        for part in path:
            kind = kind.inner(part) if kind is not None else None
        return kind

    def fits(self, value: object) -> bool:
        """Whether a value is allowed."""
        constraints = [constraint for constraint in self.constraints if not isinstance(constraint, dict | None)]
        try:
            annotated: Any = Annotated[(self.annotation, *constraints)] if constraints else self.annotation
            TypeAdapter(annotated).validate_json(as_json(value), strict=True)
        except (ValidationError, PydanticUserError, TypeError):
            return False
        return True

    def words(self) -> str:
        """What is allowed."""
        if len(self.members) > 1:
            return listed(dict.fromkeys(member.words() for member in self.members))
        if get_origin(self.annotation) is Literal or self.choices:
            return listed(_written(choice) for choice in self._raw_choices())
        if self.model is not None:
            return f"a table with the keys {', '.join(names(self.model))}" if names(self.model) else "an empty table"
        arguments = get_args(self.annotation)
        origin = get_origin(self.annotation) or self.annotation
        if origin is tuple and arguments and Ellipsis not in arguments:
            return f"a list of {len(arguments)}: {', '.join(Kind.of(argument).words() for argument in arguments)}"
        if origin in _LISTS:
            return f"a list{self._range('entries')}" + (f", each {Kind.of(arguments[0]).words()}" if arguments else "")
        if origin is dict:
            return "a table" + (f", each value {Kind.of(arguments[1]).words()}" if arguments else "")
        if origin is str:
            return self._text()
        if origin is Path:
            kind = self._constraint("path_type")
            return {"file": "the path of a file that exists", "dir": "the path of a folder that exists"}.get(
                str(kind), "a path"
            )
        noun = _NOUNS.get(origin) or str(getattr(origin, "__name__", origin))
        return noun + self._range()

    def _raw_choices(self) -> tuple[Any, ...]:
        if get_origin(self.annotation) is Literal:
            return get_args(self.annotation)
        return tuple(self.annotation)

    def _text(self) -> str:
        text = WORDS.get(self.pattern, f"text of the form {self.pattern}") if self.pattern else "text"
        shortest, longest = self._constraint("min_length"), self._constraint("max_length")
        if longest is not None:
            text += (
                f", {'' if not shortest else f'{shortest} to '}{'at most ' if not shortest else ''}{longest} characters"
            )
        elif shortest:
            text += " that is not empty" if shortest == 1 else f", at least {shortest} characters"
        return text

    def _range(self, unit: str = "") -> str:
        """`` from 1 to 65535``, `` above 0 and below 5``, or nothing."""
        low, high = self._constraint("min_length" if unit else "ge"), self._constraint("max_length" if unit else "le")
        above, below = self._constraint("gt"), self._constraint("lt")
        step = self._constraint("multiple_of")
        after = f" {unit}" if unit else ""
        if low is not None and high is not None:
            text = f" of {low} to {high}{after}" if unit else f" from {low} to {high}"
        else:
            bounds = [("above", above), ("at least", low), ("below", below), ("at most", high)]
            text = " and ".join(f"{words} {bound}" for words, bound in bounds if bound is not None)
            text = f" {'of ' if unit or text.startswith('at') else ''}{text}{after}" if text else ""
        return text + (f" in steps of {step}" if step is not None else "")

    def _constraint(self, name: str) -> Any:
        found = [getattr(constraint, name, None) for constraint in self.constraints]
        return next((value for value in found if value is not None), None)


_LISTS = {list, tuple, set, frozenset, Sequence}
_NOUNS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    ByteSize: 'a size such as "64 MiB"',
    datetime: "a date and time such as 2025-01-31T08:00:00Z",
    date: "a date such as 2025-01-31",
    time: "a time such as 08:00:00",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a model.

    Attributes:
        path: its keys; an entry of a list is the index 0.
        allowed: what may stand there.
        default: what holds if it is left out, as TOML; None if it must be given, empty if nothing then holds.
        description: what it is for.

    """

    path: KeyPath
    allowed: str
    default: str | None
    description: str


def as_json(value: object) -> str:
    """A value of TOML for pydantic, whose strict mode for JSON tells types apart as TOML does.

    Raises:
        TypeError: it is none.

    """
    return json.dumps(value, default=_isoformat)


def _isoformat(value: object) -> str:
    if isinstance(value, date | time):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def names(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the key that stands in the file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def settings(model: type[BaseModel], at: KeyPath = ()) -> Iterator[Setting]:
    """All settings of a model, those of its tables included, in the order in which they are written there."""
    for key, field in names(model).items():
        path, kind = (*at, key), Kind.of(field)
        inner = [(path, member.model) for member in kind.members if member.model is not None]
        entry = kind.inner(0)
        if entry is not None:
            inner += [((*path, 0), member.model) for member in entry.members if member.model is not None]
        if not inner or entry is not None:
            yield Setting(path, kind.words(), default(field), field.description or "")
        if len(path) < DEEPEST:
            for where, table in inner:
                yield from settings(table, where)


def tables(model: type[BaseModel], at: KeyPath = ()) -> Iterator[tuple[KeyPath, type[BaseModel]]]:
    """A model and the tables in it, those in lists not included, with their paths."""
    yield at, model
    for key, field in names(model).items():
        inner = Kind.of(field).model
        if inner is not None and len(at) < DEEPEST:
            yield from tables(inner, (*at, key))


def secrets(model: type[BaseModel], at: KeyPath = ()) -> Iterator[KeyPath]:
    """Where the names of credentials stand."""
    for path, table in tables(model, at):
        yield from ((*path, key) for key, field in names(table).items() if Kind.of(field).secret)


def default(field: FieldInfo) -> str | None:
    """What holds if a setting is left out, as TOML; None if it must be given, empty for nothing."""
    if field.is_required():
        return None
    try:
        return written(field.get_default(call_default_factory=True))
    except (TypeError, ValueError):  # a default that depends on other settings
        return ""


def written(value: Any) -> str:
    """A value as TOML; empty for None."""
    match value:
        case None:
            return ""
        case BaseModel():
            return written({key: getattr(value, key) for key in type(value).model_fields})
        case Enum():
            return written(value.value)
        case ByteSize():
            return _size(value)
        case dict():
            pairs = [f"{key} = {text}" for key, inner in value.items() if (text := written(inner))]
            return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
        case list() | tuple() | set() | frozenset():
            return f"[{', '.join(map(written, value))}]"
        case _:
            return _written(value)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return json.dumps(str(value), ensure_ascii=False)


def _size(value: int) -> str:
    for power, unit in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if value and value % 1024**power == 0:
            return quote(f"{value // 1024**power} {unit}")
    return str(value)
