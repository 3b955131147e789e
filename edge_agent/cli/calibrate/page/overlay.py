"""Zones, lines and masks in a picture, for machines without a screen."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.cctv.settings import WatchSettings

_COLOURS = {"zone": (107, 212, 43), "line": (32, 176, 255), "mask": (80, 80, 224)}
"""BGR, as on the page."""


def overlay(image: NDArray[np.uint8], settings: WatchSettings) -> NDArray[np.uint8]:
    """A copy of a picture (BGR, shape (h, w, 3)) with what is drawn in it, by name; masks are black, as always."""
    shown = image.copy()
    size = np.array(image.shape[1::-1])

    def pixels(points: list[tuple[float, float]]) -> NDArray[np.int32]:
        return np.array(np.round(np.array(points) * (size - 1)), np.int32)

    for mask in settings.masks:
        cv2.fillPoly(shown, [pixels(mask.polygon)], (0, 0, 0))
    outlines = [("zone", zone.name, pixels(zone.polygon), True) for zone in settings.zones]
    outlines += [("line", line.name, pixels([line.start, line.end]), False) for line in settings.lines]
    outlines += [("mask", mask.name, pixels(mask.polygon), True) for mask in settings.masks]
    for kind, name, points, closed in outlines:
        cv2.polylines(shown, [points], closed, _COLOURS[kind], 2, cv2.LINE_AA)
        x, y = (int(value) for value in points[0])
        cv2.putText(shown, name, (x + 6, max(y - 6, 14)), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _COLOURS[kind], 1, cv2.LINE_AA)
    for line in settings.lines:  # forward: from left to right of who looks along it
        start, end = pixels([line.start, line.end]).astype(float)
        along = (end - start) / (np.hypot(*(end - start)) or 1.0)
        middle = (start + end) / 2
        tip = middle + np.array([-along[1], along[0]]) * 18
        cv2.arrowedLine(shown, _point(middle), _point(tip), _COLOURS["line"], 2, cv2.LINE_AA, tipLength=0.4)
    return shown


def _point(at: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(at[0])), round(float(at[1]))
