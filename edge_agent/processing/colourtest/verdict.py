"""What a colour is consistent with: whole groups of substances, or nothing, or it cannot be said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from edge_agent.processing.colourtest.colour import Array, ciede2000
from edge_agent.processing.colourtest.nij import Group, Row, groups
from edge_agent.processing.colourtest.reading import Colour

MAX_RADIUS: Final = 14.0
"""CIEDE2000: with more doubt than this nothing useful can be said."""
READING_WINDOW: Final = (60.0, 120.0)
"""Seconds after the drop: the final colour is 'generally formed within 1 min or 2 min' (NIJ 0604.01, section 3.3)."""


class Verdict(StrEnum):
    """What may be said of a colour."""

    CONSISTENT = "consistent"
    NOT_CONSISTENT = "not_consistent"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Match:
    """A group that a colour fits, and how far from it the colour is (CIEDE2000)."""

    group: Group
    distance: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with what is behind it. ``matches`` come nearest first.

    ``findings`` are short codes: unlike_any, like_blank, no_reaction, outside_srgb, too_uncertain.
    """

    verdict: Verdict
    matches: tuple[Match, ...]
    consistent: tuple[str, ...]
    excluded: tuple[str, ...]
    findings: tuple[str, ...]
    problem: str = ""


_NEEDS_RAW: Final = (
    "The picture has 8 bits in sRGB, which does not hold this colour: take it as RAW, and hand over a 16-bit TIFF."
)


def judge(sample: Colour, blank: Colour | None, rows: tuple[Row, ...]) -> Judgement:
    """Compare a colour with rows of a reagent's table.

    Args:
        sample: the liquid with the substance.
        blank: the reagent alone; None if it was not seen.
        rows: of one reagent, and of one step where it takes several.
    """
    substances = tuple(dict.fromkeys(row.substance for row in rows))
    if sample.radius > MAX_RADIUS:
        return Judgement(
            Verdict.INCONCLUSIVE, (), (), (), ("too_uncertain",), "The colour is too uncertain in this light."
        )
    distances = [(float(group.distance(sample.candidates).min()), group) for group in groups(rows)]
    near = sorted((each for each in distances if each[0] <= sample.radius), key=lambda each: each[0])
    matches = tuple(Match(group, distance) for distance, group in near)
    consistent = tuple(dict.fromkeys(name for match in matches for name in match.group.substances))
    excluded = tuple(name for name in substances if name not in consistent)
    findings, problems = [], []
    if sample.cut_off or (sample.bits == 8 and any(row.outside_srgb for match in matches for row in match.group.rows)):
        findings.append("outside_srgb")
        problems.append(_NEEDS_RAW)
    unchanged = blank is not None and _same(sample, blank)
    if unchanged and matches:
        findings.append("like_blank")
        problems.insert(
            0,
            "The blank has the same colour: nothing has reacted, or the reagent has spoiled. Repeat with a fresh one.",
        )
        return Judgement(Verdict.INCONCLUSIVE, matches, (), (), tuple(findings), " ".join(problems))
    if unchanged:
        findings.append("no_reaction")
    elif not matches:
        findings.append("unlike_any")
    verdict = Verdict.CONSISTENT if matches else Verdict.NOT_CONSISTENT
    return Judgement(verdict, matches, consistent, excluded, tuple(findings), " ".join(problems))


def _same(sample: Colour, blank: Colour) -> bool:
    """Whether two colours of one picture are the same, as far as can be told: the light's error is common to both."""
    return bool(_apart(sample.candidates, blank.candidates) <= 3.0)


def _apart(ones: Array, others: Array) -> float:
    return float(np.min(ciede2000(ones[:, None], others[None])))
