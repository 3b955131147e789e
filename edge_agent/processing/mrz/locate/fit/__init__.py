"""From a guess to a zone: the guess is straightened, and its lines and character cells are measured.

The straightened strip has ``SPACING`` rows from line to line, which leaves 8 to 14 columns for a character: enough to
see where each begins, and no more pixels than that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.locate.fit import kernels
from edge_agent.processing.mrz.locate.fit.cells import THREE_LINES, Cells, cells, presence
from edge_agent.processing.mrz.locate.fit.fillers import pointing
from edge_agent.processing.mrz.locate.zone import Quad, Zone, turned
from edge_agent.processing.mrz.picture import Grey, Picture

Array = NDArray[np.float64]
Strip = NDArray[np.float32]

SPACING: Final = 24
"""Rows from line to line in the strip."""
MARGIN: Final = 22
"""Rows above the middle of the first line and below that of the last."""
REACH: Final = 60
"""Columns beyond the ends of the guess."""
LEAST: Final = 0.08
"""Plausibility below which a zone is not worth a reader's time."""
_STROKES: Final = np.ones((9, 9), np.uint8)
_STRIPE: Final = 16
"""Columns to both sides, some three characters, over which ink that does not change is a stripe."""
_AROUND: Final = 60
"""Columns to both sides whose strokes are as dark as a stroke should be."""
_BLOCK: Final = 40
_LENGTHS: Final = {2: (330.0, 540.0), 3: (240.0, 400.0)}
"""Of a line in the strip, by number of lines. Seen from the side or from below, zones are shorter or longer for the
spacing of their lines, and are stretched to this."""
_BENT: Final = 1.0
"""Rows from which a bend is worth straightening."""
_GOES_ON: Final = 0.5
"""Of the ink of the text: so much near the border of the strip means that the text goes on there."""
SAGS: Final = 9
"""Points at which the sag of bent lines is told."""
_CONTRAST: Final = 0.3
"""Of lines with the gaps between them, below which these are no lines: no zone had less than 0.4."""
_HEIGHTS: Final = (6.0, 16.0)
"""Of the capitals in the strip."""
_RHYTHM: Final = 0.6
"""Of 99 in 100 zones; 95 in 100 of other texts have less than a third of it."""


@dataclass(frozen=True, slots=True)
class _Strip:
    """The straightened guess: ink (0 to 1), the homography to the picture, the middles of its lines."""

    ink: Strip
    to_picture: Array
    lines: Array
    """Shape (count, 2): row at column 0 and rows per column."""
    stretch: float
    """How much wider than high a square of the page is."""
    bend: Array
    """Rows by which the page bends down in each column; taken out of the ink if it is ``_BENT`` anywhere."""


def measure(picture: Picture, lines: Array) -> Zone | None:
    """Measure the zone that a guess points at; None if nothing there is as even as the lines of a zone.

    ``lines`` has shape (2 or 3, 2, 2): the ends of each line's middle in pixels of the full picture. Of two lines with
    30 characters each the third was overlooked, and is sought on both sides.
    """
    zone = _measure(picture, lines)
    if zone is None or len(lines) == 3 or zone.columns != THREE_LINES:
        return zone
    step = lines[1] - lines[0]
    wider = (np.stack((lines[0] - step, *lines)), np.stack((*lines, lines[1] + step)))
    return max(filter(None, (_measure(picture, three) for three in wider)), key=lambda z: z.plausibility, default=None)


def _measure(picture: Picture, lines: Array) -> Zone | None:
    spacing, _ = kernels.extent(lines)
    halvings = max(0, int(math.log2(max(spacing, 1.0) / (0.9 * SPACING))))
    strip = _straightened(picture.halved(halvings), (lines + 0.5) / 2**halvings - 0.5)
    if strip is None:
        return None
    middles, height, contrast = kernels.edges(strip.ink, strip.lines, REACH, *_HEIGHTS)
    if contrast <= 0:
        return None
    there, profiles = presence(strip.ink, middles, height, REACH)
    grid = cells(there, profiles, height * strip.stretch, REACH)
    if grid is None:
        return None
    plausibility = _plausibility(strip, middles, grid, height)
    if plausibility < LEAST:
        return None
    quads = tuple(
        ((quad + 0.5) * 2**halvings - 0.5).astype(np.float32) for quad in _quads(strip, middles, grid, height)
    )
    upright = pointing(strip.ink, middles, grid, height)
    sag = _sag(strip, grid, height)
    if upright < 0:
        quads, sag = turned(quads), tuple(-s for s in reversed(sag))
    return Zone(quads, grid.columns, plausibility, abs(upright), sag)


