"""Hand scanners: where one code ends and the next begins, however the line cuts them."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.processing.barcode.scanner import LIMIT, Code, Framer, symbol

CODES = st.lists(st.text("ABC012\x1d-/ ", min_size=1, max_size=30).map(str.encode), min_size=1, max_size=5)
Ending = Literal["line", "etx", "gap"]


def fed(ending: Ending, data: bytes, size: int = 1) -> list[Code]:
    framer = Framer(ending, 0.3)
    codes = [code for at in range(0, len(data), size) for code in framer.feed(data[at : at + size], 1.0)]
    return codes + framer.feed(b"", 2.0)


@given(CODES, st.integers(1, 40), st.sampled_from([b"\r", b"\n", b"\r\n"]))
def test_lines_are_codes(codes: list[bytes], size: int, end: bytes) -> None:
    assert [code.data for code in fed("line", b"".join(code + end for code in codes), size)] == codes


@given(CODES, st.integers(1, 40))
def test_codes_between_marks_keep_their_line_ends(codes: list[bytes], size: int) -> None:
    codes = [b"a\r\nb" + code for code in codes]
    assert [code.data for code in fed("etx", b"".join(b"\x02" + code + b"\x03" for code in codes), size)] == codes


@given(st.binary(max_size=400), st.sampled_from(["line", "etx", "gap"]), st.integers(1, 50))
def test_any_bytes_are_framed_the_same_however_they_are_cut(data: bytes, ending: Ending, size: int) -> None:
    assert fed(ending, data, size) == fed(ending, data, len(data) or 1)


def test_a_pause_ends_a_code_without_an_end() -> None:
    framer = Framer("gap", 0.3)
    assert framer.feed(b"ANSI 6360\nDAQ123\n", 1.0) == []
    assert framer.feed(b"", 1.2) == []
    assert framer.feed(b"", 1.31) == [Code(b"ANSI 6360\nDAQ123")]


def test_what_never_ends_is_cut() -> None:
    (first, *_) = fed("line", b"A" * (2 * LIMIT), 1000)
    assert (len(first.data), first.cut) == (LIMIT, True)


@pytest.mark.parametrize(
    ("data", "name", "gs1"),
    [
        (b"]C1010950110153000310ABC\r", "Code 128", True),
        (b"]C0ABC\r", "Code 128", False),
        (b"]E05030159003930\r", "EAN-13", False),
        (b"]E412345670\r", "EAN-8", False),
        (b"]Q3010950110153000310ABC\x1d21X\r", "QR Code", True),
        (b"ABC\r", "", False),
    ],
)
def test_the_identifier_says_what_kind_it_is(data: bytes, name: str, gs1: bool) -> None:
    (code,) = fed("line", data)
    assert (symbol(code).format, symbol(code).gs1) == (name, gs1)


def test_bytes_that_are_no_text_stay_bytes() -> None:
    (code,) = fed("line", b"\xff\xfe\x80\r")
    assert (symbol(code).text, symbol(code).data) == (None, b"\xff\xfe\x80")
