"""When two readings are taken for one document: check digits decide, and twins stay two."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.processing.mrz.agreement import Difference, differences, same_document
from edge_agent.processing.mrz.check_digits import ALPHABET
from edge_agent.processing.mrz.formats import FormatName
from edge_agent.processing.mrz.parse import parse
from edge_agent.processing.mrz.result import Mrz
from edge_agent.simulate.documents import specimen
from tests.processing.mrz.zones import GOOD

TODAY = date(2026, 11, 24)
TD3 = tuple(GOOD["TD3 of Doc 9303 part 4"].split())
TWINS = (
    ("P<UTOHOLM<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<<<<<", "L123456792UTO0508126F3004157<<<<<<<<<<<<<<04"),
    ("P<UTOHOLM<<EVA<MARIA<<<<<<<<<<<<<<<<<<<<<<<<", "L123456806UTO0508126F3004157<<<<<<<<<<<<<<06"),
)


def read(lines: tuple[str, ...]) -> Mrz:
    return parse(lines, today=TODAY)


def with_(line: int, column: int, text: str, lines: tuple[str, ...] = TD3) -> tuple[str, ...]:
    """The lines with a text put over them; line and column count from 1."""
    changed = list(lines)
    row = changed[line - 1]
    changed[line - 1] = row[: column - 1] + text + row[column - 1 + len(text) :]
    return tuple(changed)


def test_the_twins_are_valid() -> None:
    assert [read(lines).problem for lines in TWINS] == ["", ""]


@pytest.mark.parametrize("name", GOOD)
def test_a_document_is_itself_and_no_other(name: str) -> None:
    one = parse(GOOD[name], today=TODAY)
    assert same_document(one, one) or "licence" in name
    assert not any(same_document(one, parse(GOOD[other], today=TODAY)) for other in GOOD if other != name)


@given(st.integers(0, 1000), st.integers(1, 2), st.integers(2, 44), st.sampled_from(ALPHABET))
def test_one_misread_character_leaves_it_the_same(seed: int, line: int, column: int, character: str) -> None:
    lines = specimen(np.random.default_rng(seed), FormatName.TD3).lines
    assert same_document(read(lines), read(with_(line, column, character, lines)))


def test_many_misread_names_do_not_part_what_the_number_proves() -> None:
    assert same_document(read(TD3), read(with_(1, 6, "KRLKSS0N<<RNNR")))


def test_twins_with_passports_issued_one_after_the_other_are_two() -> None:
    one, other = TWINS
    assert not same_document(read(one), read(other))
    assert not same_document(read(one), read(with_(2, 10, "5", other)))


def test_a_proven_difference_makes_two_documents_and_a_blind_one_does_not() -> None:
    renewed = (TD3[0], "L898902C36UTO7408122F2204156ZE184226B<<<<<18")
    assert not same_document(read(TD3), read(renewed))
    blind = with_(2, 8, "M")  # C and M weigh the same: every check digit still holds
    assert read(blind).valid
    assert same_document(read(TD3), read(blind))


def test_a_check_digit_settles_what_it_covers_and_nothing_else() -> None:
    other = with_(1, 6, "F", with_(2, 15, "5"))
    assert differences((TD3, other), valid=(True, False)) == (
        Difference(1, 6, ("E", "F"), settled=False),
        Difference(2, 15, ("4", "5"), settled=True),
    )
    assert not any(each.settled for each in differences((other, TD3), valid=(False, True)))


def test_a_blind_difference_is_never_settled() -> None:
    blind = with_(2, 8, "M")
    assert [each.settled for each in differences((TD3, blind), valid=(True, False))] == [False]
    assert [each.settled for each in differences((TD3, blind), valid=(True, True))] == [False]


def test_three_readings_are_compared_with_the_first() -> None:
    found = differences((TD3, TD3, with_(2, 15, "5")), valid=(True, True, False))
    assert found == (Difference(2, 15, ("4", "4", "5"), settled=True),)
