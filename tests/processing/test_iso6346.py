"""Container numbers of ISO 6346."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.processing.iso6346 import check_digit, is_valid

NUMBERS = ("CSQU3054383", "YMMU6124942", "TRLU6689574", "TCNU6345807", "BCHU2970249", "BBUU2040344")


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_on_real_containers_hold(number: str) -> None:
    assert is_valid(number)
    assert check_digit(number[:10]) == int(number[10])


@pytest.mark.parametrize(
    "number", ["", "CSQU305438", "CSQU3054384", "csqu3054383", "CSQU30543833", "CSQ 3054383", "CSQU305438٣"]
)
def test_anything_else_does_not(number: str) -> None:
    assert not is_valid(number)


@given(st.from_regex(r"[A-Z]{4}[0-9]{6}", fullmatch=True), st.integers(0, 9), st.integers(1, 9))
def test_every_change_of_one_digit_but_where_ten_becomes_nought_is_noticed(code: str, place: int, by: int) -> None:
    if place < 4:
        return
    changed = code[:place] + str((int(code[place]) + by) % 10) + code[place + 1 :]
    if check_digit(changed) == check_digit(code):
        assert check_digit(code) == 0  # remainders of 10 and of 0 have the same digit


def test_what_is_no_number_has_no_check_digit() -> None:
    with pytest.raises(ValueError, match="four capital letters and six digits"):
        check_digit("CSQU30543")
