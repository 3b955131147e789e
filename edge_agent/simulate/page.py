"""A picture of a document, with the places of its machine readable lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""BGR, shape (height, width, 3)."""
Quad = NDArray[np.float32]
"""Shape (4, 2): corners x, y of one line in pixels, clockwise from the top left of the text. Pixel centres lie at
integers. A line goes from its first character cell to its last, and from the top of the capitals to the base line."""


@dataclass(frozen=True, slots=True)
class Page:
    """A picture and one quad for each line of its machine readable zone, from the top."""

    image: Image
    quads: tuple[Quad, ...]


def turn(page: Page, quarters: int) -> Page:
    """The page turned clockwise by so many quarters; the quads still begin at the top left of the text."""
    quarters %= 4
    height, width = page.image.shape[:2]
    quads = page.quads
    for _ in range(quarters):
        quads = tuple(np.column_stack((height - 1 - quad[:, 1], quad[:, 0])) for quad in quads)
        height, width = width, height
    return Page(np.ascontiguousarray(np.rot90(page.image, -quarters)), quads)
