"""The recognizer: lines of OCR-B in a picture become, per place, the probabilities of the 37 characters.

Lines are straightened to strips of one height and pitch, a small network says what it sees at each step of them, and
a row in one pitch is fitted to the centres it found. Where that row shows that a strip is off (tilt, wrong height,
wrong pitch, curvature, lean), it is cut once more along the text. What the characters mean is left to ``decode``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.picture import Picture
from edge_agent.processing.mrz.recognize import align
from edge_agent.processing.mrz.recognize.network import network
from edge_agent.processing.mrz.recognize.straighten import (
    CAPITALS,
    HEIGHT,
    MARGIN,
    MIDDLE,
    PITCH,
    Band,
    Quad,
    band,
    strips,
)

Floats = NDArray[np.float32]

_WIDE: Final = 1.014
"""Width of a character's cell over the height of its capitals."""
_LENGTHS: Final = {1: ((30,),), 2: ((44, 44), (36, 36)), 3: ((30, 30, 30), (9, 30, 30))}
"""Columns of the lines, by their number."""
_FLOOR: Final = 1e-5
"""Probability that the network's view is worth nothing at a place: smudge, stain, a cut of the type it never saw."""
_PRESENT: Final = (0.25, 0.6)
"""Probability of a character's presence up to which nothing is seen at its place, and from which all is believed."""
_PLAIN: Final = 0.985
"""Mean probability of what is seen, from which a second look has nothing to improve."""
_MOST_VIEWS: Final = 3
_GOOD: Final = 0.9
"""Quality from which no other number of columns is tried."""
_POOR: Final = 0.75
"""Quality below which the other way up is tried."""


@dataclass(frozen=True)
class Evidence:
    """What was seen of a zone."""

    lines: tuple[Floats, ...]
    """Per line the log probabilities of the 37 characters: (columns, 37)."""
    quads: tuple[Quad, ...]
    """Each line in the picture, from the first character's cell to the last one's."""
    score: float
    """Log odds that the lines stand right here, with so many columns; compares views of one zone."""
    presence: float
    """Mean probability that there is a character where one should be, 0 to 1."""
    plain: float
    """Mean probability of the likeliest character, 0 to 1."""
    capitals: float
    """Height of the capitals in the picture, in pixels."""

    @property
    def quality(self) -> float:
        """How much this looks like a machine readable zone, 0 to 1."""
        return self.presence * self.plain


def see(
    picture: Picture, quads: Sequence[Quad], columns: int | None = None, sag: Sequence[float] = ()
) -> list[Evidence]:
    """Read the lines in these places, whichever way up they are; the likeliest view first, empty if no zone is there.

    More than one view where it is open in which column the zone begins, or how many it has.
    ``quads`` may be imprecise: ends by two characters, height by 15 %, tilt by 1°;
    ``columns`` is a guess at how many characters a line has, by default from the shape of the quads; ``sag`` as for
    ``straighten.band``.
    """
    found: list[Evidence] = []
    for turned in (False, True):
        lines = [np.roll(quad, 2, axis=0) for quad in reversed(quads)] if turned else quads
        bent = [-s for s in reversed(sag)] if turned else sag
        for guess in _guesses(quads, columns):
            views = _see(picture, [band(quad, guess, bent) for quad in lines])
            if views and (not found or views[0].quality > found[0].quality):
                found = views
            if found and found[0].quality > _GOOD:
                return found
        if found and found[0].quality > _POOR:
            break
    return found


def warm() -> None:
    """Load the weights and compile, or load, the kernels."""
    grey = np.full((90, 700), 200, np.uint8)
    grey[::3, ::5] = 40
    quads = [np.array(((30, y), (670, y), (670, y + 15), (30, y + 15)), np.float32) for y in (20, 55)]
    _see(Picture(grey), [band(quad, 44) for quad in quads], ever=True)


