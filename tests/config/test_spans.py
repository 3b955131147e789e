from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.config.spans import KeyPath, locate, statements

BARE = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_", min_size=1, max_size=6)
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
KEYS = BARE | ANY_TEXT


def basic(text: str) -> str:
    """Text in double quotes; JSON's escapes are TOML's, except for one control character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def key_text(key: str, draw: Any) -> str:
    plain = key != "" and all(c.isascii() and (c.isalnum() or c in "-_") for c in key)
    if plain and draw(st.booleans()):
        return key
    literal = all(c.isprintable() for c in key) and "'" not in key
    return f"'{key}'" if literal and draw(st.booleans()) else basic(key)


NUMBERS = st.sampled_from(
    ["0", "-17", "1_000", "0xff", "0o17", "0b1", "3.14", "-1e10", "6.02e+23", "inf", "-inf", "+1"]
)
OTHERS = st.sampled_from(
    ["true", "false", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00.5-07:00", "1979-05-27", "07:32:00"]
)
STRINGS = st.sampled_from(
    [
        "''",
        '""',
        '"""a"b""c"""',
        '"""a"""""',
        "'''a'''''",
        "'''\nx = [1]\n# no comment\n'''",
        '"""\\\n   folded \\\n  text"""',
        '"\\"]},#\\\\"',
        "'C:\\inbox\\'",
        '"[not] = a # table"',
    ]
)
SCALARS = NUMBERS | OTHERS | STRINGS | ANY_TEXT.map(basic)
GAPS = st.sampled_from(["", " ", "\n", " # ],}\n", "\t", "\n\n  "])
BLANKS = st.sampled_from(["", " ", "\t"])


@st.composite
def values(draw: Any, depth: int = 2) -> str:
    form = draw(st.integers(0, 4)) if depth else 0
    if form < 3:
        return str(draw(SCALARS))
    if form == 3:
        entries = draw(st.lists(values(depth - 1), max_size=3))
        body = ",".join(f"{draw(GAPS)}{entry}{draw(GAPS)}" for entry in entries)
        return f"[{body}{',' if entries and draw(st.booleans()) else ''}{draw(GAPS)}]"
    pairs = draw(st.dictionaries(KEYS, values(depth - 1), max_size=3))
    return "{" + ",".join(f"{draw(BLANKS)}{key_text(k, draw)} = {v}{draw(BLANKS)}" for k, v in pairs.items()) + "}"


@st.composite
def documents(draw: Any) -> str:
    """TOML texts, nearly all of them sound: tables, lists of tables, dotted keys, comments."""
    lines = []
    for _ in range(draw(st.integers(0, 8))):
        dotted = f"{draw(BLANKS)}.{draw(BLANKS)}".join(
            key_text(k, draw) for k in draw(st.lists(KEYS, min_size=1, max_size=3))
        )
        form = draw(st.integers(0, 5))
        lines.append(
            f"{draw(BLANKS)}[{draw(BLANKS)}{dotted}]"
            if form == 0
            else f"[[{dotted}{draw(BLANKS)}]]"
            if form == 1
            else "# x = 1"
            if form == 2
            else f"{draw(BLANKS)}{dotted}{draw(BLANKS)}={draw(BLANKS)}{draw(values())}{draw(BLANKS)}"
        )
    return "\n".join(lines)


def leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if children is None:
        yield path, value
    else:
        for part, child in children:
            yield from leaves(child, (*path, part))


def tables(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, child in children:
        yield (*path, part)
        yield from tables(child, (*path, part))


def hold_to_tomllib(text: str) -> None:
    data = tomllib.loads(text)
    places = locate(text)
    for path, value in leaves(data):
        span = places[path].value
        assert span is not None, path
        assert tomllib.loads(f"value = {text[span.start : span.end]}")["value"] == value
    assert set(tables(data)) == places.keys()
    for path, place in places.items():
        if place.key is not None:
            written = text[place.key.start : place.key.end]
            named = next(part for part in reversed(path) if isinstance(part, str))
            assert list(tomllib.loads(f"{written} = 0")) == [named]


@given(documents())
def test_every_leaf_that_tomllib_reads_has_a_span_whose_text_reads_as_its_value(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:  # a key twice, mostly
        return
    hold_to_tomllib(text)


EXAMPLE = """\
# a device
name = "lane-1"   # the name
settings.port = 4
[[region]]
name = 'left'
points = [[0, 0], [1.5, 2]]  # two
limits.low = 1
[region.extra]
x = {a = 1, "b.c" = [true]}
[[region]]
name = '''right
'''
[[region.sub]]
[[region.sub]]
n = 1
"""


def test_lists_of_tables_dotted_keys_and_inline_tables() -> None:
    hold_to_tomllib(EXAMPLE)
    places = locate(EXAMPLE)

    def shown(*path: str | int) -> tuple[str | None, str | None]:
        place = places[path]
        key, value = place.key, place.value
        return EXAMPLE[key.start : key.end] if key else None, EXAMPLE[value.start : value.end] if value else None

    assert shown("name") == ("name", '"lane-1"')
    assert shown("settings", "port") == ("port", "4")
    assert shown("region", 0, "points", 1, 0) == (None, "1.5")
    assert shown("region", 0, "extra", "x", "b.c") == ('"b.c"', "[true]")
    assert shown("region", 1, "name") == ("name", "'''right\n'''")
    assert shown("region", 1, "sub", 1, "n") == ("n", "1")
    assert shown("region", 1) == ("region", None)


@given(documents(), st.integers(0, 400), ANY_TEXT)
def test_a_damaged_text_is_followed_as_far_as_it_goes(text: str, at: int, noise: str) -> None:
    damaged = text[:at] + noise + text[at:]
    last = 0
    for statement in statements(damaged):
        assert last <= statement.start <= statement.end <= len(damaged)
        last = statement.end


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 100_000, '"' * 100_000, "a" + ".a" * 50_000 + " = 1", "x = '''" * 9999]
)
def test_hostile_texts_do_not_hurt(text: str) -> None:
    locate(text)