def _straightened(picture: Grey, lines: Array) -> _Strip | None:
    """The strip with the lines level; twice, as the first time shows better where they are and how far they go."""
    count = len(lines)
    for _ in range(2):
        spacing, natural = kernels.extent(lines)
        natural *= SPACING / max(spacing, 1e-3)
        shortest, longest = _LENGTHS[count]
        length = min(max(natural, shortest), longest)
        if not 0.3 < length / natural < 3:
            return None
        to_picture = _homography(lines[[0, -1]], length, count)
        size = (round(length) + 2 * REACH, (count - 1) * SPACING + 2 * MARGIN)
        bend = np.zeros(size[0])
        ink = _ink(picture, to_picture, size, bend)
        middles, more = _middles(ink, count, bend)
        if (np.diff(middles[:, 0]) < 0.4 * SPACING).any():
            return None
        if kernels.contrast(ink, middles, float(SPACING), REACH) < _CONTRAST:
            return None
        ends = np.array([REACH - more[0], REACH + length + more[1]])
        moved = np.empty_like(lines)
        moved[..., 0], moved[..., 1] = ends, middles[:, :1] + middles[:, 1:] * ends
        lines = np.asarray(cv2.perspectiveTransform(moved, to_picture), np.float64)
    taken_out = np.zeros_like(bend)
    for _ in range(2):
        if np.abs(bend - taken_out).max() < _BENT:
            break
        taken_out = bend.copy()
        ink = _ink(picture, to_picture, size, bend)
        middles, _ = _middles(ink, count, bend)
    return _Strip(ink, to_picture, middles, length / natural, bend)


def _middles(ink: Strip, count: int, bend: Array) -> tuple[Array, tuple[int, int]]:
    """The middles of the lines, and by how many columns they go on; what they bend is added to ``bend``."""
    middles, columns, below, weights = kernels.middles(ink, count, float(MARGIN), float(SPACING), REACH, _BLOCK)
    # Slopes of their own only as far as the lines agree: letters and fillers differ in their middles.
    level = middles[:, 0] + middles[:, 1] * ink.shape[1] / 2
    middles[:, 1] = 0.5 * (middles[:, 1] + middles[:, 1].mean())
    middles[:, 0] = level - middles[:, 1] * ink.shape[1] / 2
    bend += kernels.bend(columns, below, weights, len(bend), _BLOCK)
    left, right = kernels.beyond(ink, middles, float(SPACING), REACH)
    return middles, (2 * REACH * (left > _GOES_ON), 2 * REACH * (right > _GOES_ON))


def _homography(outer: Array, length: float, count: int) -> Array:
    """From the strip to the picture; ``outer`` are the ends of the first and the last line."""
    bottom = MARGIN + (count - 1) * SPACING
    strip = [(REACH, MARGIN), (REACH + length, MARGIN), (REACH + length, bottom), (REACH, bottom)]
    corners = np.array([outer[0, 0], outer[0, 1], outer[1, 1], outer[1, 0]])
    matrix = cv2.getPerspectiveTransform(np.array(strip, np.float32), corners.astype(np.float32))
    return np.asarray(matrix, np.float64)


def _ink(picture: Grey, to_picture: Array, size: tuple[int, int], bend: Array) -> Strip:
    """The ink of the picture in the strip: see ``kernels.relief``."""
    if np.abs(bend).max() < _BENT:
        strip = cv2.warpPerspective(
            picture, to_picture, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
        )
    else:
        x, y = kernels.bent(to_picture, bend, size[1])
        strip = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    dark = np.asarray(cv2.morphologyEx(strip, cv2.MORPH_BLACKHAT, _STROKES), np.uint8)
    ink: Strip = kernels.relief(dark, _STRIPE, _AROUND)
    return ink


def _quads(strip: _Strip, middles: Array, grid: Cells, height: float) -> list[Quad]:
    ends = np.array([grid.start, grid.end])
    bent = _bend_at(strip, ends)
    out = []
    for at, slope in middles:
        left, right = at + slope * ends + bent
        corners = [
            (ends[0], left - height / 2),
            (ends[1], right - height / 2),
            (ends[1], right + height / 2),
            (ends[0], left + height / 2),
        ]
        out.append(cv2.perspectiveTransform(np.array([corners]), strip.to_picture)[0])
    return out


def _bend_at(strip: _Strip, columns: Array) -> Array:
    if np.abs(strip.bend).max() < _BENT:
        return np.zeros(len(columns))
    return np.interp(columns, np.arange(len(strip.bend)), strip.bend)


def _sag(strip: _Strip, grid: Cells, height: float) -> tuple[float, ...]:
    """How far the lines sag below the straight line between their ends, at evenly spaced points, in heights."""
    columns = np.linspace(grid.start, grid.end, SAGS)
    bent = _bend_at(strip, columns)
    return tuple(float(s) for s in (bent - np.linspace(bent[0], bent[-1], SAGS)) / height)


def _plausibility(strip: _Strip, middles: Array, grid: Cells, height: float) -> float:
    """0 to 1: lines full of text, gaps between them empty, an even rhythm, and the proportions of OCR-B."""
    ink = strip.ink
    first = int(min(max(grid.start, 0), ink.shape[1] - 2))
    last = int(min(max(grid.end, first + 1), ink.shape[1]))
    text = kernels.bands(ink, middles, -0.35 * height, 0.35 * height)[:, first:last].mean()
    below = kernels.bands(ink, middles, 0.65 * height, SPACING - 0.65 * height)[:-1, first:last].mean()
    contrast = min(max(1 - below / max(text, 1e-6), 0), 1)
    even = min(1.0, 0.05 + grid.rhythm / _RHYTHM)
    proportion = math.exp(-0.5 * (math.log(grid.pitch / height / strip.stretch) / 0.5) ** 2)
    return float(contrast * grid.full**1.5 * (1 - 0.7 * grid.beyond) * even * proportion)
