"""The arithmetic of ICAO Doc 9303 part 3, section 4.9."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.processing.mrz.check_digits import ALPHABET, BLIND_CLASSES, VALUES, check_digit

TEXT = st.text(ALPHABET, max_size=50)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("520727", 3),  # Doc 9303 part 3, section 4.9, example 1
        ("AB2134<<<", 5),  # example 2
        ("HA672242<6" + "5802254" + "9601086" + "<<<<<<<<<<<<<<0", 8),  # example 3, composite of a TD3
        ("D23145890734", 9),  # part 11, appendix D.2
        ("L898902C3", 6),  # part 4, appendix B
        ("", 0),
    ],
)
def test_examples_of_the_standard(text: str, expected: int) -> None:
    assert check_digit(text) == expected


@pytest.mark.parametrize("character", ["a", " ", "é", "«", "٣"])
def test_a_character_without_a_value_is_named(character: str) -> None:
    with pytest.raises(ValueError, match="is no character of a machine readable zone"):
        check_digit(f"L89{character}")


def test_the_blind_classes_part_the_alphabet() -> None:
    assert sorted("".join(BLIND_CLASSES)) == sorted(ALPHABET)
    assert {frozenset(blind) for blind in BLIND_CLASSES} == {
        frozenset(blind) for blind in ("0<AKU", "1BLV", "2CMW", "3DNX", "4EOY", "5FPZ", "6GQ", "7HR", "8IS", "9JT")
    }


@given(TEXT, st.sampled_from(ALPHABET), st.sampled_from(ALPHABET), TEXT)
def test_one_changed_character_is_noticed_exactly_outside_its_blind_class(
    before: str, old: str, new: str, after: str
) -> None:
    same = check_digit(before + old + after) == check_digit(before + new + after)
    assert same == (VALUES[old] % 10 == VALUES[new] % 10)
