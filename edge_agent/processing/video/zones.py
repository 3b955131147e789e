"""Zones, lines and masks of a picture, in coordinates from 0 to 1: x to the right, y down, whatever its size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
"""x, y, each from 0 to 1."""
Polygon = tuple[Point, ...]
"""The corners in order; the last is joined to the first."""
Direction = Literal["forward", "backward"]

_SUBPIXEL_BITS = 4


@dataclass(frozen=True, slots=True)
class Zone:
    """An area in which what stands, waits or passes is counted.

    An object has entered once it has been inside for ``enter_seconds``, and has left once it has been outside for
    ``leave_seconds``: one that flickers does neither. A zone that is not empty for ``occupied_seconds`` is occupied.
    """

    name: str
    polygon: Polygon
    enter_seconds: float = 0.2
    leave_seconds: float = 0.2
    occupied_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line that objects cross, ``forward`` from the left to the right of one who looks from start to end."""

    name: str
    start: Point
    end: Point


def raster(polygons: Iterable[Polygon], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Which pixels of a picture lie in any of some polygons, shape (h, w)."""
    height, width = shape
    inside = np.zeros(shape, np.uint8)
    for polygon in polygons:
        corners = np.array(polygon, np.float64) * (width, height) - 0.5
        cv2.fillPoly(inside, [np.round(corners * (1 << _SUBPIXEL_BITS)).astype(np.int32)], [1], shift=_SUBPIXEL_BITS)
    return inside.astype(np.bool_)


def contains(polygon: Polygon, point: Point) -> bool:
    """Whether a point lies in a polygon (even-odd rule)."""
    x, y = point
    inside = False
    for (x0, y0), (x1, y1) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            inside = not inside
    return inside


def side(line: Line, point: Point, aspect: float = 1.0) -> float:
    """Distance of a point from the endless line, in picture heights: positive to the right of start to end.

    ``aspect`` is width over height of the picture.
    """
    dx, dy = (line.end[0] - line.start[0]) * aspect, line.end[1] - line.start[1]
    px, py = (point[0] - line.start[0]) * aspect, point[1] - line.start[1]
    return (dx * py - dy * px) / (np.hypot(dx, dy) or 1.0)


def along(line: Line, point: Point, aspect: float = 1.0) -> float:
    """Where beside the line a point lies: 0 at the start, 1 at the end, beyond them less or more."""
    dx, dy = (line.end[0] - line.start[0]) * aspect, line.end[1] - line.start[1]
    px, py = (point[0] - line.start[0]) * aspect, point[1] - line.start[1]
    return (px * dx + py * dy) / (dx * dx + dy * dy or 1.0)
