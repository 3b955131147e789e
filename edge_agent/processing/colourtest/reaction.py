"""A filmed reaction: when the drop fell, and which colour is the final one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_agent.processing.colourtest.colour import ciede2000
from edge_agent.processing.colourtest.reading import Colour
from edge_agent.processing.colourtest.verdict import READING_WINDOW

_CHANGE: Final = 6.0
"""CIEDE2000 from the first colours that is a reaction and no noise."""
_STEADY: Final = 4.0
"""CIEDE2000 up to which the first colours are one."""
_FINAL: Final = 2.5
"""CIEDE2000 by which a final colour may still change in ``_SPAN``; all of one film have their light in common."""
_SPAN: Final = 20.0
"""Seconds at the end of the window that are compared with as many before them."""
_FIRST: Final = 3
"""Moments by which the colour before the drop is known."""
MAX_MOMENTS: Final = 600


@dataclass(frozen=True, slots=True)
class Moment:
    """The colours at one time of a film, in seconds from its beginning."""

    seconds: float
    sample: Colour
    blank: Colour | None


@dataclass(frozen=True, slots=True)
class FinalColour:
    """The colour to be judged, how long after the drop it was seen, and what limits it.

    Findings: no_drop (the reaction did not begin in the film), too_early (the film ends before the window),
    still_changing.
    """

    moment: Moment
    reaction_seconds: float | None
    findings: tuple[str, ...]
    problem: str


def onset(moments: list[Moment]) -> float | None:
    """When the colour began to change, in seconds of the film; None if it did not, or had already."""
    labs = np.array([moment.sample.lab for moment in moments])
    if len(labs) <= _FIRST + 1:
        return None
    first = np.median(labs[:_FIRST], axis=0)
    apart = ciede2000(labs, first)
    if apart[:_FIRST].max() > _STEADY:
        return None
    changed = (apart > _CHANGE) & (np.append(apart[1:], apart[-1]) > _CHANGE)
    return moments[int(np.argmax(changed))].seconds if changed.any() else None


def final(moments: list[Moment]) -> FinalColour:
    """The final colour of a film.

    Args:
        moments: in the order of time, at least one.
    """
    began = onset(moments)
    if began is None:
        return FinalColour(
            moments[-1],
            None,
            ("no_drop",),
            "The film does not show the reaction begin: start it before the drop, and keep the card in the picture.",
        )
    opened, closed = began + READING_WINDOW[0], began + READING_WINDOW[1]
    within = [moment for moment in moments if opened <= moment.seconds <= closed]
    if not within:
        return FinalColour(
            moments[-1],
            moments[-1].seconds - began,
            ("too_early",),
            "The film ends before the colour is final: go on for one to two minutes after the drop.",
        )
    end = within[-1].seconds
    late = [moment for moment in within if moment.seconds > end - _SPAN]
    early = [moment for moment in moments if began < moment.seconds <= end - _SPAN][-max(len(late), 1) :]
    middle = np.median([moment.sample.lab for moment in late], axis=0)
    chosen = min(late, key=lambda moment: float(ciede2000(moment.sample.lab, middle)))
    before = np.median([moment.sample.lab for moment in early], axis=0) if early else middle
    if float(ciede2000(middle, before)) > _FINAL:
        return FinalColour(
            chosen,
            chosen.seconds - began,
            ("still_changing",),
            "The colour is still changing at the end of the reading window: repeat with less of the substance.",
        )
    return FinalColour(chosen, chosen.seconds - began, (), "")
