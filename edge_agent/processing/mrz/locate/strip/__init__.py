"""A guess straightened: its lines level in a strip of ink, wherever they lie and however they bend in the picture.

The strip has ``SPACING`` rows from line to line, which leaves 8 to 14 columns for a character: enough to see where each
begins, and no more pixels than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.locate.strip import kernels
from edge_agent.processing.mrz.picture import Grey

Array = NDArray[np.float64]
Ink = NDArray[np.float32]

SPACING: Final = 24
"""Rows from line to line in the strip."""
MARGIN: Final = 22
"""Rows above the middle of the first line and below that of the last."""
REACH: Final = 60
"""Columns beyond the ends of the guess."""
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
_CONTRAST: Final = 0.3
"""Of lines with the gaps between them, below which these are no lines: no zone had less than 0.4."""


@dataclass(frozen=True, slots=True)
class Strip:
    """The straightened guess: ink (0 to 1), the homography to the picture, the middles of its lines."""

    ink: Ink
    to_picture: Array
    lines: Array
    """Shape (count, 2): row at column 0 and rows per column."""
    stretch: float
    """How much wider than high a square of the page is."""
    bend: Array
    """Rows by which the page bends down in each column; taken out of the ink if it is ``_BENT`` anywhere."""

    def bend_at(self, columns: Array) -> Array:
        """Rows by which the page bends down at these columns, as far as it was taken out of the ink."""
        if np.abs(self.bend).max() < _BENT:
            return np.zeros(len(columns))
        return np.interp(columns, np.arange(len(self.bend)), self.bend)


def straightened(picture: Grey, lines: Array) -> Strip | None:
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
    return Strip(ink, to_picture, middles, length / natural, bend)


def _middles(ink: Ink, count: int, bend: Array) -> tuple[Array, tuple[int, int]]:
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


def _ink(picture: Grey, to_picture: Array, size: tuple[int, int], bend: Array) -> Ink:
    """The ink of the picture in the strip: see ``kernels.relief``."""
    if np.abs(bend).max() < _BENT:
        strip = cv2.warpPerspective(
            picture, to_picture, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
        )
    else:
        x, y = kernels.bent(to_picture, bend, size[1])
        strip = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    dark = np.asarray(cv2.morphologyEx(strip, cv2.MORPH_BLACKHAT, _STROKES), np.uint8)
    ink: Ink = kernels.relief(dark, _STRIPE, _AROUND)
    return ink
