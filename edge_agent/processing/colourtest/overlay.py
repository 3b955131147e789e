"""A reading drawn over its picture: where the card was found, what was looked at, which colours came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge_agent.processing.colourtest.card import BLANK, SAMPLE, SIZE, Rectangle, patches
from edge_agent.processing.colourtest.colour import encode_srgb, srgb_of_xyz, xyz_of_lab
from edge_agent.processing.colourtest.locate import Located, Pixels
from edge_agent.processing.colourtest.reading import liquid

Image = NDArray[np.uint8]
"""BGR, shape (height, width, 3)."""

_WIDTH: Final = 1400
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_LINE: Final = (255, 160, 0)
_SEEN: Final = (60, 60, 230)
_LONGEST_LINE: Final = 105


def overlay(
    image: Pixels, located: Located | None, swatches: Sequence[tuple[str, ArrayLike]], lines: Sequence[str]
) -> Image:
    """The picture, 1,400 pixels wide, with the card's parts framed, and a panel below it.

    Args:
        image: as it was read, 8 or 16 bits.
        located: where the card was found.
        swatches: names and CIELAB colours (D65) to show side by side.
        lines: what to say.
    """
    scale = _WIDTH / image.shape[1]
    shown = cv2.resize(_bytes(image), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    page = np.array(shown if shown.ndim == 3 else cv2.cvtColor(shown, cv2.COLOR_GRAY2BGR), np.uint8)
    if located is not None:
        _frame(page, located, Rectangle(0, 0, *SIZE), scale, _LINE, 3)
        for patch in patches():
            _frame(page, located, patch.place.inner(0.7), scale, _LINE, 1)
        for place in (SAMPLE, BLANK):
            _frame(page, located, liquid(place), scale, _SEEN, 2)
    return np.vstack((page, _panel(swatches, [part for line in lines for part in _wrapped(line)])))


def _bytes(image: Pixels) -> Image:
    """16 bits are most often linear light: shown as sRGB, the brightest hundredth white."""
    if image.dtype == np.uint8:
        return np.asarray(image, np.uint8)
    top = max(float(np.percentile(image[::4, ::4], 99)), 1.0)
    return np.asarray(encode_srgb(np.clip(image / top, 0, 1)) * 255, np.uint8)


def _frame(
    page: Image, located: Located, place: Rectangle, scale: float, colour: tuple[int, int, int], width: int
) -> None:
    left, top, right, bottom = place.x, place.y, place.x + place.width, place.y + place.height
    corners = located.points(np.array(((left, top), (right, top), (right, bottom), (left, bottom))))
    cv2.polylines(page, [np.round((corners + 0.5) * scale - 0.5).astype(np.int32)], True, colour, width, cv2.LINE_AA)


def _panel(swatches: Sequence[tuple[str, ArrayLike]], lines: Sequence[str]) -> Image:
    panel = np.full((40 + 32 * max(len(lines), 4), _WIDTH, 3), 30, np.uint8)
    for i, (name, lab) in enumerate(swatches):
        left = 16 + 120 * i
        colour = np.round(np.clip(encode_srgb(srgb_of_xyz(xyz_of_lab(lab))), 0, 1)[::-1] * 255).tolist()
        cv2.rectangle(panel, (left, 20), (left + 104, 110), colour, cv2.FILLED)
        cv2.putText(panel, name, (left, 138), _FONT, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    for i, text in enumerate(lines):
        left = 16 + 120 * len(swatches)
        cv2.putText(panel, text, (left, 38 + 32 * i), _FONT, 0.6, (255, 255, 255), 1, cv2.LINE_AA)
    return panel


def _wrapped(text: str) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= _LONGEST_LINE:
            lines.append("   ")
        lines[-1] = f"{lines[-1]} {word}" if lines[-1].strip() else lines[-1] + word
    return lines
