"""Proposals drawn over a view of their scan, with their reasons below it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

_LEAST_WIDTH: Final = 640
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_RED: Final = (200, 0, 0)
_GREY: Final = (130, 130, 130)
_LINE: Final = 22


@dataclass(frozen=True, slots=True)
class Mark:
    """A box in pixels of the scan (column, row, columns, rows), and what is written of it."""

    box: tuple[int, int, int, int]
    text: str
    shadow: bool = False


def overlay(view: Picture, marks: Sequence[Mark], notes: Sequence[str] = ()) -> Picture:
    """A view (R G B) with numbered boxes, and below it what each is about; shadow ones are grey.

    Small scans are enlarged, so that the text can be read.
    """
    scale = max(int(np.ceil(_LEAST_WIDTH / view.shape[1])), 1)
    picture = np.ascontiguousarray(view.repeat(scale, axis=0).repeat(scale, axis=1))
    thick = max(round(max(picture.shape) / 1000), 1) + 1
    for number, mark in enumerate(marks, 1):
        left, top, columns, rows = (value * scale for value in mark.box)
        colour = _GREY if mark.shadow else _RED
        cv2.rectangle(picture, (left, top), (left + columns, top + rows), colour, thick)
        at = left, top - 6 if top > 30 else top + rows + 22
        cv2.putText(picture, str(number), at, _FONT, 0.4 + 0.2 * thick, colour, thick, cv2.LINE_AA)
    texts = [f"{number}  {mark.text}" for number, mark in enumerate(marks, 1)] + list(notes)
    wide = max(picture.shape[1] // 9, 40)
    lines = [line for text in texts for line in textwrap.wrap(text, wide, subsequent_indent="    ")]
    below = np.full((_LINE * len(lines) + (12 if lines else 0), picture.shape[1], 3), 255, np.uint8)
    for number, line in enumerate(lines, 1):
        plain = line.encode("ascii", "replace").decode()  # OpenCV's letters
        cv2.putText(below, plain, (8, _LINE * number), _FONT, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([picture, below])
