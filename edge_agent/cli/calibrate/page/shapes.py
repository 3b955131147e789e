"""Zones, lines and masks as they are drawn, and their way into a device's file, of which everything else stays."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drivers.cctv.settings import AreaName, Corners, Point
from edge_agent.config import fields
from edge_agent.config.spans import KeyPath, Span, Statement, locate, statements
from edge_agent.config.syntax import parse

KINDS: Final = ("zones", "lines", "masks")
DECIMALS: Final = 4
"""Of a coordinate: a hundredth of a pixel of the picture that is analysed."""


class _Drawn(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: AreaName


class Area(_Drawn):
    """A zone or a mask."""

    polygon: Corners


class Stroke(_Drawn):
    """A line."""

    start: Point
    end: Point


class Shapes(BaseModel):
    """All that is drawn in a picture. What else a zone has (its seconds) stays as it is in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zones: Annotated[list[Area], Field(max_length=32)] = []
    lines: Annotated[list[Stroke], Field(max_length=32)] = []
    masks: Annotated[list[Area], Field(max_length=32)] = []


class FormError(ValueError):
    """The file is written in a way in which nothing can be put; says which."""


def edited(text: str, shapes: Shapes) -> str:
    """A device's file with these shapes. Comments, and whatever is not about them, stay as they are.

    Raises:
        FormError: ``[settings]`` is written as an inline table.
    """
    document = parse(text)
    if document.errors:
        raise FormError("the file has mistakes: see edge-agent check")
    ends = "\r\n" if "\r\n" in text else "\n"
    text = document.text
    settings = document.data.get("settings", {})
    changes: list[tuple[int, int, str]] = []
    added: list[str] = []
    for kind in KINDS:
        before = settings.get(kind, [])
        drawn: dict[str, dict[str, Any]] = {shape.name: _table(shape) for shape in getattr(shapes, kind)}
        inline = next((s for s in statements(text) if not s.header and s.path == ("settings", kind)), None)
        if inline is not None:
            changes.append((*_lines(text, inline.start, inline.end), ""))
            known = {entry.get("name"): entry for entry in before}
            drawn = {name: {**known.get(name, {}), **table} for name, table in drawn.items()}
        else:
            for index, entry in enumerate(before):
                path = ("settings", kind, index)
                new = drawn.pop(str(entry.get("name")), None)
                changes += _moved(text, path, entry, new) if new is not None else [_removed(text, path)]
        added += [_block(kind, table) for table in drawn.values()]
    for start, end, new_text in sorted(changes, reverse=True):
        text = text[:start] + new_text + text[end:]
    if added:
        text = text.rstrip("\n") + "\n" + "".join(f"\n{block}" for block in added)
    return text.replace("\n", ends)


def _table(shape: Area | Stroke) -> dict[str, Any]:
    def rounded(value: Any) -> Any:
        return round(value, DECIMALS) if isinstance(value, float) else value

    def plain(value: Any) -> Any:
        return [plain(part) for part in value] if isinstance(value, list | tuple) else rounded(value)

    return {key: plain(value) for key, value in shape.model_dump().items()}


def _block(kind: str, table: dict[str, Any]) -> str:
    lines = [f"{key} = {fields.written(value)}\n" for key, value in table.items()]
    return f"[[settings.{kind}]]\n" + "".join(lines)


def _moved(text: str, path: KeyPath, entry: dict[str, Any], new: dict[str, Any]) -> list[tuple[int, int, str]]:
    """The values of an entry that are others now."""
    places = locate(text)
    changes = []
    for key, value in new.items():
        place = places.get((*path, key))
        span: Span | None = place.value if place is not None else None
        if span is None:
            raise FormError(f"{key} of a shape is written in a way in which it cannot be changed")
        if entry.get(key) != value:
            changes.append((span.start, span.end, fields.written(value)))
    return changes


def _removed(text: str, path: KeyPath) -> tuple[int, int, str]:
    """An entry with its header, as whole lines."""
    inside: list[Statement] = []
    for statement in statements(text):
        if statement.header and inside:
            break
        if statement.path == path or inside:
            inside.append(statement)
    if not inside or not inside[0].header:
        raise FormError("a shape is written in a way in which it cannot be removed")
    return (*_lines(text, inside[0].start, inside[-1].end), "")


def _lines(text: str, start: int, end: int) -> tuple[int, int]:
    """The whole lines around a span."""
    after = text.find("\n", end)
    return text.rfind("\n", 0, start) + 1, len(text) if after < 0 else after + 1


def shapes_in(text: str) -> Shapes:
    """What is drawn in a device's file so far; nothing where that has mistakes."""
    settings = parse(text).data.get("settings", {})
    found = {
        kind: [{key: entry[key] for key in model.model_fields if key in entry} for entry in settings.get(kind, [])]
        for kind, model in (("zones", Area), ("lines", Stroke), ("masks", Area))
    }
    try:
        return Shapes.model_validate(found)
    except ValidationError:
        return Shapes()
