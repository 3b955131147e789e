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
_FLOOR: Final = 2.5 / 255
"""Encoded values up to here have lost what was below."""


@dataclass(frozen=True, slots=True)
class Patch:
    """What a place looks like. ``rgb`` is its colour in linear light, shape (3,), the camera's own R, G, B.

    ``spread`` is the standard deviation of its pixels relative to ``rgb``; ``low`` and ``high``, shape (3,), are the
    parts of its pixels that are cut off at black and at white; ``left_out`` is the part that is unlike the rest.
    """

    rgb: Array
    spread: Array
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
    top, left = round(place.y * FLAT_SCALE), round(place.x * FLAT_SCALE)
    bottom, right = round((place.y + place.height) * FLAT_SCALE), round((place.x + place.width) * FLAT_SCALE)
    pixels = flat[top:bottom, left:right].reshape(-1, 3)[:, ::-1]
    high = (pixels >= white - white // 255).mean(axis=0)
    floor = 0 if linear else round(_FLOOR * white)
    low = (pixels <= floor).mean(axis=0)
    level = pixels.sum(axis=1, dtype=np.float64)
    median = float(np.median(level))
    deviation = 1.4826 * float(np.median(np.abs(level - median))) + 3 * white / 255
    kept = np.abs(level - median) <= _FAR * deviation
    light = _table(white, linear)[pixels[kept]]
    rgb = light.mean(axis=0)
    return Patch(
        rgb=rgb,
        spread=light.std(axis=0) / np.maximum(rgb, 1e-4),
        low=low,
        high=high,
        left_out=1 - float(kept.mean()),
    )


@cache
def _table(white: int, linear: bool) -> Array:
    values = np.arange(256 if white <= 255 else 65536) / white
    return values if linear else decode_srgb(values)


def white_level(image: NDArray[Any]) -> int:
    """The value at which a picture is cut off: that of its type, or less where raw values were not stretched to it."""
    if image.dtype == np.uint8:
        return 255
    largest = int(image.max())
    flat_top = float((image[::4, ::4] >= largest - largest // 255).mean())
    return largest if flat_top > 0.002 and largest > 0 else 65535
