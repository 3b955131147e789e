"""A spectrum as a picture: what was measured, and over it the entry of a library that it is most like."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.spectra.spectrum import Array

WIDTH: Final = 1200
HEIGHT: Final = 640
_LEFT: Final = 60
_RIGHT: Final = 30
_TOP: Final = 60
_BOTTOM: Final = 60
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_INK: Final = (40, 40, 40)
_FAINT: Final = (225, 225, 225)
_COLOURS: Final = ((160, 90, 20), (40, 40, 210), (60, 140, 60))
"""BGR: the measured spectrum, then the others."""

Curve = tuple[str, Array, Array]
"""A label, x and y, each of shape (n,)."""


def plot(
    title: str, x_label: str, curves: list[Curve], marks: list[tuple[float, str]] | None = None
) -> NDArray[np.uint8]:
    """Draw curves over each other, each scaled to the height: BGR, shape (HEIGHT, WIDTH, 3).

    ``marks`` are places on the axis with a word each. Characters that the font lacks are shown as question marks.
    """
    image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    low = min(float(x.min()) for _, x, _ in curves)
    high = max(float(x.max()) for _, x, _ in curves)
    scale = (WIDTH - _LEFT - _RIGHT) / ((high - low) or 1.0)
    for tick in _ticks(low, high):
        at = round(_LEFT + (tick - low) * scale)
        cv2.line(image, (at, _TOP), (at, HEIGHT - _BOTTOM), _FAINT, 1)
        _write(image, f"{tick:g}", (at - 16, HEIGHT - _BOTTOM + 22), _INK, 0.5)
    cv2.rectangle(image, (_LEFT, _TOP), (WIDTH - _RIGHT, HEIGHT - _BOTTOM), _INK, 1)
    for index, (label, x, y) in enumerate(curves):
        colour = _COLOURS[index % len(_COLOURS)]
        usable = np.isfinite(y)
        if usable.sum() > 1:
            points = _points(x[usable], y[usable], low, scale)
            cv2.polylines(image, [points], isClosed=False, color=colour, thickness=1, lineType=cv2.LINE_AA)
        _write(image, label, (WIDTH - _RIGHT - 330, _TOP + 24 + 22 * index), colour, 0.55)
    for place, word in marks or []:
        at = round(_LEFT + (place - low) * scale)
        cv2.line(image, (at, _TOP), (at, _TOP + 12), _INK, 1)
        _write(image, word, (at - 20, _TOP - 6), _INK, 0.4)
    _write(image, title, (_LEFT, 26), _INK, 0.65)
    _write(image, x_label, (WIDTH // 2 - 60, HEIGHT - 12), _INK, 0.55)
    return image


def _points(x: Array, y: Array, low: float, scale: float) -> NDArray[np.int32]:
    bottom, top = (float(value) for value in np.percentile(y, [0, 100]))
    height = (HEIGHT - _TOP - _BOTTOM - 10) / ((top - bottom) or 1.0)
    return np.stack([_LEFT + (x - low) * scale, HEIGHT - _BOTTOM - 5 - (y - bottom) * height], 1).astype(np.int32)


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 8 or 1.0
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [float(tick) for tick in np.arange(np.ceil(low / step) * step, high + step / 100, step)]


def _write(image: NDArray[np.uint8], text: str, at: tuple[int, int], colour: tuple[int, int, int], size: float) -> None:
    shown = text.encode("ascii", "replace").decode()[:110]
    cv2.putText(image, shown, at, _FONT, size, colour, 1, cv2.LINE_AA)
