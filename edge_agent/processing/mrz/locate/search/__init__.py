"""Where parallel lines of text may lie: ridges of ink, joined to segments, to lines, to pairs and triples of lines.

At the right scale a line of the zone is a ridge: its characters melt into one another, the gap to the next line stays.
No threshold on grey values and no orientation is assumed; a broken line still gives segments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.locate.search import kernels
from edge_agent.processing.mrz.picture import Grey, half

_STROKES: Final = np.ones((7, 7), np.uint8)
"""What is darker than its surroundings and narrower than this is ink."""
_BLUR: Final = 1.1
"""Sigma in pixels of the ridge picture, which has half the pixels each way; melts characters but not lines."""
_NEIGHBOURHOOD: Final = 1.5
"""Sigma over which the direction of a ridge is averaged, in pixels of half the size of these."""
_CONTRAST: Final = 1.35
_TOLERANCE: Final = float(np.radians(15))
_SHORTEST: Final = 12.0
"""Length of a segment, in pixels of the ridge picture, as all that follow."""
_GAP: Final = 25.0
"""That a line may be interrupted: some six characters."""
_SPACING: Final = (3.5, 15.0)
"""From line to line."""
_SHARED: Final = 0.3
"""Part of the longer line that lies beside the shorter: the rest of the shorter may be hidden by glare."""
_SLENDER: Final = (7.0, 34.0)
"""Length of a line over the spacing of the lines: 30 characters at 2.5 pitches are 12, 44 at 1.7 are 26."""
_NARROWING: Final = 1.7
"""By which perspective may bring the lines together from one end to the other."""
_SEEDS: Final = 16
"""Heaviest lines of which one must be in a stack."""
_STACKS: Final = 12
"""Heaviest stacks that are looked at."""


@dataclass(frozen=True, slots=True)
class Guess:
    """Two or three parallel lines that may be a zone.

    ``lines`` has shape (2 or 3, 2, 2): the ends x, y of each line's middle, in pixels of the full picture, from one
    side to the other; all lines begin and end abreast. The larger ``weight`` is, the more ink they have.
    """

    lines: NDArray[np.float64]
    weight: float


def guesses(reduced: Grey, scale: float) -> Iterator[Guess]:
    """Pairs and triples of parallel lines in a reduced picture, the heaviest first.

    ``scale`` is how many pixels of the full picture make one of the reduced one. Found are zones whose characters are
    5 to 9 pixels wide in the reduced picture.
    """
    lines = kernels.join(_segments(reduced), _GAP)
    stacks = kernels.stack(lines, _SEEDS, *_SPACING, _SHARED)
    ink = np.where(stacks >= 0, lines[stacks, 5], 0.0).sum(axis=1)
    waiting: list[Guess] = []
    for i in np.argsort(-ink)[:_STACKS]:
        while waiting and waiting[0].weight >= ink[i]:  # no stack weighs more than its ink
            yield waiting.pop(0)
        guess = _guess(lines[stacks[i][stacks[i] >= 0]])
        if guess is not None:
            # From the ridge picture to the full one; pixel centres lie at integers in both.
            waiting.append(Guess((guess.lines + 0.5) * (2 * scale) - 0.5, guess.weight))
            waiting.sort(key=lambda guess: -guess.weight)
    yield from waiting


def _segments(grey: Grey) -> NDArray[np.float32]:
    """Straight ridges of ink, shape (n, kernels.SEGMENT)."""
    dark = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, _STROKES)
    sharp = half(dark).astype(np.float32)
    ink = np.asarray(cv2.GaussianBlur(sharp, (0, 0), _BLUR), np.float32)
    coarse = half(ink)
    dx, dy = cv2.Sobel(coarse, cv2.CV_32F, 1, 0), cv2.Sobel(coarse, cv2.CV_32F, 0, 1)
    xx, yy, xy = (
        np.asarray(cv2.GaussianBlur(product, (0, 0), _NEIGHBOURHOOD), np.float32)
        for product in (dx * dx, dy * dy, dx * dy)
    )
    direction = kernels.ridges(ink, xx, yy, xy, float(0.8 * ink.mean() + 0.5), _CONTRAST)
    found: NDArray[np.float32] = kernels.grow(direction, ink, sharp, _TOLERANCE, _SHORTEST)
    return found


def _guess(lines: NDArray[np.float64]) -> Guess | None:
    """The lines of a stack cut to a common length, or None if they are too long or too short for their spacing."""
    ends, length, left, right = kernels.cut(lines)
    if not 1 / _NARROWING < left / right < _NARROWING:
        return None
    if not _SLENDER[0] < 2 * length / (left + right) < _SLENDER[1]:
        return None
    covered = min(float(lines[:, 4].sum() / len(lines) / length), 1.0)
    return Guess(ends, float(lines[:, 5].sum()) * covered)
