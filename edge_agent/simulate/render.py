"""A specimen printed: the page as a flatbed scanner would see it, laid out after ICAO Doc 9303 parts 4 to 7."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from edge_agent.processing.mrz.formats import FormatName
from edge_agent.simulate.documents import Specimen
from edge_agent.simulate.page import Image, Page, Quad

MM_PER_INCH: Final = 25.4
OCR_B: Final = Path(__file__).parent / "fonts" / "OCRB.otf"
PITCH: Final = 2.54
"""Of the characters, in mm (OCR-B size 1, ISO 1073-2)."""
LINE_SPACING: Final = 6.35
ZONE_HEIGHT: Final = 23.2
"""Of the machine readable zone at the lower edge, in mm; its lines are centred in it."""
_ADVANCE: Final = 0.723
"""Of each character of the font, in ems."""
_CAPITALS: Final = 0.713
"""Height of the font's capitals, in ems."""
_EM: Final = PITCH / _ADVANCE

_INK: Final = (30, 25, 25)
_CURVE_POINTS: Final = 160
_SHIFT: Final = 4
"""Fractional bits of the coordinates that OpenCV draws with."""


@dataclass(frozen=True, slots=True)
class _Paper:
    """Size of a document and left margin of its machine readable zone, in mm."""

    width: float
    height: float
    margin: float
    title: str


_PAPERS: Final = {
    FormatName.TD1: _Paper(85.6, 54.0, 4.0, "IDENTITY CARD"),
    FormatName.TD2: _Paper(105.0, 74.0, 4.0, "IDENTITY CARD"),
    FormatName.TD3: _Paper(125.0, 88.0, 6.0, "PASSPORT"),
    FormatName.MRV_A: _Paper(120.0, 80.0, 4.0, "VISA"),
    FormatName.MRV_B: _Paper(105.0, 74.0, 4.0, "VISA"),
}


def render(specimen: Specimen, rng: np.random.Generator, dpi: float = 150.0) -> Page:
    """Print a specimen: security background, drawn portrait, labels, and the machine readable zone in OCR-B."""
    paper = _PAPERS[specimen.format]
    scale = dpi / MM_PER_INCH
    image = _background(rng, round(paper.width * scale), round(paper.height * scale), scale)
    if specimen.format is not FormatName.TD1:
        # The back of a TD1 holds the zone, and no portrait.
        _portrait(image, rng, scale, left=5.0, top=14.0, height=min(45.0, paper.height - ZONE_HEIGHT - 16.0) - 2.0)
    picture = Picture.fromarray(image)
    draw = ImageDraw.Draw(picture)
    _labels(draw, specimen, paper, scale)
    quads = _zone(draw, specimen.lines, rng, paper, scale)
    return Page(np.array(picture), quads)


def _zone(
    draw: ImageDraw.ImageDraw, lines: tuple[str, ...], rng: np.random.Generator, paper: _Paper, scale: float
) -> tuple[Quad, ...]:
    """Print the machine readable lines, each within the tolerances of the standard, and say where."""
    font = _ocr_b(_EM * scale)
    shade = int(rng.integers(10, 60))
    left = paper.margin + rng.uniform(-0.8, 0.8)
    middle = paper.height - ZONE_HEIGHT / 2 + rng.uniform(-0.8, 0.8)
    quads = []
    for i, line in enumerate(lines):
        base = middle + (i - (len(lines) - 1) / 2) * LINE_SPACING + _CAPITALS * _EM / 2
        for column, character in enumerate(line):
            at = ((left + column * PITCH) * scale, base * scale)
            draw.text(at, character, fill=(shade, shade, shade), font=font, anchor="ls")
        box = ((0.0, -_CAPITALS * _EM), (len(line) * PITCH, -_CAPITALS * _EM), (len(line) * PITCH, 0.0), (0.0, 0.0))
        corners = np.array([((left + x) * scale, (base + y) * scale) for x, y in box])
        quads.append((corners - 0.5).astype(np.float32))
    return tuple(quads)


def _labels(draw: ImageDraw.ImageDraw, specimen: Specimen, paper: _Paper, scale: float) -> None:
    """The part for people: titles, and what the fields say."""
    fields = specimen.fields
    room = paper.height - ZONE_HEIGHT - 2.0
    left = 5.0 if specimen.format is FormatName.TD1 else 42.0
    titles = (
        ("UTOPIA", 5.0, (90, 40, 20)),
        (paper.title, 30.0, (90, 40, 20)),
        ("SPECIMEN", paper.width - 24, (60, 60, 200)),
    )
    for text, x, colour in titles:
        draw.text((x * scale, 3.0 * scale), text, fill=colour, font=_plain(4.0 * scale))
    rows = (
        ("Surname", fields.surname),
        ("Given names", fields.given_names),
        ("Document number", fields.document_number),
        ("Nationality", "UTOPIAN"),
        ("Date of birth", _printed(str(fields.birth_date))),
        ("Sex", fields.sex or "X"),
        ("Date of expiry", _printed(str(fields.expiry_date))),
        ("Issuing authority", "SPECIMENS"),
    )
    step, width = min((room - 10.0) / 4, 8.5), (paper.width - left) / 2
    for i, (label, value) in enumerate(rows):
        column, row = divmod(i, 4)
        x, y = left + column * width, 9.5 + row * step
        draw.text((x * scale, y * scale), label, fill=(130, 80, 60), font=_plain(1.7 * scale))
        fitting = (value or "")[: int(width / 2.1)]
        draw.text((x * scale, (y + 1.9) * scale), fitting, fill=_INK, font=_plain(2.7 * scale))


