"""The reference card as a picture, to be printed."""

from __future__ import annotations

import io
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edge_agent.processing.colourtest.card import (
    BLANK,
    DICTIONARY,
    MARKER_SIZE,
    MARKERS,
    NOMINAL,
    SAMPLE,
    SIZE,
    Rectangle,
    patches,
)

_A4: Final = (297.0, 210.0)
_GREY: Final = (150, 150, 150)
_TEXT_MM: Final = 2.3


def draw_card(dpi: float = 300) -> NDArray[np.uint8]:
    """The card in sRGB, shape (height, width, 3), with 160 x 110 mm at ``dpi``."""
    scale = dpi / 25.4
    picture = Image.new("RGB", (round(SIZE[0] * scale), round(SIZE[1] * scale)), "white")
    draw = ImageDraw.Draw(picture)
    for patch in patches():
        value = NOMINAL[patch.name]
        draw.rectangle(_box(patch.place, scale), fill=(value >> 16, value >> 8 & 255, value & 255))
    font = ImageFont.load_default(_TEXT_MM * scale)
    for place, text in ((SAMPLE, "sample: ampoule here"), (BLANK, "blank: reagent alone")):
        draw.rectangle(_box(place, scale), outline=_GREY, width=max(1, round(0.25 * scale)))
        draw.text((place.x * scale, (place.y - 3.2) * scale), text, fill=_GREY, font=font)
    pixels = np.array(picture)
    dictionary = cv2.aruco.getPredefinedDictionary(DICTIONARY)
    side = round(MARKER_SIZE * scale)
    for number, (x, y) in MARKERS.items():
        marker = cv2.aruco.generateImageMarker(dictionary, number, side)
        left, top = round(x * scale), round(y * scale)
        pixels[top : top + side, left : left + side] = marker[..., None]
    return pixels


def card_png(dpi: float = 300) -> bytes:
    """The card alone."""
    return _encode(Image.fromarray(draw_card(dpi)), "PNG", dpi)


def card_pdf(dpi: float = 300) -> bytes:
    """An A4 page, landscape, with the card and what is to be done with it."""
    scale = dpi / 25.4
    page = Image.new("RGB", (round(_A4[0] * scale), round(_A4[1] * scale)), "white")
    card = Image.fromarray(draw_card(dpi))
    left, top = (page.width - card.width) // 2, round(20 * scale)
    page.paste(card, (left, top))
    draw = ImageDraw.Draw(page)
    margin = round(0.5 * scale)
    draw.rectangle((left - margin, top - margin, left + card.width + margin, top + card.height + margin), outline=_GREY)
    lines = (
        "Reference card for colour tests (edge-agent). Print on matt white paper at 100 %, without any colour "
        "correction; cut along the frame.",
        "Every print differs: measure its 30 colours once with a spectrophotometer, and hand them over with",
        "    edge-agent calibrate colourtest DEVICE --measured CARD.csv",
        "Keep it in the dark, replace it when it is soiled or after a year.",
    )
    font = ImageFont.load_default(3.5 * scale)
    for i, line in enumerate(lines):
        draw.text((left, top + card.height + (6 + 6 * i) * scale), line, fill="black", font=font)
    return _encode(page, "PDF", dpi)


def _box(place: Rectangle, scale: float) -> tuple[int, int, int, int]:
    left, top = round(place.x * scale), round(place.y * scale)
    return left, top, left + round(place.width * scale) - 1, top + round(place.height * scale) - 1


def _encode(picture: Image.Image, kind: str, dpi: float) -> bytes:
    file = io.BytesIO()
    if kind == "PDF":
        picture.save(file, kind, resolution=dpi, quality=95, title="edge-agent: reference card for colour tests")
    else:
        picture.save(file, kind, dpi=(dpi, dpi))
    return file.getvalue()
