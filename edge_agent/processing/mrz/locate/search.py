"""Where parallel lines of text may lie: ridges of ink at one scale, joined to segments, and these to pairs and triples.

At the right scale a line of the zone is a ridge: its characters melt into one another, its gaps to the next line do not.
No threshold on grey values and no orientation is assumed; a broken line still gives segments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.locate import kernels
from edge_agent.processing.mrz.locate.pyramid import Grey

Segments = NDArray[np.float32]
"""Shape (n, kernels.SEGMENT), in pixels of the reduced picture."""

PITCH: Final = (4.5, 9.5)
"""Of the characters, in pixels of the reduced picture, that a search at one scale covers."""
_STROKES: Final = 7
"""Pixels; what is darker than its surroundings and narrower than this is ink."""
_BLUR: Final = 1.1
"""Sigma in pixels of the ridge picture, which has half the pixels each way; melts characters but not lines."""
_NEIGHBOURHOOD: Final = 3.0
_CONTRAST: Final = 1.35
_TOLERANCE: Final = np.radians(15)
_SHORTEST: Final = 12.0
_SPACING: Final = (3.5, 15.0)
"""From line to line, in pixels of the ridge picture."""
_SLENDER: Final = (7.0, 34.0)
"""Length of a line over the spacing of the lines: 30 characters at 2.5 pitches are 12, 44 at 1.7 are 26."""
_SEEDS: Final = 12


@dataclass(frozen=True, slots=True)
class Guess:
    """Two or three parallel lines that may be a zone.

    ``lines`` has shape (2 or 3, 2, 2): the ends x, y of each line's middle, in pixels of the full picture, from one side
    to the other; all lines begin and end abreast. The larger ``weight`` is, the more ink they have.
    """

    lines: NDArray[np.float64]
    weight: float


def segments(grey: Grey) -> Segments:
    """Straight ridges of ink in a reduced picture, in pixels of the ridge picture (half its size)."""
    dark = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((_STROKES, _STROKES), np.uint8))
    size = (max(dark.shape[1] // 2, 1), max(dark.shape[0] // 2, 1))
    half = cv2.resize(dark, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    ink = np.asarray(cv2.GaussianBlur(half, (0, 0), _BLUR), np.float32)
    dx, dy = cv2.Sobel(ink, cv2.CV_32F, 1, 0), cv2.Sobel(ink, cv2.CV_32F, 0, 1)
    xx, yy, xy = (
        np.asarray(cv2.GaussianBlur(product, (0, 0), _NEIGHBOURHOOD), np.float32)
        for product in (dx * dx, dy * dy, dx * dy)
    )
    direction = kernels.ridges(ink, xx, yy, xy, float(0.8 * ink.mean() + 0.5), _CONTRAST)
    found: Segments = kernels.grow(direction, ink, float(_TOLERANCE), _SHORTEST)
    return found


def guesses(found: Segments, scale: float) -> list[Guess]:
    """Pairs and triples of parallel lines among the segments, the heaviest first.

    ``scale`` is how many pixels of the full picture make one of the reduced one.
    """
    if not len(found):
        return []
    weights = found[:, 4] * found[:, 7]
    seen: set[frozenset[int]] = set()
    out = []
    for seed in np.argsort(-weights)[:_SEEDS]:
        for lines, members, weight in _around(found, weights, int(seed)):
            if members not in seen:
                seen.add(members)
                # From the ridge picture to the full one; pixel centres lie at integers in both.
                out.append(Guess((lines + 0.5) * (2 * scale) - 0.5, weight))
    return sorted(out, key=lambda guess: -guess.weight)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line in the frame of its seed: from ``low`` to ``high`` along it, ``at`` + ``slope`` * x across."""

    low: float
    high: float
    at: float
    slope: float
    covered: float
    weight: float
    members: frozenset[int]


