"""The reference card: what lies where on it, and which colours it was meant to be printed in.

Millimetres from the upper left corner of the card, x to the right and y down. The neutrals of the ramp are printed on
both sides, light to dark on the left and dark to light on the right, so that a shadow cannot pass for a dark grey.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.colourtest.colour import Array, decode_srgb, lab_of_xyz, xyz_of_srgb

SIZE: Final = (160.0, 110.0)
"""Width and height."""
MARKERS: Final = {17: (4.0, 4.0), 18: (140.0, 4.0), 19: (140.0, 90.0), 20: (4.0, 90.0)}
"""Upper left corners of the fiducials by their number in ``DICTIONARY``."""
MARKER_SIZE: Final = 16.0
DICTIONARY: Final = cv2.aruco.DICT_5X5_50


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Upper left corner and size."""

    x: float
    y: float
    width: float
    height: float

    def inner(self, part: float) -> Rectangle:
        """The middle of it: so much of its width and of its height."""
        width, height = self.width * part, self.height * part
        return Rectangle(self.x + (self.width - width) / 2, self.y + (self.height - height) / 2, width, height)


@dataclass(frozen=True, slots=True)
class Patch:
    """A printed colour: ``name`` is that of its reference, which two patches share if they are of the ramp."""

    name: str
    place: Rectangle


SAMPLE: Final = Rectangle(30, 41, 42, 28)
"""Where the ampoule lies."""
BLANK: Final = Rectangle(88, 41, 42, 28)
"""Where the ampoule with the reagent alone lies."""

_COLOURS: Final = {
    "dark skin": 0x744F41,
    "light skin": 0xC5907F,
    "blue sky": 0x5B789B,
    "foliage": 0x5B6C40,
    "blue flower": 0x837FAF,
    "bluish green": 0x5FBDAC,
    "orange": 0xE07C30,
    "purplish blue": 0x455AA7,
    "moderate red": 0xC5505F,
    "purple": 0x5D3A68,
    "yellow green": 0x9CBB3A,
    "orange yellow": 0xE3A127,
    "blue": 0x283E91,
    "green": 0x3D9346,
    "red": 0xB23639,
    "yellow": 0xECC70F,
    "magenta": 0xBF4F92,
    "cyan": 0x0085A5,
    "white 9.5": 0xF1F2EB,
    "neutral 8": 0xC9CAC9,
    "neutral 6.5": 0xA1A3A3,
    "neutral 5": 0x797979,
    "neutral 3.5": 0x535455,
    "black 2": 0x323232,
}
"""sRGB of the 24 patches: the well-known set of McCamy, Marcus and Davidson (1976), as far as a printer can go."""
_RAMP: Final = {
    "ramp 1": 0xE2E2E2,
    "ramp 2": 0xB6B6B6,
    "ramp 3": 0x8E8E8E,
    "ramp 4": 0x6A6A6A,
    "ramp 5": 0x4B4B4B,
    "ramp 6": 0x303030,
}
NOMINAL: Final = _COLOURS | _RAMP
"""The sRGB value, 0xRRGGBB, that each reference is printed from."""
NEUTRALS: Final = (*list(_COLOURS)[18:], *_RAMP)

_COLUMNS: Final = [24 + 112 / 6 * column for column in range(6)]
_ROWS: Final = (5.0, 21.0, 76.0, 92.0)
_RAMP_ROWS: Final = [24 + 10.5 * step for step in range(6)]


@cache
def patches() -> tuple[Patch, ...]:
    """All 36 printed colours: the 24 patches, then the ramp on the left and on the right."""
    places = [Rectangle(x + 1.8, y, 15, 13) for y in _ROWS for x in _COLUMNS]
    ramp = list(_RAMP)
    left = [Patch(name, Rectangle(5, y, 14, 9.5)) for name, y in zip(ramp, _RAMP_ROWS, strict=True)]
    right = [Patch(name, Rectangle(141, y, 14, 9.5)) for name, y in zip(ramp[::-1], _RAMP_ROWS, strict=True)]
    return (*(Patch(name, place) for name, place in zip(_COLOURS, places, strict=True)), *left, *right)


@cache
def paper() -> tuple[Rectangle, ...]:
    """Places of white paper all over the card, by which uneven light is seen."""
    gaps = [*(x + 0.2 for x in _COLUMNS), 136.2]
    between = [Rectangle(x - 0.8, y + 2, 1.6, 9) for y in _ROWS for x in gaps]
    beside = [Rectangle(x, y, 3, 5) for x in (24, 78.5, 133) for y in (42, 52.5, 63)]
    around = [Rectangle(x, y, 10, 1.6) for x in (34, 56, 75, 92, 114) for y in (35.2, 73.2)]
    return (*between, *beside, *around)


@cache
def nominal_labs() -> dict[str, Array]:
    """CIELAB for D65 of the references, if the printer keeps to sRGB: no printer does, so each print is measured."""
    values = np.array([[value >> 16, value >> 8 & 255, value & 255] for value in NOMINAL.values()])
    return dict(zip(NOMINAL, lab_of_xyz(xyz_of_srgb(decode_srgb(values / 255))), strict=True))


def marker_corners(number: int) -> NDArray[np.float64]:
    """Corners of a fiducial, shape (4, 2), clockwise from its upper left."""
    x, y = MARKERS[number]
    return np.array(((x, y), (x + MARKER_SIZE, y), (x + MARKER_SIZE, y + MARKER_SIZE), (x, y + MARKER_SIZE)))
