from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.processing.iso6346 import check_digit, is_valid
from edge_agent.processing.video.container_code import Candidate, Read, agreed, candidates
from edge_agent.processing.video.plates import plates


def first(*texts: str) -> Candidate:
    return candidates([Read(text, 0.9) for text in texts])[0]


@pytest.mark.parametrize(
    "texts",
    [
        ("CSQU3054383",),
        ("CSQU 305438 3",),
        ("CSQU", "305438", "3"),
        ("HAPAG", "CSQU 305438[3]", "22G1"),
        ("C5QU", "3O5438", "3"),
        ("CSQV3054383",),
    ],
)
def test_a_code_is_found_in_pieces_and_through_the_usual_confusions(texts: tuple[str, ...]) -> None:
    found = first(*texts)
    assert (found.text, found.check) == ("CSQU3054383", "passed")
    assert 0.5 < found.confidence <= 0.9


def test_a_check_digit_that_was_not_read_is_completed_and_believed_half() -> None:
    found = first("YMMU 612494")
    assert (found.text, found.check) == ("YMMU6124942", "not_read")
    assert found.confidence == pytest.approx(0.45)


def test_a_check_digit_that_contradicts_is_told_and_hardly_believed() -> None:
    found = first("CSQU3054384")
    assert (found.text, found.check) == ("CSQU3054384", "failed")
    assert found.confidence < 0.05


@pytest.mark.parametrize("text", ["", "22G1", "MAX GROSS 30480 KG", "CSQX3054383", "MAERSK SEALAND"])
def test_what_is_no_code_is_none(text: str) -> None:
    assert candidates([Read(text, 0.9)]) == []


def test_two_pictures_that_agree_are_believed_more_than_one() -> None:
    one = candidates([Read("CSQU3054383", 0.8)])
    other = candidates([Read("CSQU305438", 0.8)])
    once, twice = agreed([one])[0], agreed([one, other])[0]
    assert twice.frames == 2
    assert once.confidence < twice.confidence
    assert agreed([[Candidate("CSQU3054383", 1.0, "passed")]])[0].confidence <= 0.9


codes = st.from_regex("[A-Z]{3}[UJZ][0-9]{6}", fullmatch=True).map(lambda body: f"{body}{check_digit(body)}")


@given(codes, st.lists(st.text(max_size=15), max_size=4), st.integers(0, 4))
def test_a_clean_code_is_the_likeliest_or_as_likely(code: str, noise: list[str], place: int) -> None:
    reads = [Read(text, 0.3) for text in noise]
    reads.insert(min(place, len(reads)), Read(code, 0.9))
    found = candidates(reads)
    assert found[0].text == code
    assert all(0 <= each.confidence <= 1 and (each.check == "failed" or is_valid(each.text)) for each in found)


def test_plates_need_letters_and_digits_and_a_second_picture() -> None:
    found = plates([[Read("01 KG 123 ABC", 0.9), Read("STOP", 0.99), Read("2024", 0.9)], [Read("01KG123ABC", 0.8)]])
    assert found[0][0] == "01KG123ABC"
    assert (len(found), found[0][2]) == (1, 2)
    assert found[0][1] > plates([[Read("01KG123ABC", 0.9)]])[0][1]