def _around(
    found: Segments, weights: NDArray[np.float32], seed: int
) -> list[tuple[NDArray[np.float64], frozenset[int], float]]:
    """The lines beside a seed that together may be a zone: end points, members, weight."""
    ends = found[:, :4].astype(np.float64).reshape(-1, 2, 2)
    origin = ends[seed].mean(axis=0)
    along = ends[seed, 1] - ends[seed, 0]
    along /= np.hypot(*along)
    across = np.array((-along[1], along[0]))
    x, y = (ends - origin) @ along, (ends - origin) @ across
    turned = x[:, 0] > x[:, 1]
    x[turned], y[turned] = x[turned, ::-1], y[turned, ::-1]
    length = x[:, 1] - x[:, 0]
    parallel = np.abs(y[:, 1] - y[:, 0]) < 1.5 + 0.12 * length
    near = parallel & (np.abs(y).min(axis=1) < 2.6 * _SPACING[1]) & (x[:, 1] > 2 * x[seed, 0]) & (x[:, 0] < 2 * x[seed, 1])
    indices = [int(i) for i in np.argsort(-weights) if near[i]]
    own = _gather(seed, indices, x, y, weights)
    rest = [i for i in indices if i not in own.members]
    beside = []
    while rest and len(beside) < 8:
        line = _gather(rest[0], rest, x, y, weights)
        rest = [i for i in rest if i not in line.members]
        if line.covered > 0.3 * own.covered:
            beside.append(line)
    out = []
    for lines in _stacks(own, beside):
        low, high = min(line.low for line in lines), max(line.high for line in lines)
        spacing = abs(_distance(lines[0], lines[-1])) / (len(lines) - 1)
        if not _SLENDER[0] < (high - low) / spacing < _SLENDER[1]:
            continue
        missing = sum(high - low - line.covered for line in lines)
        weight = sum(line.weight for line in lines) * max(0.05, 1 - missing / len(lines) / (high - low))
        points = np.array([[(at, line.at + line.slope * at) for at in (low, high)] for line in lines])
        members = frozenset[int]().union(*(line.members for line in lines))
        out.append((origin + points[..., :1] * along + points[..., 1:] * across, members, weight))
    return out


def _gather(
    seed: int, indices: list[int], x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float32]
) -> _Line:
    """The segments that continue a seed in both directions."""
    low, high = x[seed]
    slope = float((y[seed, 1] - y[seed, 0]) / max(high - low, 1e-6))
    middle, at = (low + high) / 2, y[seed].mean()
    members = [seed]
    grown = True
    while grown:
        grown = False
        for i in indices:
            if i in members or x[i, 0] > high + _GAP or x[i, 1] < low - _GAP:
                continue
            off = np.abs(y[i] - at - slope * (x[i] - middle))
            overlap = min(high, x[i, 1]) - max(low, x[i, 0])
            if off.max() < 1.5 + 0.03 * max(x[i, 1] - high, low - x[i, 0], 0) and overlap < 0.5 * (x[i, 1] - x[i, 0]):
                members.append(i)
                low, high = min(low, x[i, 0]), max(high, x[i, 1])
                slope, at = _fitted(members, x, y, middle)
                grown = True
    covered = float((x[members, 1] - x[members, 0]).sum())
    weight = float(weights[members].sum())
    return _Line(float(low), float(high), float(at - slope * middle), slope, covered, weight, frozenset(members))


_GAP: Final = 25.0
"""Pixels of the ridge picture, some six characters, that a line may be interrupted."""


def _fitted(
    members: list[int], x: NDArray[np.float64], y: NDArray[np.float64], middle: float
) -> tuple[float, float]:
    """Slope, and height at ``middle``, of the straight line through the ends of the members."""
    xs, ys = x[members].ravel() - middle, y[members].ravel()
    weights = np.repeat(x[members, 1] - x[members, 0], 2)
    mean_x, mean_y = np.average(xs, weights=weights), np.average(ys, weights=weights)
    slope = float((weights * (xs - mean_x) * (ys - mean_y)).sum() / max((weights * (xs - mean_x) ** 2).sum(), 1e-6))
    return slope, float(mean_y - slope * mean_x)


def _stacks(own: _Line, beside: list[_Line]) -> list[list[_Line]]:
    """Pairs and evenly spaced triples with the seed in them, each from one side to the other."""
    partners = [line for line in beside if _SPACING[0] < abs(_distance(own, line)) < _SPACING[1] and _abreast(own, line)]
    stacks = [[own, line] for line in partners]
    for first in partners:
        step = _distance(own, first)
        for second in beside:
            if second is first or not _abreast(own, second):
                continue
            other = _distance(own, second)
            if abs(other - 2 * step) < 0.2 * abs(step) or (abs(other + step) < 0.2 * abs(step) and step > 0):
                stacks.append([own, first, second])
    return [sorted(stack, key=lambda line: _distance(own, line)) for stack in stacks]


def _distance(a: _Line, b: _Line) -> float:
    middle = (max(a.low, b.low) + min(a.high, b.high)) / 2
    return b.at - a.at + (b.slope - a.slope) * middle


def _abreast(a: _Line, b: _Line) -> bool:
    shared = min(a.high, b.high) - max(a.low, b.low)
    return shared > 0.5 * min(a.high - a.low, b.high - b.low) and shared > 0.3 * max(a.high - a.low, b.high - b.low)
