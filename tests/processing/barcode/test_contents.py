"""What bar codes mean: GS1, container numbers, boarding passes; and what is left as the text that it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.processing.barcode import bcbp, gs1
from edge_agent.processing.barcode.meaning import Standard, understand
from edge_agent.processing.barcode.symbols import Symbol

PASS = "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 106>60000"
TWO_LEGS = (
    "M2DESMARAIS/LUC       EABC123 YULFRAAC 0834 326J001A0025 10B>60000123456DEF456 FRAGVALH 3664 327C012C0002 100"
)


def symbol(text: str | None, name: str = "QR Code", identifier: str = "]Q1") -> Symbol:
    data = b"\xff" if text is None else text.encode()
    return Symbol(name, data, text, identifier, np.zeros((4, 2)), frozenset({"zxing-cpp"}))


def test_element_strings_with_and_without_separators() -> None:
    found = gs1.parse("0109501101530003172703003103001750\x1d10ABC\x1d21X-1", year=2026)
    assert [(e.ai, e.title, e.value, e.meaning) for e in found] == [
        ("01", "GTIN", "09501101530003", ""),
        ("17", "USE BY OR EXPIRY", "270300", "2027-03"),
        ("3103", "NET WEIGHT (kg)", "001750", "1.750"),
        ("10", "BATCH/LOT", "ABC", ""),
        ("21", "SERIAL", "X-1", ""),
    ]
    assert all(e.valid for e in found)


@pytest.mark.parametrize(
    "text",
    [
        "0109501101530004",  # check digit
        "17271301",  # month
        "1727",  # cut off
        "10" + "A" * 21,  # too long
        "10ABC~",  # a character that it may not have
        "310300175",  # five digits of a weight
        "001234567890123456",
    ],
)
def test_what_is_wrong_in_an_element_is_said(text: str) -> None:
    assert [e.valid for e in gs1.parse(text, year=2026)] == [False]


@pytest.mark.parametrize(
    ("digits", "iso"), [("760101", "2076-01-01"), ("770101", "1977-01-01"), ("251231", "2025-12-31")]
)
def test_two_digits_of_a_year_belong_to_the_present(digits: str, iso: str) -> None:
    assert gs1.parse("11" + digits, year=2026)[0].meaning == iso


def test_half_a_reading_is_none() -> None:
    assert gs1.parse("10ABC\x1d99X\x1d05123", year=2026) == ()
    assert gs1.parse("", year=2026) == ()


@given(st.text())
def test_whatever_stands_there_is_parsed_or_not_but_never_fails(text: str) -> None:
    for element in gs1.parse(text, year=2026):
        assert element.ai + element.value in text
    bcbp.parse(text)
    understand(symbol(text), year=2026)


@given(st.lists(st.sampled_from(["0109501101530003", "10LOT7", "21S", "17270301", "3922001", "37123"]), min_size=1))
def test_all_of_it_is_accounted_for(parts: list[str]) -> None:
    text = "\x1d".join(parts)
    found = gs1.parse(text, year=2026)
    assert found == () or "\x1d".join(e.ai + e.value for e in found) == text


def test_a_boarding_pass_and_its_name() -> None:
    found = bcbp.parse(PASS)
    assert found is not None
    assert (found.surname, found.given_names, found.electronic_ticket) == ("DESMARAIS", "LUC", True)
    assert found.legs == (bcbp.Leg("ABC123", "YUL", "FRA", "AC", "834", 226, "F", "1A", "25"),)


def test_several_legs_are_found_behind_what_airlines_put_in_between() -> None:
    found = bcbp.parse(TWO_LEGS)
    assert found is not None
    assert [(leg.origin, leg.destination, leg.booking) for leg in found.legs] == [
        ("YUL", "FRA", "ABC123"),
        ("FRA", "GVA", "DEF456"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        PASS[:-1],  # cut off
        TWO_LEGS[:-40],
        PASS.replace("YUL", "yul"),
        PASS.replace(" 226F", " 367F"),
        "M1 is a motorway near London, and this text has sixty or more letters",
        "S" + PASS[1:],
    ],
)
def test_what_is_no_whole_boarding_pass_is_text(text: str) -> None:
    assert bcbp.parse(text) is None
    assert understand(symbol(text), year=2026).standard is Standard.NONE


def test_container_numbers_are_told_by_their_check_digit() -> None:
    found = understand(symbol("CNTR: CSQU 305438-3 / TRLU6689575 / CSQU3054383"), year=2026)
    assert (found.standard, found.containers, found.doubtful) == (Standard.ISO_6346, ("CSQU3054383",), ("TRLU6689575",))
    assert understand(symbol("TRLU6689575"), year=2026).standard is Standard.NONE


@pytest.mark.parametrize(
    "link", ["https://id.gs1.org/01/09501101530003", "HTTP://x.example/a?b=c", "mailto:a@b.example"]
)
def test_a_link_stays_a_link(link: str) -> None:
    found = understand(symbol(link), year=2026)
    assert (found.standard, found.elements, found.containers) == (Standard.LINK, (), ())


def test_only_what_says_that_it_is_gs1_is_read_so() -> None:
    assert understand(symbol("10ABC", "Code 128", "]C1"), year=2026).elements[0].title == "BATCH/LOT"
    assert understand(symbol("10ABC", "Code 128", "]C0"), year=2026).standard is Standard.NONE
    assert understand(symbol("5030159003930", "EAN-13", "]E0"), year=2026).elements[0].value == "05030159003930"


def test_bytes_have_no_meaning() -> None:
    assert understand(symbol(None), year=2026).standard is Standard.NONE
