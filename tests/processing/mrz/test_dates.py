"""Centuries, unknown parts and the calendar."""

from datetime import date

import pytest

from edge_agent.processing.mrz.dates import PartialDate, birth_date, expiry_date, issue_date

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("birth", "expiry", "expected"),
    [
        ("740812", "120415", "1974-08-12"),
        ("150101", "300101", "2015-01-01"),
        ("150101", "120415", "1915-01-01"),  # the document expired before 2015
        ("261124", "310101", "2026-11-24"),  # born today
        ("261125", "310101", "1926-11-25"),  # tomorrow: then a century ago
        ("950101", "940623", "1895-01-01"),
        ("000229", "310101", "2000-02-29"),
        ("40<<<<", "310101", "1940"),
        ("4008<<", "310101", "1940-08"),
        ("26<<<<", "310101", "2026"),
        ("<<<<<<", "310101", ""),
        ("<<0812", "310101", "XXXX-08-12"),
        ("74<<12", "310101", "1974-XX-12"),
        ("740812", "<<<<<<", "1974-08-12"),
    ],
)
def test_the_century_of_birth_is_decided_against_expiry_and_today(birth: str, expiry: str, expected: str) -> None:
    assert str(birth_date(birth, expiry_date(expiry, TODAY), TODAY)) == expected


@pytest.mark.parametrize(
    ("expiry", "expected"), [("120415", "2012-04-15"), ("760101", "2076-01-01"), ("770101", "1977-01-01")]
)
def test_an_expiry_lies_within_fifty_years_ahead(expiry: str, expected: str) -> None:
    assert str(expiry_date(expiry, TODAY)) == expected


@pytest.mark.parametrize(
    "text", ["741301", "740012", "740832", "740230", "7408", "7408123", "74081<", "7<0812", "H40812", "٧٤٠٨١٢"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert birth_date(text, None, TODAY) is None
    assert expiry_date(text, TODAY) is None


def test_a_leap_day_needs_a_leap_year() -> None:
    assert birth_date("750229", None, TODAY) is None
    assert str(birth_date("760229", None, TODAY)) == "1976-02-29"
    assert str(birth_date("<<0229", None, TODAY)) == "XXXX-02-29"


def test_a_month_of_issue_is_the_nearest_to_today() -> None:
    assert [str(issue_date(text, TODAY)) for text in ("8806", "2711", "1713")] == ["1988-06", "2027-11", "None"]


@pytest.mark.parametrize("text", ["740812", "7408<<", "74<<<<", "<<<<<<"])
def test_a_date_remembers_what_was_printed(text: str) -> None:
    day = birth_date(text, None, TODAY)
    assert day is not None
    assert day.yymmdd == text


def test_bounds_of_an_uncertain_date() -> None:
    assert (PartialDate(2024, 2).earliest(), PartialDate(2024, 2).latest()) == (date(2024, 2, 1), date(2024, 2, 29))
    assert (PartialDate(2024).earliest(), PartialDate(2024).latest()) == (date(2024, 1, 1), date(2024, 12, 31))
    assert PartialDate(None, 2, 1).latest() is None