def _printed(iso: str) -> str:
    return " ".join(reversed(iso.split("-")))


def _background(rng: np.random.Generator, width: int, height: int, scale: float) -> Image:
    """Tinted paper with guilloches: wave bands, and a rosette or two, weaker under the machine readable zone."""
    left, right = (rng.integers(190, 250, size=3).astype(np.float32) for _ in range(2))
    row = (left + (right - left) * np.linspace(0, 1, width, dtype=np.float32)[:, None]).astype(np.uint8)
    image = np.tile(row, (height, 1, 1))
    lines = image.copy()
    for _ in range(2):
        colour = [int(c) for c in rng.integers(90, 220, size=3)]
        for curve in _waves(rng, width, height, pitch=rng.uniform(0.8, 2.0) * scale):
            _draw(lines, curve, colour, scale)
    for _ in range(int(rng.integers(1, 3))):
        colour = [int(c) for c in rng.integers(60, 200, size=3)]
        centre = rng.uniform((0.2 * width, 0.2 * height), (0.9 * width, 0.6 * height))
        for curve in _rosette(rng, centre, radius=rng.uniform(10, 22) * scale):
            _draw(lines, curve, colour, scale)
    zone = round(ZONE_HEIGHT * scale)
    strength = rng.uniform(0.35, 0.9)
    weaker = strength * rng.uniform(0.1, 0.8)
    image[:-zone] = cv2.addWeighted(lines[:-zone], strength, image[:-zone], 1 - strength, 0)
    image[-zone:] = cv2.addWeighted(lines[-zone:], weaker, image[-zone:], 1 - weaker, 0)
    return image


def _waves(rng: np.random.Generator, width: int, height: int, pitch: float) -> Iterator[NDArray[np.float64]]:
    x = np.linspace(0, width, _CURVE_POINTS)
    length, phase, drift = rng.uniform(0.15, 0.6) * width, rng.uniform(0, 2 * math.pi), rng.uniform(-0.2, 0.2)
    swing = rng.uniform(0.02, 0.1) * height
    for y in np.arange(-swing, height + swing, pitch):
        yield np.column_stack((x, y + swing * np.sin(2 * math.pi * x / length + phase + drift * y / pitch)))


def _rosette(rng: np.random.Generator, centre: NDArray[np.float64], radius: float) -> Iterator[NDArray[np.float64]]:
    angle = np.linspace(0, 2 * math.pi, _CURVE_POINTS)
    petals, depth = int(rng.integers(5, 14)), rng.uniform(0.1, 0.35)
    for ring in np.linspace(0.3, 1.0, 10):
        r = radius * ring * (1 + depth * np.sin(petals * angle + 3 * ring))
        yield centre + np.column_stack((r * np.cos(angle), r * np.sin(angle)))


def _draw(image: Image, curve: NDArray[np.float64], colour: list[int], scale: float) -> None:
    points = np.round(curve * (1 << _SHIFT)).astype(np.int32)
    cv2.polylines(image, [points], False, colour, max(1, round(0.12 * scale)), cv2.LINE_AA, _SHIFT)


def _portrait(image: Image, rng: np.random.Generator, scale: float, *, left: float, top: float, height: float) -> None:
    """A head and shoulders that are plainly nobody's: ellipses in a 35:45 frame."""
    x, y, h = round(left * scale), round(top * scale), round(height * scale)
    w = min(round(h * 35 / 45), image.shape[1] - x)
    box = np.full((h, w, 3), rng.integers(170, 235, size=3), np.uint8)
    skin = np.array((120, 160, 205)) * rng.uniform(0.45, 1.1)
    hair, coat = rng.integers(10, 110, size=3), rng.integers(20, 170, size=3)

    def ellipse(cx: float, cy: float, rx: float, ry: float, colour: NDArray[np.generic]) -> None:
        centre, axes = (round(cx * w), round(cy * h)), (max(1, round(rx * w)), max(1, round(ry * h)))
        shade = [int(c) for c in np.clip(colour.astype(np.float64), 0, 255)]
        cv2.ellipse(box, centre, axes, 0, 0, 360, shade, cv2.FILLED, cv2.LINE_AA)

    wide, long = rng.uniform(0.22, 0.28), rng.uniform(0.25, 0.3)
    ellipse(0.5, 1.1, 0.48, 0.3, coat)
    ellipse(0.5, 0.4, wide * 1.2, long * rng.uniform(1.1, 1.5), hair)
    ellipse(0.5, 0.74, wide * 0.45, 0.16, skin * 0.85)
    ellipse(0.5, 0.46, wide, long, skin)
    for side in (-1, 1):
        ellipse(0.5 + side * wide * 0.42, 0.42, 0.045, 0.016, np.array((240, 240, 240)))
        ellipse(0.5 + side * wide * 0.42, 0.42, 0.017, 0.016, hair * 0.5)
        ellipse(0.5 + side * wide * 0.42, 0.375, 0.06, 0.008, hair)
    ellipse(0.5, 0.52, 0.02, 0.05, skin * 0.8)
    ellipse(0.5, 0.61, rng.uniform(0.06, 0.1), 0.014, skin * (0.55, 0.55, 0.85))
    image[y : y + h, x : x + w] = cv2.GaussianBlur(box, (0, 0), max(0.4, 0.1 * scale))


@lru_cache(maxsize=16)
def _ocr_b(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(OCR_B), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=64)
def _plain(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
