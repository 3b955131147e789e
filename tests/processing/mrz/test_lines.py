"""How text becomes lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.processing.mrz.check_digits import ALPHABET
from edge_agent.processing.mrz.lines import as_lines
from edge_agent.processing.mrz.parse import parse
from tests.processing.mrz.zones import GOOD

TD3 = as_lines(GOOD["TD3 of Doc 9303 part 4"])


@pytest.mark.parametrize("ending", ["\n", "\r", "\r\n", "\n\r", "\r\r\n", "\n  \n", "\x0c", "\x1c\x02", "\x03\r"])
def test_any_line_break_will_do(ending: str) -> None:
    assert as_lines(ending.join(TD3) + ending) == TD3


@pytest.mark.parametrize("name", [name for name in GOOD if "driving" not in name or "Swiss" in name])
def test_a_zone_without_line_breaks_is_cut_by_its_length(name: str) -> None:
    lines = as_lines(GOOD[name])
    assert as_lines("".join(lines)) == lines


def test_white_space_is_dropped_and_small_letters_are_kept() -> None:
    assert as_lines([f"  {TD3[0][:20]} {TD3[0][20:]}\t", TD3[1].lower()]) == (TD3[0], TD3[1].lower())
    assert not parse(TD3[0] + TD3[1].lower()).valid


@given(st.lists(st.text(ALPHABET, min_size=1), min_size=2, max_size=4))
def test_lines_are_never_changed(lines: list[str]) -> None:
    assert as_lines(lines) == tuple(lines) == as_lines("\r\n".join(lines))
