"""The recognizer: lines of OCR-B in a picture become, per place, the probabilities of the 37 characters.

Lines are straightened to strips of one height and pitch, a small network says what it sees at each step of them, and
a row in one pitch is fitted to the centres it found. Where that row shows that a strip is off (tilt, wrong height,
wrong pitch, curvature), it is cut once more along the text. What the characters mean is left to ``decode``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

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
_POOR: Final = 0.75
"""Mean probability of what is seen, below which the other way up is tried."""


@dataclass(frozen=True)
class Evidence:
    """What was seen of a zone."""

    lines: tuple[Floats, ...]
    """Per line the log probabilities of the 37 characters: (columns, 37)."""
    quads: tuple[Quad, ...]
    """Each line in the picture, from the first character's cell to the last one's."""
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


def see(grey: NDArray[np.uint8], quads: Sequence[Quad]) -> Evidence | None:
    """Read the lines in these places, whichever way up they are; None if no zone is there.

    ``grey`` has shape (height, width). ``quads`` may be imprecise: ends by two characters, height by 15 %, tilt by 1°.
    """
    upright = _see(grey, quads)
    if upright is not None and upright.quality > _POOR:
        return upright
    turned = _see(grey, [np.roll(quad, 2, axis=0) for quad in reversed(quads)])
    found = [evidence for evidence in (upright, turned) if evidence is not None]
    return max(found, key=lambda evidence: evidence.quality, default=None)


def warm() -> None:
    """Load the weights and compile, or load, the kernels."""
    grey = np.full((90, 700), 200, np.uint8)
    grey[::3, ::5] = 40
    _see(grey, [np.array(((30, y), (670, y), (670, y + 15), (30, y + 15)), np.float32) for y in (20, 55)], ever=True)


def _see(grey: NDArray[np.uint8], quads: Sequence[Quad], *, ever: bool = False) -> Evidence | None:
    columns = _guess(quads)
    bands = [band(quad, columns) for quad in quads]
    read = network()
    found = [align.march(outputs) for outputs in read(strips(grey, bands))]
    lengths, picked, score = _lengths(found)
    if score < 0 and not ever:
        return None
    bands, found = [bands[i] for i in picked], [found[i] for i in picked]
    rows = [align.row(line, n) for line, n in zip(found, lengths, strict=True)]
    if ever or any(align.is_off(row) for row in rows):
        longest = max(lengths)
        better = [align.refined(line, row, longest) for line, row in zip(bands, rows, strict=True)]
        again = [align.march(outputs) for outputs in read(strips(grey, better))]
        after = sum(line.score(n) for line, n in zip(again, lengths, strict=True))
        if after > score - 2 * sum(lengths):
            bands = better
            rows = [align.row(line, n) for line, n in zip(again, lengths, strict=True)]
    lines = tuple(_probabilities(row.logits) for row in rows)
    return Evidence(
        lines,
        tuple(align.corners(line, row) for line, row in zip(bands, rows, strict=True)),
        float(np.mean(np.concatenate([row.presence for row in rows]))),
        float(np.mean(np.exp(np.concatenate([line.max(axis=1) for line in lines])))),
        float(np.mean([np.hypot(*(q[3] - q[0])) + np.hypot(*(q[2] - q[1])) for q in quads]) / 2),
    )


def _guess(quads: Sequence[Quad]) -> int:
    """How many characters a line has, going by the shape of the quads."""
    if len(quads) != 2:
        return 30
    along = [np.hypot(*(q[1] - q[0])) + np.hypot(*(q[2] - q[3])) for q in quads]
    down = [np.hypot(*(q[3] - q[0])) + np.hypot(*(q[2] - q[1])) for q in quads]
    return 44 if sum(along) / (_WIDE * sum(down)) > 39.8 else 36


def _lengths(found: Sequence[align.March]) -> tuple[tuple[int, ...], list[int], float]:
    """The columns of the lines, which lines they are, and the log odds of it."""
    choices = [(lengths, list(range(len(found)))) for lengths in _LENGTHS.get(len(found), ())]
    if len(found) == 3:
        choices += [(lengths, list(pair)) for lengths in _LENGTHS[2] for pair in pairwise(range(3))]
    rated = [
        (sum(found[i].score(n) for i, n in zip(picked, lengths, strict=True)), lengths, picked)
        for lengths, picked in choices
    ]
    score, lengths, picked = max(rated)
    return lengths, picked, score


def _probabilities(logits: Floats) -> Floats:
    scaled = logits / np.float32(network().provenance["temperature"])
    likely = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    return np.asarray(np.log(likely * (1 - _FLOOR) + _FLOOR / likely.shape[1]), np.float32)


__all__ = ["CAPITALS", "HEIGHT", "MARGIN", "MIDDLE", "PITCH", "Band", "Evidence", "see", "warm"]
