"""The tables are sound: parser, composer and recognizer all rely on them."""

import pytest

from edge_agent.processing.mrz.formats import FORMATS, TD1, TD3, Format
from edge_agent.processing.mrz.states import STATES

EACH = pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: fmt.name)


@EACH
def test_every_position_is_allowed_something(fmt: Format) -> None:
    assert tuple(map(len, fmt.allowed)) == fmt.lengths
    assert all(here for line in fmt.allowed for here in line)


@EACH
def test_every_position_belongs_to_a_field_or_a_check_digit(fmt: Format) -> None:
    taken = {(f.line, c) for f in fmt.fields for c in range(f.start, f.end)}
    digits = {(d.line, d.column) for d in fmt.check_digits}
    assert not taken & digits
    free = {(i, c) for i, length in enumerate(fmt.lengths) for c in range(length)} - taken - digits
    assert free == ({(0, 5)} if fmt.name == "EU-DL" else set()), "the version of a driving licence is no field"


@EACH
def test_no_check_digit_covers_itself_or_leaves_its_zone(fmt: Format) -> None:
    for digit in fmt.check_digits:
        covered = {(line, c) for line, start, end in digit.covers for c in range(start, end)}
        assert (digit.line, digit.column) not in covered
        assert all(c < fmt.lengths[line] for line, c in covered)


def test_spans_are_those_of_the_standard() -> None:
    # Part 5, section 4.2.4: upper line 6-30, middle line 1-7, 9-15, 19-29; part 4: 1-10, 14-20, 22-43.
    assert TD1.check_digits[-1].covers == ((0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29))
    assert TD3.check_digits[-1].covers == ((1, 0, 10), (1, 13, 20), (1, 21, 43))


def test_a_long_document_number_moves_its_check_digit() -> None:
    lines = ("I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<")
    number = next(d for d in TD1.check_digits_of(lines) if d.name == "document_number")
    assert (number.line, number.column, number.covered(lines)) == (0, 18, "D23145890734")
    assert number.agrees(lines)


DOC_9303 = {
    *("EUE", "GBD", "GBN", "GBO", "GBP", "GBS", "NTZ", "RKS", "UNA", "UNK", "UNO", "UTO", "XBA", "XCC", "XCE", "XCO"),
    *("XDC", "XEC", "XES", "XIM", "XMP", "XOM", "XPO", "XXA", "XXB", "XXC", "XXK", "XXX", "D"),
}


def test_codes_of_the_standard_are_known() -> None:
    assert STATES.keys() >= DOC_9303 | {"KAZ", "KGZ", "UZB", "TKM", "TJK", "RUS", "CHN", "DEU"}


def test_codes_are_well_formed() -> None:
    assert all(code == "D" or (len(code) == 3 and code.isascii() and code.isupper()) for code in STATES)
    assert len(STATES) == 249 + 30
