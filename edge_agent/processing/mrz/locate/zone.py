"""What the search hands over: a place that may hold a machine readable zone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Quad = NDArray[np.float32]
"""Shape (4, 2): corners x, y of one line in pixels, clockwise from the top left of the text. Pixel centres lie at
integers. A line goes from its first character cell to its last, and from the top of the capitals to the base line."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A place that may hold a machine readable zone.

    Attributes:
        quads: One for each line, from the top of the text, in pixels of the full picture; all of one zone lie on one
            plane, so that the first corners and the last of them give its perspective.
        columns: Characters in each line by the spacing of their cells: 30, 36 or 44. A guess: one more or less fits
            nearly as well.
        plausibility: 0 to 1, comparable between zones of one page.
        upright: How clearly the fillers point to the left, 0 to 1: the quads are given in the better of the two
            directions, and near 0 the other one (``turned``) is as good. A mirrored zone is given upside down.
        sag: On a bent page, how far all lines sag below the straight line between their ends, towards the base line,
            in heights of the capitals, at evenly spaced points from the first to the last; all 0 on a flat page.
    """

    quads: tuple[Quad, ...]
    columns: int
    plausibility: float
    upright: float
    sag: tuple[float, ...]


def turned(quads: tuple[Quad, ...]) -> tuple[Quad, ...]:
    """The same lines for text that stands upside down: from the other end, and the last line first."""
    return tuple(np.roll(quad, 2, axis=0) for quad in reversed(quads))
