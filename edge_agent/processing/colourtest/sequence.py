"""Tests that take several steps, each with a colour of its own: Duquenois-Levine's and Scott's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from edge_agent.processing.colourtest.colour import ciede2000
from edge_agent.processing.colourtest.nij import Row, reagents
from edge_agent.processing.colourtest.reading import Colour
from edge_agent.processing.colourtest.verdict import Judgement, Verdict, judge

SCOTT: Final = "scott"
_GONE: Final = 15.0
"""CIEDE2000 that a colour must be away from the step before to be gone."""
_SCOTT_LIKE: Final = ("Cocaine HCl", "Diacetylmorphine HCl")
"""Rows of cobalt thiocyanate whose blues Scott's test begins and ends with."""
_DIBUCAINE: Final = "Dibucaine"
"""Gives the same sequence, as heroin does, where more than 1 mg was taken (Tsumura and others, 2005)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a test. ``gone`` is what the step before showed and what must not be seen in this one any more."""

    name: str
    rows: tuple[Row, ...]
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Test:
    """A test as it is done: its reagent by code and name, and its steps."""

    code: str
    name: str
    steps: tuple[Step, ...]

    @property
    def substances(self) -> tuple[str, ...]:
        """All that any of its steps knows."""
        return tuple(dict.fromkeys(row.substance for step in self.steps for row in step.rows))


def known_tests() -> dict[str, Test]:
    """Every test by its code: the reagents of the standard, and ``scott``."""
    tests = {code: Test(code, each.name, _steps(code, each.rows)) for code, each in reagents().items()}
    return tests | {SCOTT: Test(SCOTT, "Scott (modified cobalt thiocyanate)", _scott())}


def _steps(code: str, rows: tuple[Row, ...]) -> tuple[Step, ...]:
    if code != "A.3":
        return (Step("", rows),)
    names = ("aqueous", "aqueous after CHCl3 extraction", "chloroform")
    unextracted = tuple(row for row in rows if row.phase not in names)  # tea: it stays in the water
    return tuple(
        Step(name, tuple(row for row in rows if row.phase == name) + (unextracted if name != "chloroform" else ()))
        for name in names
    )


def _scott() -> tuple[Step, ...]:
    rows = [row for row in reagents()["A.1"].rows if row.substance in _SCOTT_LIKE]
    colours = np.concatenate([row.colours for row in rows])
    munsell = tuple(notation for row in rows for notation in row.munsell)
    blues = tuple(
        replace(rows[0], substance=name, colours=colours, munsell=munsell) for name in (*_SCOTT_LIKE, _DIBUCAINE)
    )
    return (
        Step("blue with cobalt thiocyanate", blues),
        Step("blue gone with hydrochloric acid", blues, gone=True),
        Step("blue in the chloroform layer", blues),
    )


def judge_step(
    test: Test, number: int | None, sample: Colour, blank: Colour | None, before: Colour | None
) -> Judgement:
    """Judge the colour of one step by itself.

    Args:
        test: which.
        number: of the step, from 1; None if nobody said: then it may be any.
        sample: the colour seen.
        blank: the reagent alone.
        before: the colour of the step before, where it was seen.
    """
    if number is None:
        return judge(sample, blank, tuple(row for step in test.steps for row in step.rows))
    step = test.steps[number - 1]
    judged = judge(sample, None if step.gone else blank, step.rows)
    if not step.gone or judged.verdict is Verdict.INCONCLUSIVE:
        return judged
    fits = bool(judged.consistent)
    moved = before is None or float(np.min(ciede2000(sample.candidates[:, None], before.candidates[None]))) > _GONE
    names = test.substances
    if fits or not moved:
        return Judgement(Verdict.NOT_CONSISTENT, (), (), names, ("colour_stayed",))
    return Judgement(Verdict.CONSISTENT, (), names, (), ())


def together(test: Test, judged: Sequence[Judgement | None]) -> Judgement:
    """One verdict from the steps of a test, None for one that was not seen yet; the last seen gives its groups."""
    seen = [each for each in judged if each is not None]
    last = seen[-1]
    for each in seen:
        if each.verdict is not Verdict.CONSISTENT:
            return each
    consistent = tuple(name for name in last.consistent if all(name in each.consistent for each in seen))
    excluded = tuple(name for name in test.substances if name not in consistent)
    findings = tuple(dict.fromkeys(code for each in seen for code in each.findings))
    problem = " ".join(dict.fromkeys(each.problem for each in seen if each.problem))
    if not consistent:
        return Judgement(Verdict.NOT_CONSISTENT, last.matches, (), excluded, (*findings, "steps_disagree"), problem)
    if len(seen) < len(test.steps):
        missing = [step.name for step, each in zip(test.steps, judged, strict=True) if each is None]
        wanted = f"This test takes {len(test.steps)} steps; still to be seen: {', '.join(missing)}."
        return Judgement(
            Verdict.INCONCLUSIVE,
            last.matches,
            consistent,
            excluded,
            (*findings, "steps_missing"),
            f"{wanted} {problem}".strip(),
        )
    return Judgement(Verdict.CONSISTENT, last.matches, consistent, excluded, findings, problem)