def _see(picture: Picture, bands: Sequence[Band], *, ever: bool = False) -> list[Evidence]:
    read = network()
    found = [align.march(outputs) for outputs in read(strips(picture, bands))]
    views: list[Evidence] = []
    hypotheses = _hypotheses(found)
    for score, lengths, picked in hypotheses:
        if (score < 0 and not ever) or score < hypotheses[0][0] - align.AMBIGUOUS:
            break
        chosen, lines = [bands[i] for i in picked], [found[i] for i in picked]
        straight = _views(chosen, lines, lengths)
        if ever or straight[0].plain < _PLAIN:
            rows = straight[0].rows
            leans = align.leans(chosen, rows)
            if ever or any(align.is_off(row, lean) for row, lean in zip(rows, leans, strict=True)):
                better = [align.refined(*line, max(lengths)) for line in zip(chosen, rows, leans, strict=True)]
                after = _views(better, [align.march(outputs) for outputs in read(strips(picture, better))], lengths)
                if after[0].plain > straight[0].plain:
                    straight = after
        views += [view.evidence() for view in straight]
    return sorted(views, key=lambda view: -view.score)[:_MOST_VIEWS]


@dataclass(frozen=True)
class _View:
    bands: Sequence[Band]
    rows: Sequence[align.Row]
    score: float

    @cached_property
    def lines(self) -> tuple[Floats, ...]:
        return tuple(_probabilities(row) for row in self.rows)

    @cached_property
    def plain(self) -> float:
        return float(np.mean(np.exp(np.concatenate([line.max(axis=1) for line in self.lines]))))

    def evidence(self) -> Evidence:
        quads = tuple(align.corners(band, row) for band, row in zip(self.bands, self.rows, strict=True))
        capitals = np.mean([np.hypot(*(q[3] - q[0])) + np.hypot(*(q[2] - q[1])) for q in quads]) / 2
        presence = np.mean(np.concatenate([row.presence for row in self.rows]))
        return Evidence(self.lines, quads, self.score, float(presence), self.plain, float(capitals))


def _views(bands: Sequence[Band], found: Sequence[align.March], lengths: Sequence[int]) -> list[_View]:
    """The lines at the places where they may stand, the likeliest first."""
    return [
        _View(bands, [align.row(line, n, end) for line, n, end in zip(found, lengths, ends, strict=True)], score)
        for score, ends in align.placements(found, lengths, align.offsets(bands))[:_MOST_VIEWS]
    ]


def _guesses(quads: Sequence[Quad], columns: int | None) -> list[int]:
    """How many characters a line may have, the likeliest number first: by the guess, or by the shape of the quads."""
    if len(quads) == 1:
        return [30]
    if columns is None:
        along = sum(np.hypot(*(q[1] - q[0])) + np.hypot(*(q[2] - q[3])) for q in quads)
        down = sum(np.hypot(*(q[3] - q[0])) + np.hypot(*(q[2] - q[1])) for q in quads)
        columns = round(along / (_WIDE * down))
    choices = (36, 44) if len(quads) == 2 else (30, 36, 44)
    return sorted(choices, key=lambda n: abs(n - columns))[:2]


def _hypotheses(found: Sequence[align.March]) -> list[tuple[float, tuple[int, ...], list[int]]]:
    """How many columns the lines may have, and which lines they are: by log odds, the likeliest first."""
    choices = [(lengths, list(range(len(found)))) for lengths in _LENGTHS.get(len(found), ())]
    if len(found) == 3:
        choices += [(lengths, list(pair)) for lengths in _LENGTHS[2] for pair in pairwise(range(3))]
    rated = [
        (sum(found[i].score(n) for i, n in zip(picked, lengths, strict=True)), lengths, picked)
        for lengths, picked in choices
    ]
    return sorted(rated, reverse=True)


def _probabilities(row: align.Row) -> Floats:
    """Log probabilities of the characters: any may stand where none was seen, under glare or a finger."""
    scaled = row.logits / np.float32(network().provenance["temperature"])
    likely = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    absent, present = _PRESENT
    believed = np.clip((row.presence - absent) / (present - absent), 0, 1 - _FLOOR)[:, None]
    return np.asarray(np.log(likely * believed + (1 - believed) / likely.shape[1]), np.float32)


__all__ = ["CAPITALS", "HEIGHT", "MARGIN", "MIDDLE", "PITCH", "Band", "Evidence", "see", "warm"]
