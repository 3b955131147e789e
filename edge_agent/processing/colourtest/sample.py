"""Colours of places on the flattened card, in linear light, without the highlights on a shiny ampoule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.colourtest.card import Rectangle
from edge_agent.processing.colourtest.colour import Array, decode_srgb
from edge_agent.processing.colourtest.locate import FLAT_SCALE, Pixels

_FAR: Final = 3.5
"""Deviations (scaled from the median absolute one) from the median at which a pixel is left out."""
_PARTS: Final = 3
"""Along each side of a liquid."""
_ENOUGH: Final = 0.25
"""Part of a part's pixels that must be left for it to count."""
_FLOOR: Final = 2.5 / 255
"""Encoded values up to here have lost what was below."""


@dataclass(frozen=True, slots=True)
class Patch:
    """What a place looks like. ``rgb`` is its colour in linear light, shape (3,), the camera's own R, G, B.

    ``low`` and ``high``, shape (3,), are the parts of its pixels that are cut off at black and at white; ``left_out``
    is the part that is unlike the rest.
    """

    rgb: Array
    low: Array
    high: Array
    left_out: float


def look(flat: Pixels, place: Rectangle, *, white: int, linear: bool = False) -> Patch:
    """The colour of a place on the flattened card.

    Args:
        flat: from ``flatten``.
        place: in millimetres.
        white: the value at which the picture is cut off, 255 in 8 bits.
        linear: the values are linear light already, and not encoded as sRGB.
    """
    pixels = _pixels(flat, place).reshape(-1, 3)
    level = pixels.sum(axis=1, dtype=np.float64)
    median = float(np.median(level))
    deviation = 1.4826 * float(np.median(np.abs(level - median))) + 3 * white / 255
    kept = np.abs(level - median) <= _FAR * deviation
    return _patch(pixels, _table(white, linear)[pixels[kept]], white, linear, 1 - float(kept.mean()))


def _pixels(flat: Pixels, place: Rectangle) -> Pixels:
    """The pixels of a place, R, G, B."""
    top, left = round(place.y * FLAT_SCALE), round(place.x * FLAT_SCALE)
    bottom, right = round((place.y + place.height) * FLAT_SCALE), round((place.x + place.width) * FLAT_SCALE)
    return flat[top:bottom, left:right, ::-1]


def _patch(pixels: Pixels, light: Array, white: int, linear: bool, left_out: float) -> Patch:
    floor = 0 if linear else round(_FLOOR * white)
    return Patch(
        rgb=light.mean(axis=0),
        low=(pixels <= floor).mean(axis=0),
        high=(pixels >= white - white // 255).mean(axis=0),
        left_out=left_out,
    )


@cache
def _table(white: int, linear: bool) -> Array:
    values = np.arange(256 if white <= 255 else 65536) / white
    return values if linear else decode_srgb(values)


@dataclass(frozen=True, slots=True)
class Liquid:
    """What an ampoule looks like, reflections left out: its colour, and those of its parts, shape (n, 3)."""

    whole: Patch
    parts: Array


def look_into(flat: Pixels, place: Rectangle, *, white: int, linear: bool = False) -> Liquid:
    """The colour of a liquid in its place, arguments as of ``look``.

    Reflections only add light, and cover the smaller part: the shortest span of brightness that holds half of the
    pixels is the liquid's.
    """
    pixels = _pixels(flat, place)
    height, width = pixels.shape[:2]
    level = pixels.sum(axis=2, dtype=np.float64).ravel()
    ordered = np.sort(level)
    half = len(ordered) // 2
    widths = ordered[half:] - ordered[:-half]
    start = int(np.argmin(widths))
    middle, deviation = (ordered[start] + ordered[start + half]) / 2, widths[start] / 2 / 0.6745 + 2 * white / 255
    kept = (np.abs(level - middle) <= _FAR * deviation).reshape(height, width)
    light = _table(white, linear)[pixels]
    parts = []
    for rows in np.array_split(np.arange(height), _PARTS):
        for columns in np.array_split(np.arange(width), _PARTS):
            inside = np.ix_(rows, columns)
            if kept[inside].mean() > _ENOUGH:
                parts.append(light[inside][kept[inside]].mean(axis=0))
    return Liquid(_patch(pixels[kept], light[kept], white, linear, 1 - float(kept.mean())), np.array(parts))


def white_level(image: NDArray[Any]) -> int:
    """The value at which a picture is cut off: that of its type, or less where raw values were not stretched to it."""
    if image.dtype == np.uint8:
        return 255
    largest = int(image.max())
    flat_top = float((image[::4, ::4] >= largest - largest // 255).mean())
    return largest if flat_top > 0.002 and largest > 0 else 65535
