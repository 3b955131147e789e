"""Decoding: what is decided, and above all what is left undecided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.processing.mrz.check_digits import ALPHABET, BLIND_CLASSES, check_digit
from edge_agent.processing.mrz.decode import decode
from edge_agent.processing.mrz.formats import FormatName
from edge_agent.processing.mrz.parse import parse
from edge_agent.simulate.documents import FORMATS, specimen

UTOPIA = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")


def _evidence(
    lines: Sequence[str], doubts: Mapping[tuple[int, int], Mapping[str, float]] | None = None
) -> list[np.ndarray]:
    """Log probabilities of a reader that sees these lines plainly, but for ``doubts`` (line and column from 0)."""
    result = []
    for i, line in enumerate(lines):
        likely = np.full((len(line), 37), 1e-6)
        for column, character in enumerate(line):
            seen = (doubts or {}).get((i, column), {character: 1.0})
            for other, p in seen.items():
                likely[column, ALPHABET.index(other)] = p
        result.append(np.log(likely / likely.sum(axis=1, keepdims=True)))
    return result


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(list(FORMATS)), st.integers(0, 2**32 - 1))
def test_what_is_seen_plainly_is_read_as_it_is(name: FormatName, seed: int) -> None:
    made = specimen(np.random.default_rng(seed), name)
    decoded = decode(_evidence(made.lines))
    assert decoded is not None
    assert decoded.lines == made.lines
    assert decoded.format.name == name
    assert decoded.corrections == ()
    assert decoded.confidence > 0.97


def test_check_digits_decide_between_classes() -> None:
    # In the document number an 8 looks a little more like a B.
    decoded = decode(_evidence(UTOPIA, {(1, 1): {"B": 0.6, "8": 0.4}}))
    assert decoded is not None
    assert decoded.lines == UTOPIA
    (correction,) = decoded.corrections
    assert (correction.line, correction.column, correction.seen, correction.decided) == (2, 2, "B", "8")
    assert decoded.confidence > 0.95


@pytest.mark.parametrize("alike", [alike for alike in BLIND_CLASSES if set(alike) & set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
def test_check_digits_never_decide_within_a_blind_class(alike: str) -> None:
    first, second = alike[0], alike[-1]
    number = f"L{first}98902C3"
    body = f"{number}{check_digit(number)}UTO7408122F1204159ZE184226B<<<<<1"
    lines = (UTOPIA[0], body + str(check_digit(body[:10] + body[13:20] + body[21:43])))
    for seen, other in ((first, second), (second, first)):
        decoded = decode(_evidence(lines, {(1, 1): {seen: 0.7, other: 0.3}}))
        assert decoded is not None
        assert parse(decoded.lines).valid
        assert decoded.lines[1][1] == seen
        assert decoded.corrections == ()
        assert decoded.confidence == pytest.approx(0.7, abs=0.05)


def test_a_place_decides_where_the_format_knows() -> None:
    doubts = {(1, 10 + 2): {"0": 0.9, "O": 0.1}, (1, 13): {"T": 0.7, "7": 0.3}, (1, 20): {"E": 0.6, "F": 0.4}}
    decoded = decode(_evidence(UTOPIA, doubts))
    assert decoded is not None
    assert decoded.lines == UTOPIA
    assert {(c.seen, c.decided) for c in decoded.corrections} == {("0", "O"), ("T", "7"), ("E", "F")}


def test_dates_are_days_of_the_calendar() -> None:
    # 31 April does not exist; both readings satisfy their check digit with the digits below.
    lines = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
    decoded = decode(_evidence(lines, {(1, 15): {"0": 0.5, "9": 0.5}}))
    assert decoded is not None
    assert decoded.lines == lines


def test_a_zone_that_is_plainly_printed_wrong_is_reported_as_printed() -> None:
    wrong = (UTOPIA[0], UTOPIA[1].replace("L898902C3", "L898903C3"))
    evidence = _evidence(wrong)
    for line in evidence:
        line[:] = np.where(line > -1, line, -30)
    decoded = decode(evidence)
    assert decoded is not None
    assert decoded.lines == wrong
    assert not parse(decoded.lines).valid


def test_a_filler_among_fillers_is_no_letter() -> None:
    decoded = decode(_evidence(UTOPIA, {(0, 35): {"K": 0.8, "<": 0.2}}))
    assert decoded is not None
    assert decoded.lines[0] == UTOPIA[0]


def test_what_cannot_be_read_is_not_sure() -> None:
    decoded = decode(_evidence(UTOPIA, {(1, column): dict.fromkeys(ALPHABET, 1 / 37) for column in range(2, 8)}))
    assert decoded is not None
    assert decoded.confidence < 0.1
    assert max(decoded.probabilities[1][2:8]) < 0.5


def test_a_hidden_year_is_not_made_up_from_its_check_digits() -> None:
    # Several years satisfy both the date's check digit and the composite one.
    decoded = decode(_evidence(UTOPIA, {(1, column): dict.fromkeys(ALPHABET, 1 / 37) for column in (13, 14)}))
    assert decoded is not None
    assert decoded.confidence < 0.7


@pytest.mark.parametrize("lengths", [(), (44,), (44, 36), (30, 30), (12, 12, 12)])
def test_lines_of_no_format_are_not_decoded(lengths: tuple[int, ...]) -> None:
    assert decode([np.zeros((n, 37)) for n in lengths]) is None


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_evidence_gives_probabilities(seed: int) -> None:
    rng = np.random.default_rng(seed)
    evidence = [np.log(rng.dirichlet(np.full(37, 0.1), 44) + 1e-9) for _ in range(2)]
    decoded = decode(evidence)
    assert decoded is not None
    assert [len(line) for line in decoded.lines] == [44, 44]
    assert 0 <= decoded.confidence <= 1
    assert all(0 <= p <= 1 for line in decoded.probabilities for p in line)
