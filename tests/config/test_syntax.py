from __future__ import annotations

import time
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.config.syntax import MAX_ERRORS, VALUES, parse
from tests.config.test_spans import ANY_TEXT, documents


@pytest.mark.parametrize(
    ("text", "place", "wrong", "allowed", "suggestion"),
    [
        ("a =", "1:4", "has no value", VALUES, ""),
        ("a = # later", "1:4", "has no value", VALUES, ""),
        ("a = null", "1:5", "null is not a value", "leave the key out where nothing is meant", ""),
        ("a = True", "1:5", "True is not a value", VALUES, "true"),
        ("a = no", "1:5", "no is not a value", VALUES, "false"),
        ("a = 012", "1:5", "012 is not a value", VALUES, "12"),
        ("a = 0,3", "1:5", "0,3 is not a value", VALUES, "0.3"),
        ("a = .5", "1:5", ".5 is not a value", VALUES, "0.5"),
        ("a = 5.", "1:5", "5. is not a value", VALUES, "5.0"),
        ("a = 1,", "1:5", "1, is not a value", VALUES, "1"),
        ("a == 1", "1:4", "= 1 is not a value", VALUES, "1"),
        ("a = 127.0.0.1", "1:5", "127.0.0.1 is not a value", VALUES, '"127.0.0.1"'),
        ("a = /dev/video0 # cam", "1:5", "/dev/video0 is not a value", VALUES, '"/dev/video0"'),
        ("a = “x y”", "1:5", "“x y” is not a value", VALUES, '"x y"'),
        ('a = "1", "2"', "1:5", '"1", "2" is not a value', VALUES, '["1", "2"]'),
        ('a = "x" "y"', "1:5", '"x" "y" is not a value', VALUES, ""),
        ("a = 2025-02-30", "1:5", "2025-02-30 is not a date or time that exists", VALUES, ""),
        ("a = 1 b = 2", "1:5", "has another setting behind it on the same line", "one setting a line", ""),
        ("a = " + "1" * 5000, "1:5", "is a number with too many digits", "", ""),
        (
            'a = "x # y',
            "1:5",
            "is text without its closing quote",
            "the same quote at both ends, on the same line",
            '"x"',
        ),
        ('a = """x\nb = 2', "1:5", "is text over several lines that never ends", '""" after it', ""),
        (
            'a = "C:\\inbox"',
            "1:8",
            "a backslash in double quotes begins a special character",
            "single quotes around text with backslashes",
            "'C:\\inbox'",
        ),
        (
            'a = "C:\\Users\\x"',
            "1:8",
            "a backslash in double quotes begins a special character",
            "single quotes around text with backslashes",
            "'C:\\Users\\x'",
        ),
        ("a: 1", "1:2", "has a colon in place of the equals sign", "key = value", "a = 1"),
        ("a lane", "1:1", "has no equals sign after the key", "key = value", 'a = "lane"'),
        ("max rate = 1", "1:1", "has a key of more than one word", "key = value", "max_rate = 1"),
        (
            "a = [1 2]",
            "1:5",
            "is a list without its closing ], or with a comma missing between two entries",
            "",
            "",
        ),
        ("a = 1\nb = 2\na = 3", "3:1", "is set twice, first in line 1", "once", ""),
        ("a = {b = 1, b = 2}", "1:1", "is set twice", "once", ""),
        (
            "[a]\n[b]\n[a]",
            "3:2",
            "is a table that stands here twice, first in line 1",
            "once, with all its keys together",
            "",
        ),
        (
            "[a\nb = 1",
            "1:3",
            "is a table's name that is not closed as it was opened",
            "[name] or [[name]]",
            "",
        ),
        ("[a] b = 1", "1:5", 'has something after the table\'s name: "b = 1"', "a new line for what follows", ""),
        ('a = "\x07"', "1:6", "holds the control character U+0007", "text that can be seen", ""),
        (
            "; x",
            "1:1",
            "is not a setting: the line begins with ;",
            "comments, which begin with #, tables such as [broker], and key = value",
            "",
        ),
    ],
)
def test_a_syntax_error_is_said_in_words(text: str, place: str, wrong: str, allowed: str, suggestion: str) -> None:
    (error,) = parse(text).errors
    assert (f"{error.line}:{error.column}", error.wrong, error.allowed, error.suggestion) == (
        place,
        wrong,
        allowed,
        suggestion,
    )


def test_reading_goes_on_after_each_error() -> None:
    document = parse('a = x\nb = 1\nlist = [1,\n  2 3,\n]\nc = "open\n[t\nk = 1\n[u]\nv = yes\nw = 2\n')
    assert [error.line for error in document.errors] == [1, 3, 6, 7, 10]
    assert document.data == {"b": 1, "u": {"w": 2}}


def test_keys_under_a_broken_header_are_nobodys_but_their_errors_are_told() -> None:
    document = parse("[broker\nhost = x\nport = 1\n")
    assert [(error.line, error.path) for error in document.errors] == [(1, ("broker",)), (2, ("host",))]
    assert document.data == {}


def test_a_list_that_is_not_closed_does_not_swallow_the_next_setting() -> None:
    document = parse("a = [1, 2\nb = 3\n")
    assert [(error.line, error.column) for error in document.errors] == [(1, 5)]
    assert document.data == {"b": 3}


def test_line_ends_of_windows_are_line_ends() -> None:
    document = parse("a = 1\r\nb = x\r\n")
    assert document.data == {"a": 1}
    assert [(error.line, error.column, error.width) for error in document.errors] == [(2, 5, 1)]


def test_what_is_not_toml_at_all_is_given_up_soon() -> None:
    begun = time.monotonic()
    assert len(parse("<html>\n" * 10_000).errors) == MAX_ERRORS
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a" + ".a" * 100_000 + " = 1", '"' * 250_000, "a\n" * 60_000])
def test_hostile_texts_are_refused_quickly(text: str) -> None:
    begun = time.monotonic()
    assert parse(text).errors
    assert time.monotonic() - begun < 5


@given(documents())
def test_sound_toml_is_left_alone(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assert parse(text).errors
    else:
        document = parse(text)
        assert repr(document.data) == repr(data)
        assert not document.errors


@given(documents(), st.integers(0, 400), ANY_TEXT)
def test_no_text_at_all_makes_it_raise_and_every_error_has_its_place(text: str, at: int, noise: str) -> None:
    damaged = text[:at] + noise + text[at:]
    lines = damaged.replace("\r\n", "\n").split("\n")
    for error in parse(damaged).errors:
        assert error.wrong
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
