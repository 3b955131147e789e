"""Where the characters of a strip stand: a row in one pitch, fitted to what the network says of their centres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.check_digits import ALPHABET
from edge_agent.processing.mrz.recognize import kernels
from edge_agent.processing.mrz.recognize.network import SHIFT, SIZE, STEP
from edge_agent.processing.mrz.recognize.straighten import MARGIN, MIDDLE, PITCH, Band

Floats = NDArray[np.float32]

MOST: Final = 48
"""Characters that are looked for in a line."""
_CLASSES: Final = len(ALPHABET)
AMBIGUOUS: Final = 9.0
"""Log odds within which two places of a zone's lines are both looked at."""
_UNEVEN: Final = 7.0
"""Log odds against lines that begin one character apart."""
_CERTAIN: Final = 0.005
"""Probabilities of a centre are believed from here to one minus this."""


@dataclass(frozen=True)
class March:
    """The best rows of n characters in a strip, for all n: see ``kernels.march``."""

    outputs: Floats
    """Of the network for this strip: (steps, OUTPUTS)."""
    presence: Floats
    """Probability of a character's centre near each step."""
    scores: Floats
    steps: NDArray[np.int8]

    def score(self, columns: int) -> float:
        """Log odds that so many characters stand in a row somewhere in the strip."""
        return float(self.scores[columns].max())

    def path(self, columns: int, end: int) -> NDArray[np.int64]:
        """The steps of the best row of so many characters that ends at this step."""
        at: NDArray[np.int64] = kernels.path(self.steps, columns, end)
        return at


@dataclass(frozen=True)
class Row:
    """The characters of a line with a fixed number of columns."""

    logits: Floats
    """Shape (columns, 37)."""
    centres: NDArray[np.float64]
    """x of each character's centre in the strip, in pixels."""
    presence: Floats
    """Probability that there is a character at each place."""
    shift: NDArray[np.float64]
    """How far below the strip's middle the text runs at each character, in pixels."""
    size: NDArray[np.float64]
    """Natural logarithm of how much taller than ``CAPITALS`` the text is at each character."""


def march(outputs: Floats) -> March:
    """Look for rows of characters in one strip."""
    centre = 1 / (1 + np.exp(-outputs[:, _CLASSES]))
    beside = np.maximum(np.append(centre[1:], 0), np.insert(centre[:-1], 0, 0))
    presence = np.clip(centre + beside, _CERTAIN, 1 - _CERTAIN).astype(np.float32)
    odds = (np.log(presence / (1 - presence)) + 0.5 * centre).astype(np.float32)
    scores = np.empty((MOST + 1, len(odds)), np.float32)
    steps = np.zeros((MOST + 1, len(odds)), np.int8)
    kernels.march(odds, PITCH / STEP, MOST, scores, steps)
    return March(outputs, presence, scores, steps)


def offsets(bands: Sequence[Band]) -> NDArray[np.float64]:
    """How far along the text each strip begins in the picture, in steps."""
    ends = np.array(((MARGIN, MIDDLE), (MARGIN + PITCH * bands[0].columns, MIDDLE)))
    before, after = np.array([line.to_picture(ends) for line in bands]).swapaxes(0, 1)
    along = (after - before).mean(axis=0)
    return np.asarray(before @ along / (along @ along) * bands[0].columns * PITCH / STEP, np.float64)


def placements(
    found: Sequence[March], lengths: Sequence[int], offset: NDArray[np.float64]
) -> list[tuple[float, tuple[int, ...]]]:
    """Where the lines of a zone may end (in steps), each with its log odds, the likeliest first.

    More than one where a mark before or after the text may be a character, or where a character at an end is hidden.
    Lines begin one below the other, either in their strips, or in the picture, where ``offset`` says how far along the
    text each strip begins, in steps.
    """
    scores = [line.scores[n].tolist() for line, n in zip(found, lengths, strict=True)]
    best = [row_scores.index(max(row_scores)) for row_scores in scores]
    paths = [line.path(n, end) for line, n, end in zip(found, lengths, best, strict=True)]
    pitches = [float(path[-1] - path[0]) / (len(path) - 1) for path in paths]
    first = [float(path[0]) for path in paths]
    seen = [start + off for start, off in zip(first, (offset - offset.mean()).tolist(), strict=True)]
    rated: dict[tuple[int, ...], float] = {}
    choices = [(0,) * len(found)]
    for starts in (first, seen):
        choices += [
            tuple(round((start - own) / pitch) for own, pitch in zip(starts, pitches, strict=True))
            for start in (own + k * PITCH / STEP for own in starts for k in (-1, 0, 1))
        ]
    for choice in set(choices):
        ends, score = [], 0.0
        for row_scores, end, k, pitch in zip(scores, best, choice, pitches, strict=True):
            place = end + round(k * pitch)
            near = range(max(place - 1, 0), min(place + 2, len(row_scores)))
            if not near:
                break
            ends.append(max(near, key=row_scores.__getitem__))
            score += row_scores[ends[-1]]
        else:
            moved = [k * pitch for k, pitch in zip(choice, pitches, strict=True)]
            begins = [[start + by for start, by in zip(starts, moved, strict=True)] for starts in (first, seen)]
            uneven = min(max(begin) - min(begin) for begin in begins) * STEP / PITCH
            rated[tuple(ends)] = score - _UNEVEN * max(0.0, uneven - 0.3)
    top = max(rated.values())
    return sorted(((score, ends) for ends, score in rated.items() if score > top - AMBIGUOUS), reverse=True)


