from __future__ import annotations

import numpy as np

from edge_agent.processing.colourtest.nij import reagents
from edge_agent.processing.colourtest.reading import Colour
from edge_agent.processing.colourtest.sequence import Test as ColourTest
from edge_agent.processing.colourtest.sequence import judge_step, known_tests, together
from edge_agent.processing.colourtest.verdict import Verdict, judge
from tests.processing.colourtest.scenes import CLEAR, COCAINE, ORANGE

COBALT, MARQUIS = reagents()["A.1"].rows, reagents()["A.5"].rows


def seen(lab: tuple[float, float, float], deviation: float = 1.2, bits: int = 16) -> Colour:
    return Colour(np.array(lab), np.array((lab,)), deviation, bits, cut_off=False)


def test_all_that_share_the_colour_are_named_and_the_others_excluded() -> None:
    judged = judge(seen(COCAINE), seen(CLEAR), COBALT)
    assert judged.verdict is Verdict.CONSISTENT
    assert {"Cocaine HCl", "Procaine HCl", "Ephedrine HCl"} <= set(judged.consistent)
    assert "Quinine HCl" in judged.excluded
    assert not set(judged.consistent) & set(judged.excluded)
    assert set(judged.consistent) | set(judged.excluded) == set(reagents()["A.1"].substances)


def test_more_doubt_names_more_and_never_less() -> None:
    sure, unsure = (judge(seen(COCAINE, deviation), None, COBALT) for deviation in (0.8, 2.6))
    assert set(sure.consistent) < set(unsure.consistent)


def test_a_colour_of_no_group_is_consistent_with_nothing() -> None:
    judged = judge(seen((70.0, 30.0, 80.0)), seen(CLEAR), COBALT)
    assert judged.verdict is Verdict.NOT_CONSISTENT
    assert judged.consistent == ()
    assert judged.findings == ("unlike_any",)


def test_a_colour_that_the_blank_has_too_proves_nothing() -> None:
    judged = judge(seen(ORANGE), seen((61.5, 43.0, 46.0)), MARQUIS)
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert judged.consistent == ()
    assert "like_blank" in judged.findings


def test_no_reaction_is_said() -> None:
    assert judge(seen(CLEAR), seen(CLEAR), MARQUIS).findings == ("no_reaction",)


def test_too_much_doubt_is_inconclusive() -> None:
    judged = judge(seen(ORANGE, 3.5), None, MARQUIS)
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert judged.findings == ("too_uncertain",)


def test_8_bits_are_told_what_they_cannot_hold() -> None:
    assert "outside_srgb" in judge(seen(COCAINE, bits=8), None, COBALT).findings
    assert "outside_srgb" not in judge(seen(COCAINE, bits=16), None, COBALT).findings


def steps_of(test: ColourTest, colours: list[tuple[float, float, float] | None]) -> Verdict:
    judged, before = [], None
    for number, colour in enumerate(colours, 1):
        now = seen(colour) if colour is not None else None
        judged.append(judge_step(test, number, now, seen(CLEAR), before) if now is not None else None)
        before = now
    return together(test, judged).verdict


def test_scott_wants_its_blue_to_go_and_to_come_back() -> None:
    scott = known_tests()["scott"]
    pink = (70.0, 25.0, 5.0)
    assert steps_of(scott, [COCAINE, pink, COCAINE]) is Verdict.CONSISTENT
    assert steps_of(scott, [COCAINE, COCAINE, COCAINE]) is Verdict.NOT_CONSISTENT
    assert steps_of(scott, [COCAINE, pink, pink]) is Verdict.NOT_CONSISTENT
    assert steps_of(scott, [COCAINE, pink, None]) is Verdict.INCONCLUSIVE


def test_scott_never_names_cocaine_alone() -> None:
    judged = judge_step(known_tests()["scott"], 3, seen(COCAINE), None, None)
    assert set(judged.consistent) >= {"Cocaine HCl", "Diacetylmorphine HCl", "Dibucaine"}


def test_duquenois_levine_takes_all_three_layers() -> None:
    test = known_tests()["A.3"]
    thc = [tuple(row.colours[0]) for step in test.steps for row in step.rows if row.substance == "THC"]
    nutmeg = [tuple(row.colours[0]) for step in test.steps for row in step.rows if row.substance == "Nutmeg"]
    assert steps_of(test, thc) is Verdict.CONSISTENT
    assert steps_of(test, [*thc[:2], None]) is Verdict.INCONCLUSIVE
    assert steps_of(test, [nutmeg[0], nutmeg[1], thc[2]]) is Verdict.NOT_CONSISTENT
