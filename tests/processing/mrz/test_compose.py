"""``compose`` is the inverse of ``parse``."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge_agent.processing.mrz.check_digits import DIGITS, LETTERS
from edge_agent.processing.mrz.compose import compose, names
from edge_agent.processing.mrz.dates import PartialDate
from edge_agent.processing.mrz.formats import FRENCH_ID, MRV_A, MRV_B, TD1, TD2, TD3, Format, recognize
from edge_agent.processing.mrz.parse import parse
from edge_agent.processing.mrz.result import Fields
from edge_agent.processing.mrz.states import STATES
from tests.processing.mrz.zones import GOOD

TODAY = date(2026, 11, 24)

WORD = st.text(LETTERS, min_size=1, max_size=12)
NAME = st.lists(WORD, min_size=1, max_size=3).map(" ".join)
NUMBER = st.text(DIGITS + LETTERS, min_size=1, max_size=9)


def dates(first: date, last: date) -> st.SearchStrategy[PartialDate]:
    days = st.dates(first, last).map(lambda d: PartialDate(d.year, d.month, d.day))
    known = st.sampled_from([(), ("day",), ("month", "day")])
    return st.builds(lambda day, gone: replace(day, **dict.fromkeys(gone)), days, known) | st.just(PartialDate())


@st.composite
def documents(draw: st.DrawFn) -> tuple[Format, Fields]:
    fmt = draw(st.sampled_from([TD1, TD2, TD3, MRV_A, MRV_B]))
    room = {"TD1": 11, "TD2": 4}.get(fmt.name, 0)
    has = {field.name for field in fmt.fields}
    number = draw(NUMBER)
    if room and len(number) == 9:
        number += draw(st.text(DIGITS + LETTERS, max_size=room))
    surname, given_names = draw(NAME), draw(NAME)
    names_field = fmt.field("names")
    assert names_field is not None
    length = len(names_field.mask)
    assume(len(surname) + 2 + len(given_names) < length)
    return fmt, Fields(
        document_code=draw(st.sampled_from(list(fmt.initials))),
        issuing_state=draw(st.sampled_from(sorted(STATES))),
        surname=surname,
        given_names=given_names,
        names_truncated=False,
        document_number=number,
        nationality=draw(st.sampled_from(sorted(STATES))),
        birth_date=draw(dates(date(1930, 1, 1), date(2020, 12, 31))),
        sex=draw(st.sampled_from(["M", "F", "X", ""])),
        expiry_date=draw(dates(date(2021, 1, 1), date(2060, 12, 31))),
        personal_number=draw(st.text(DIGITS + LETTERS, max_size=14)) if "personal_number" in has else None,
        optional_data="" if "optional_data" in has else None,
        optional_data_2=draw(st.text(DIGITS + LETTERS, max_size=11)) if "optional_data_2" in has else None,
    )


@given(documents())
def test_what_is_composed_is_parsed_back(document: tuple[Format, Fields]) -> None:
    fmt, fields = document
    mrz = parse(compose(fmt, fields), today=TODAY)
    assert mrz.valid, mrz.problem
    assert (mrz.format, mrz.fields) == (fmt.name, fields)


EXCEPTIONS = {
    "internal passport of Russia: digits in names, no expiry": "it has a filler for a check digit where we write 0",
    "Dutch passport whose personal number has a filler for the check digit zero": "likewise",
    "Portuguese citizen card, whose check digit covers the filler": "we write the check digit of the standard",
    "another Portuguese citizen card": "likewise",
    "Dutch driving licence": "its version digit is no field",
    "given names only": "no standard allows it",
}


@pytest.mark.parametrize("name", [name for name in GOOD if name not in EXCEPTIONS])
def test_specimens_are_composed_again_from_their_fields(name: str) -> None:
    lines = parse(GOOD[name], today=TODAY).lines
    fmt = recognize(lines)
    assert fmt is not None
    again = compose(fmt, parse(lines, today=TODAY).fields)
    # A check digit over nothing may be a filler or a zero.
    assert [line.replace("<" * 15, "<" * 14 + "0") for line in lines] == [
        line.replace("<" * 15, "<" * 14 + "0") for line in again
    ]


@pytest.mark.parametrize(
    ("surname", "given_names", "length", "expected"),
    [  # the examples of Doc 9303 parts 4 and 6
        ("NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG KRASUANG", 39, "NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K"),
        ("NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG KRASUANG", 31, "NILAVADHANANANDA<<CHAYAPA<DEJ<K"),
        ("NILAVADHANANANDA", "ARNPOL PETCH CHARONGUANG", 31, "NILAVADHANANANDA<<ARNPOL<PETC<C"),
        (
            "BENNELONG WOOLOOMOOLOO WARRANDYTE WARNAMBOOL",
            "DINGO POTOROO",
            31,
            "BENNELONG<WOOLOOMOOLOO<W<W<<D<P",
        ),
        ("ERIKSSON", "ANNA MARIA", 39, "ERIKSSON<<ANNA<MARIA"),
        ("ARKFREITH", "", 39, "ARKFREITH"),
        ("", "ANNA", 39, "<<ANNA"),
    ],
)
def test_names_are_truncated_as_the_standard_shows(surname: str, given_names: str, length: int, expected: str) -> None:
    assert names(surname, given_names, length) == expected


@given(st.lists(WORD, max_size=30).map(" ".join), st.lists(WORD, max_size=30).map(" ".join), st.integers(1, 60))
def test_names_never_outgrow_their_field(surname: str, given_names: str, length: int) -> None:
    assert len(names(surname, given_names, length)) <= length


@pytest.mark.parametrize(
    ("fmt", "wrong", "message"),
    [
        (TD3, {"document_number": "1234567890"}, "document_number has 10 characters, TD3 takes 9"),
        (TD1, {"document_number": "1" * 25}, "optional_data has 17 characters, TD1 takes 15"),
        (TD3, {"surname": "Müller"}, "'ü' cannot stand at position 7"),
        (FRENCH_ID, {"document_number": "1234567890123"}, "takes 12"),
    ],
)
def test_what_does_not_fit_is_refused(fmt: Format, wrong: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compose(fmt, replace(Fields(document_code="P", issuing_state="UTO", document_number="1"), **wrong))