def row(found: March, columns: int, end: int) -> Row:
    """The best row of so many characters up to this step, evened out by a curve, and what the network read there."""
    at = found.path(columns, end)
    places, weights = _centroids(found.outputs[:, _CLASSES], at)
    places = _even(places, weights)
    outputs = _at(found.outputs, places)
    weights = np.sqrt(weights + 1e-3)
    return Row(
        outputs[:, :_CLASSES],
        places * STEP + (STEP - 1) / 2,
        _at(found.presence[:, None], places)[:, 0],
        _even(outputs[:, _CLASSES + 1].astype(np.float64) * SHIFT, weights, 2),
        _even(outputs[:, _CLASSES + 2].astype(np.float64) * SIZE, weights, 1),
    )


def leans(bands: Sequence[Band], rows: Sequence[Row]) -> NDArray[np.float64]:
    """How far the characters of each line lean, shape (lines, 2): columns per row of the strip, at both ends.

    Lines begin one below the other on the page. Seen at an angle they need not do so in a strip that follows one line.
    Of a single line nothing is known.
    """
    if len(rows) == 1:
        return np.zeros((1, 2))
    count = min(len(row.centres) for row in rows)
    middles = [np.column_stack((row.centres[[0, count - 1]], MIDDLE + row.shift[[0, count - 1]])) for row in rows]
    seen = np.array([band.to_picture(points) for band, points in zip(bands, middles, strict=True)])
    down = np.gradient(seen, axis=0)
    result = np.empty((len(bands), 2))
    for i, band in enumerate(bands):
        across = np.stack((seen[i], seen[i] + 0.2 * down[i])).reshape(1, 4, 2)
        strip = cv2.perspectiveTransform(across, np.linalg.inv(band.matrix)).reshape(2, 2, 2)
        result[i] = (strip[1] - strip[0])[:, 0] / (strip[1] - strip[0])[:, 1]
    return result


def refined(band: Band, reading: Row, lean: NDArray[np.float64], columns: int) -> Band:
    """The band of so many columns that follows the text as the row found it in ``band``, which may sag, no more.

    ``lean`` as from ``leans``.
    """
    wanted = MARGIN + (np.arange(len(reading.centres)) + 0.5) * PITCH - 0.5
    t = wanted / Band(band.matrix, columns).width
    x = np.polynomial.polynomial.polyfit(t, reading.centres - wanted, 3)
    sag = np.polynomial.polynomial.polyval(reading.centres / band.width, band.curve[4:7])
    y = np.polynomial.polynomial.polyfit(t, reading.shift + sag, 2)
    h = np.polynomial.polynomial.polyfit(t, np.exp(reading.size) - 1, 1)
    slope = (lean[1] - lean[0]) / (t[-1] - t[0])
    return Band(band.matrix, columns, np.concatenate((x, y, h, (lean[0] - slope * t[0], slope))))


def is_off(reading: Row, lean: NDArray[np.float64]) -> bool:
    """Whether the strip shows the text so far from where it should be that a refined one would be read better."""
    pitch = (reading.centres[-1] - reading.centres[0]) / (len(reading.centres) - 1) / PITCH
    return bool(
        abs(pitch - 1) > 0.05
        or np.abs(reading.shift).max() > 1.6
        or np.abs(reading.size).max() > 0.08
        or np.abs(lean).max() > 0.07
        or reading.centres[0] < PITCH
    )


def corners(band: Band, reading: Row) -> NDArray[np.float32]:
    """The quad of the row in the picture."""
    half = PITCH / 2
    middle, tall = MIDDLE + reading.shift[[0, -1]], 9.5 * np.exp(reading.size[[0, -1]])
    left, right = reading.centres[0] - half, reading.centres[-1] + half
    points = np.array(
        (
            (left, middle[0] - tall[0]),
            (right, middle[1] - tall[1]),
            (right, middle[1] + tall[1]),
            (left, middle[0] + tall[0]),
        )
    )
    return band.to_picture(points).astype(np.float32)


def _centroids(odds: Floats, at: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The centres to fractions of a step, and how plain each is (0 to 1)."""
    places, plain = np.empty((2, len(at)))
    kernels.centroids(odds, at, places, plain)
    return places, plain


def _even(values: NDArray[np.float64], weights: NDArray[np.float64], degree: int = 3) -> NDArray[np.float64]:
    """A polynomial through ``values``, those far from it left out of account."""
    fit = np.empty(len(values))
    kernels.even(_powers(len(values), degree), values, weights, fit)
    return fit


@cache
def _powers(count: int, degree: int) -> NDArray[np.float64]:
    return np.asarray(np.linspace(-1, 1, count)[:, None] ** np.arange(degree + 1), np.float64)


def _at(values: Floats, places: NDArray[np.float64]) -> Floats:
    """``values`` (steps, n) at fractions of steps."""
    out = np.empty((len(places), values.shape[1]), np.float32)
    kernels.between(values, places, out)
    return out
