from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.processing.iso6346 import CODE, VALUES, check_digit, is_valid

REAL = ["CSQU3054383", "YMMU6124942", "TRLU6689574", "TCNU6345807", "BCHU2970249", "BBUU2040344"]
"""The example of the standard, and what stands on containers of photographs."""


@pytest.mark.parametrize("code", REAL)
def test_codes_of_real_containers_are_valid(code: str) -> None:
    assert is_valid(code)
    assert not is_valid(code[:10] + str((int(code[10]) + 1) % 10))


@pytest.mark.parametrize("code", REAL)
def test_no_exchange_of_neighbours_passes_that_differ_in_value(code: str) -> None:
    for i in range(9):
        swapped = code[:i] + code[i + 1] + code[i] + code[i + 2 :]
        if (VALUES[code[i]] - VALUES[code[i + 1]]) % 11 and CODE.fullmatch(swapped):
            assert not is_valid(swapped) or check_digit(code[:10]) == check_digit(swapped[:10]) == 0


@pytest.mark.parametrize("text", ["", "CSQU305438", "csqu3054383", "CSQX3054383", "CSQU30543830", "CSQU305438٣"])
def test_what_is_no_code_is_not_valid(text: str) -> None:
    assert not is_valid(text)


@given(st.text(max_size=12))
def test_a_check_digit_comes_or_a_reason(text: str) -> None:
    try:
        assert 0 <= check_digit(text) <= 9
    except ValueError:
        assert len(text) != 10 or not set(text) <= VALUES.keys()
