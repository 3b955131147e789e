"""A picture with the bar codes that were read in it drawn over it, for people."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.barcode.symbols import Symbol

_GREEN = (60, 170, 0)
_WHITE = (255, 255, 255)
_LONGEST = 48


def overlay(image: NDArray[np.uint8], symbols: Iterable[Symbol]) -> NDArray[np.uint8]:
    """A copy in colour (BGR) with an outline and the contents at each symbol; other letters than ASCII become ?."""
    drawn = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image.copy()
    thick = max(2, max(image.shape[:2]) // 400)
    size = thick / 3
    for symbol in symbols:
        outline = symbol.corners.round().astype(np.int32)
        cv2.polylines(drawn, [outline], True, _GREEN, thick)
        said = symbol.text if symbol.text is not None else symbol.data.hex()
        text = f"{symbol.format}: {said}".encode("ascii", "replace").decode()
        text = "".join(c if c.isprintable() else " " for c in text)[:_LONGEST]
        at = (int(outline[:, 0].min()), max(int(outline[:, 1].min()) - 2 * thick, 12 * thick))
        cv2.putText(drawn, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, _WHITE, 3 * thick)
        cv2.putText(drawn, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, _GREEN, thick)
    return np.asarray(drawn, np.uint8)
