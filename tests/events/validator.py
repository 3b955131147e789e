"""JSON Schema 2020-12 as far as our schemas use it, and strict: a keyword that it does not know is a mistake.

So is one that says nothing about the type beside it (``minLength`` of an array), which validators pass over in silence.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

ANNOTATIONS = {"$schema", "$id", "$defs", "title", "description", "examples", "default"}
_TYPES: dict[str, Any] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
}
_BELONGS = {
    "properties": "object",
    "required": "object",
    "additionalProperties": "object",
    "items": "array",
    "minItems": "array",
    "maxItems": "array",
    "pattern": "string",
    "minLength": "string",
    "maxLength": "string",
    "format": "string",
}


class Validator:
    """Finds what is wrong with a value by one of several documents, which may refer to each other by ``$id``."""

    def __init__(self, documents: dict[str, dict[str, Any]]) -> None:
        self._by_id = {document["$id"]: document for document in documents.values() if "$id" in document}

    def mistakes(self, value: Any, schema_id: str) -> list[str]:
        """What is wrong, as ``path: what``; empty if nothing is."""
        root = self._by_id[schema_id]
        return self._check(value, root, root, "")

    def _resolve(self, reference: str, root: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        if not reference.startswith("#/"):
            return self._by_id[reference], self._by_id[reference]
        found: Any = root
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        return found, root

    def _check(self, value: Any, schema: dict[str, Any], root: dict[str, Any], path: str) -> list[str]:
        found: list[str] = []
        for keyword, wanted in schema.items():
            belongs = _BELONGS.get(keyword)
            if "type" in schema and belongs is not None:
                assert schema["type"] == belongs, f"{path}: {keyword} says nothing about {schema['type']}"
            if keyword not in ANNOTATIONS | {"then", "else"} and (belongs is None or _TYPES[belongs](value)):
                found += self._keyword(keyword, wanted, value, schema, root, path)
        return found

    def _keyword(
        self, keyword: str, wanted: Any, value: Any, schema: dict[str, Any], root: dict[str, Any], path: str
    ) -> list[str]:
        def unless(holds: bool) -> list[str]:
            return [] if holds else [f"{path}: {keyword} {wanted}"]

        number = _TYPES["number"](value)
        match keyword:
            case "$ref":
                return self._check(value, *self._resolve(wanted, root), path)
            case "type":
                return unless(_TYPES[wanted](value))
            case "const":
                return unless(value == wanted)
            case "enum":
                return unless(value in wanted)
            case "pattern":
                return unless(re.search(wanted, value) is not None)
            case "minLength" | "minItems":
                return unless(len(value) >= wanted)
            case "maxLength" | "maxItems":
                return unless(len(value) <= wanted)
            case "minimum" | "exclusiveMinimum":
                return unless(not number or value > wanted or (value == wanted and keyword == "minimum"))
            case "maximum" | "exclusiveMaximum":
                return unless(not number or value < wanted or (value == wanted and keyword == "maximum"))
            case "format":
                assert wanted == "date-time", wanted
                return unless(re.fullmatch(r".+T.+(Z|[+-]\d\d:\d\d)", value) is not None and _is_time(value))
            case "required":
                return [f"{path}: {name} is missing" for name in wanted if name not in value]
            case "properties":
                return [
                    mistake
                    for name, child in wanted.items()
                    if name in value
                    for mistake in self._check(value[name], child, root, f"{path}/{name}")
                ]
            case "additionalProperties":
                others = {name: each for name, each in value.items() if name not in schema.get("properties", {})}
                if wanted is False:
                    return [f"{path}: {name} is not known" for name in others]
                return (
                    []
                    if wanted is True
                    else [
                        mistake
                        for name, each in others.items()
                        for mistake in self._check(each, wanted, root, f"{path}/{name}")
                    ]
                )
            case "items":
                return [
                    mistake
                    for index, each in enumerate(value)
                    for mistake in self._check(each, wanted, root, f"{path}/{index}")
                ]
            case "allOf":
                return [mistake for child in wanted for mistake in self._check(value, child, root, path)]
            case "anyOf" | "oneOf":
                tries = [self._check(value, child, root, path) for child in wanted]
                good = sum(not each for each in tries)
                return [] if good == 1 or (good and keyword == "anyOf") else [f"{path}: none of {len(tries)}: {tries}"]
            case "if":
                branch = "else" if self._check(value, wanted, root, path) else "then"
                return self._check(value, schema.get(branch, {}), root, path)
            case _:
                raise AssertionError(f"{path}: the keyword {keyword} is not known here")


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
