"""Lines of OCR-B as cameras and scanners deliver them: what the recognizer is trained on, and its calibration.

Every picture is drawn from a random generator: print (weight, cut, spacing, wear), paper (guilloche, texture, edges),
light, optics, sensor and compression. Nothing here comes from real documents.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from edge_agent.processing.mrz.check_digits import ALPHABET, DIGITS, FILLER, LETTERS
from edge_agent.simulate.page import Quad
from edge_agent.simulate.render import OCR_B

Floats = NDArray[np.float32]
Rng = np.random.Generator

_FINE: Final = 48
"""Height of the capitals in the glyphs' distance fields, in pixels."""
_CELL: Final = 96
"""Side of a glyph's distance field; the middle of the capitals lies at its centre."""
_CAPITALS: Final = 0.713
_OTHER_CAPITALS: Final = 0.71
"""Of Pillow's own typeface, in ems."""
_GONE: Final = 0.7
"""Share of a character that is hidden, from which on there is nothing to learn from the rest."""
BEYOND: Final = 7
"""Characters drawn before the first and after the last one of a sample, so that a strip's margins show text, too."""
_LIKE_EACH_OTHER: Final = ("0OQDUC", "1IJTL7", "2Z7", "5S6", "8B6", "GC60", "VYUW", "KX<", "MNHW", "EFP", "A4", "<K")


@dataclass(frozen=True)
class Sample:
    """A picture of one line.

    ``grey`` has shape (height, width). ``cells`` has shape (characters, 4, 2): the corners x, y of each character's
    cell, clockwise from the top left, from the top of the capitals to the base line; ``text`` is what stands there,
    a blank for paper or where nearly nothing of a character is left to see. The first ``BEYOND`` cells lie before the
    line that a reader would be asked for.
    """

    grey: NDArray[np.uint8]
    cells: NDArray[np.float64]
    text: str


def text(rng: Rng, length: int) -> str:
    """Text without meaning in the manner of a machine readable zone: what is learned are shapes, not words."""
    parts: list[str] = []
    while sum(map(len, parts)) < length:
        match rng.integers(8):
            case 0:
                parts.append(FILLER * int(rng.integers(1, 16)))
            case 1 | 2:
                parts.append(_draw(rng, LETTERS, int(rng.integers(2, 10))))
            case 3:
                parts.append(_draw(rng, DIGITS, int(rng.integers(2, 10))))
            case 4 | 5:
                parts.append(_draw(rng, ALPHABET, int(rng.integers(2, 12))))
            case 6:
                alike = _LIKE_EACH_OTHER[rng.integers(len(_LIKE_EACH_OTHER))]
                parts.append(_draw(rng, alike, int(rng.integers(2, 6))))
            case _:
                parts.append(FILLER * int(rng.integers(1, 3)))
    return "".join(parts)[:length]


def _draw(rng: Rng, alphabet: str, count: int) -> str:
    return "".join(alphabet[i] for i in rng.integers(len(alphabet), size=count))


def sample(rng: Rng, line: str, severity: float = 1.0) -> Sample:
    """A picture of ``line`` (blanks are paper) with up to ``severity`` (0 to 1) of every fault."""
    spacing = _about(rng, 2.45, 0.45, 1.42, 3.4)
    rows = [(line, 0.0, 0.0)]
    if _chance(rng, 0.8):
        which = int(rng.integers(3))
        shift = float(rng.choice((0.0, 0.0, rng.uniform(-0.5, 0.5))))
        rows += [(text(rng, len(line)), -spacing, shift)] * (which != 1)
        rows += [(text(rng, len(line)), spacing, shift)] * (which != 0)
    grey, cells, hidden = _picture(rng, rows, 1.6, severity)
    seen = "".join(" " if share > _GONE else c for c, share in zip(line, hidden[0], strict=True))
    return Sample(grey, cells[0], seen)


def zone(rng: Rng, lines: Sequence[str], severity: float = 1.0) -> tuple[NDArray[np.uint8], tuple[Quad, ...]]:
    """A picture of a whole zone, shape (height, width), and its lines' quads; faults as in ``sample``."""
    spacing = _about(rng, 2.45, 0.35, 1.42, 3.4)
    rows = [(line, (i - (len(lines) - 1) / 2) * spacing, 0.0) for i, line in enumerate(lines)]
    grey, cells, _ = _picture(rng, rows, 1.6 + spacing * (len(lines) - 1) / 2, severity)
    quads = [np.array((line[0, 0], line[-1, 1], line[-1, 2], line[0, 3]), np.float32) for line in cells]
    return grey, tuple(quads)


def _picture(
    rng: Rng, rows: Sequence[tuple[str, float, float]], reach: float, severity: float
) -> tuple[NDArray[np.uint8], list[NDArray[np.float64]], list[list[float]]]:
    """A picture of rows (text, distance of its middle from the picture's in capitals, shift in characters).

    It shows ``reach`` capitals above its middle and below. Returns it with the corners of the cells of each
    row, and how much of each is hidden.
    """
    small = float(np.exp(rng.uniform(math.log(4.8), math.log(34))))
    finer = 2.0 if small < 14 else 1.5 if small < 22 else 1.0
    capitals = small * finer
    squeeze = _about(rng, 1.0, 0.06, 0.82, 1.25)
    pitch = 1.014 * squeeze * _about(rng, 1.0, 0.035, 0.93, 1.15) * capitals
    height = round(capitals * 2 * reach)
    middle = height / 2 + rng.uniform(-0.5, 0.5)
    placed = [(line, middle + at * capitals, shift * pitch) for line, at, shift in rows]
    ink, left = _print(rng, placed, capitals, pitch, squeeze, severity, height)
    canvas = _on_paper(rng, ink, capitals, middle, severity, outer=(reach - 1.6) * capitals)
    canvas, cover = _covered(rng, canvas, capitals, severity)
    grey, matrix = _photograph(rng, canvas, capitals, finer, severity)
    half, tall = pitch / 2, capitals / 2
    corners = np.array(((-half, -tall), (half, -tall), (half, tall), (-half, tall)))
    cells, hidden = [], []
    for line, at, shift in placed:
        places = np.stack([corners + np.array((left + shift + i * pitch, at)) for i in range(len(line))])
        cells.append(np.asarray(cv2.transform(places, matrix[:2]), np.float64))
        rows_of = slice(max(0, round(at - tall)), max(0, round(at + tall)) + 1)
        edges = (places[:, :2, 0] + (pitch * 0.12, -pitch * 0.12)).clip(0, cover.shape[1] - 1).astype(int)
        hidden.append([float(cover[rows_of, a : b + 1].mean()) if cover[rows_of].size else 0.0 for a, b in edges])
    return grey, cells, hidden


def negative(rng: Rng) -> NDArray[np.uint8]:
    """A strip-like picture without a line of OCR-B: other print, ornaments, edges, nothing."""
    capitals = float(rng.uniform(8, 40))
    height, width = round(capitals * 3.2), round(capitals * 26)
    ink: Floats = np.zeros((height, width), np.float32)
    if rng.random() < 0.75:
        picture = Picture.new("L", (width, height))
        size = capitals * rng.uniform(0.7, 1.8)
        alphabet = ALPHABET[:-1] + "abcdefghijklmnopqrstuvwxyz    .,-/"
        for _ in range(int(rng.integers(1, 4))):
            words = _draw(rng, alphabet, 60)
            at = (rng.uniform(-10, width * 0.3), height / 2 + rng.uniform(-1.5, 0.2) * capitals)
            ImageDraw.Draw(picture).text(at, words, fill=255, font=_other(round(size)))
        ink = np.asarray(picture, np.float32) / np.float32(255)
    canvas = _on_paper(rng, ink, capitals, height / 2, 1.0, busy=0.9)
    return _photograph(rng, canvas, capitals, 1.0, 1.0)[0]


@cache
def _other(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@cache
def _fields(ocr_b: bool) -> Floats:
    """The distance of each pixel to the outline in heights of the capitals, negative inside: (37, cell, cell).

    Not OCR-B: a plain typeface, in cells of one width as some specimens and typewriters have it.
    """
    finer = 4
    tall = _FINE * finer
    font = (
        ImageFont.truetype(str(OCR_B), tall / _CAPITALS, layout_engine=ImageFont.Layout.BASIC)
        if ocr_b
        else _other(round(tall / _OTHER_CAPITALS))
    )
    side = _CELL * finer
    fields = []
    for character in ALPHABET:
        picture = Picture.new("L", (side, side))
        at = (side / 2, side / 2 + tall / 2)
        ImageDraw.Draw(picture).text(at, character, fill=255, font=font, anchor="ms")
        inside = (np.asarray(picture) > 127).astype(np.uint8)
        far = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5) - cv2.distanceTransform(inside, cv2.DIST_L2, 5)
        fields.append(cv2.resize(far / (_FINE * finer), (_CELL, _CELL), interpolation=cv2.INTER_AREA))
    return np.array(fields, np.float32)


def _about(rng: Rng, middle: float, deviation: float, low: float, high: float) -> float:
    return float(np.clip(rng.normal(middle, deviation), low, high))


def _chance(rng: Rng, probability: float) -> bool:
    return bool(rng.random() < probability)


def _smooth(rng: Rng, height: int, width: int, cells: float) -> Floats:
    """Normal noise without detail finer than ``cells`` pixels."""
    coarse = rng.standard_normal((int(height / cells) + 3, int(width / cells) + 3), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _print(
    rng: Rng,
    rows: Sequence[tuple[str, float, float]],
    capitals: float,
    pitch: float,
    squeeze: float,
    severity: float,
    height: int,
) -> tuple[Floats, float]:
    """Ink (0 to 1) of rows (text, middle, shift in pixels), and x of the first character's centre without a shift."""
    stamps = _cut(rng, capitals, squeeze, severity)
    side = stamps.shape[1]
    width = round(pitch * (max(len(line) for line, _, _ in rows) + 1)) + side
    ink = np.zeros((height + 2 * side, width), np.float32)
    start = side / 2 + pitch / 2
    jitter = rng.choice((0.0, 0.0, 0.01, 0.025)) * capitals
    for line, at, shift in rows:
        if not -side / 2 < at < height + side / 2:
            continue
        for i, character in enumerate(line):
            if character == " ":
                continue
            x = start + i * pitch + shift + jitter * rng.normal() - side / 2
            y = at + jitter * rng.normal() - side / 2 + side
            j, k = max(0, round(y)), min(max(0, round(x)), width - side)
            patch = ink[j : j + side, k : k + side]
            np.maximum(patch, stamps[ALPHABET.index(character)][: patch.shape[0]], out=patch)
    return _worn(rng, ink[side : side + height], capitals, severity), start


def _cut(rng: Rng, capitals: float, squeeze: float, severity: float) -> Floats:
    """All glyphs in one cut of the typeface, in one weight: ink 0 to 1, shape (37, side, side)."""
    ocr_b = not _chance(rng, 0.06 * severity)
    fields = _fields(ocr_b)
    if not ocr_b:
        squeeze *= rng.uniform(0.75, 0.95)
    side = 2 * math.ceil(capitals * 0.75) + 1
    scale = _FINE / capitals
    slant = rng.normal(0, 0.03) if _chance(rng, 0.4) else 0.0
    y, x = np.mgrid[:side, :side].astype(np.float32) - side // 2
    tall = _about(rng, 1.0, 0.02, 0.94, 1.06)
    across, along = (x / squeeze + slant * y) * scale + _CELL / 2 - 0.5, y * scale / tall + _CELL / 2 - 0.5
    warp = rng.choice((0.0, 0.01, 0.02, 0.035)) * severity * _FINE
    if warp:
        across += warp * _smooth(rng, side, side, side / 2.5)
        along += warp * _smooth(rng, side, side, side / 2.5)
    weight = rng.uniform(-0.028, 0.04) if _chance(rng, 0.7) else rng.uniform(-0.01, 0.01)
    if _chance(rng, 0.3):
        fields = np.stack([cv2.GaussianBlur(field, (0, 0), rng.uniform(0.5, 2.2)) for field in fields])
    soft = max(1.0 / capitals, 0.02)
    stamps = np.stack(
        [cv2.remap(field, across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for field in fields]
    )
    return np.clip(0.5 + (weight - stamps) / soft, 0, 1).astype(np.float32)


def _worn(rng: Rng, ink: Floats, capitals: float, severity: float) -> Floats:
    """Ink with gaps, dots of a matrix printer or a laser, uneven coverage."""
    height, width = ink.shape
    kind = rng.random() / max(severity, 1e-6)
    if kind < 0.1:  # worn off in places
        ink = ink * np.clip(1.2 + rng.uniform(0.3, 0.9) * _smooth(rng, height, width, capitals * 0.15), 0, 1)
    elif kind < 0.17:  # dots
        step = capitals * rng.uniform(0.07, 0.16)
        dots = np.outer(
            np.cos(np.arange(height) * (2 * math.pi / step)), np.cos(np.arange(width) * (2 * math.pi / step))
        ).astype(np.float32)
        ink = np.clip(ink * (1 + rng.uniform(0.2, 1.0) * dots), 0, 1)
    elif kind < 0.22:  # lines of a laser
        step = capitals * rng.uniform(0.05, 0.14)
        stripes = 0.5 + 0.5 * np.cos(np.arange(height) * (2 * math.pi / step))
        ink = ink * (1 - rng.uniform(0.1, 0.6) * stripes)[:, None]
    elif kind < 0.5:
        ink = ink * np.clip(1 - rng.uniform(0, 0.4) * np.abs(_smooth(rng, height, width, capitals * 1.5)), 0, 1)
    return np.asarray(ink, np.float32)


def _on_paper(
    rng: Rng, ink: Floats, capitals: float, middle: float, severity: float, busy: float = 0.55, outer: float = 0.0
) -> Floats:
    """Grey levels (0 to 255) of the print on paper with ornaments, edges and marks.

    ``outer`` is the distance of the outermost lines from the middle one, in pixels.
    """
    height, width = ink.shape
    bright = rng.uniform(90, 250)
    contrast = rng.uniform(0.25, 0.95) if _chance(rng, 0.8) else rng.uniform(0.12, 0.4)
    paper = np.full((height, width), bright, np.float32)
    if _chance(rng, busy):
        strength = bright * contrast * severity * rng.uniform(0.05, 0.55) * rng.random()
        for _ in range(int(rng.integers(1, 4))):
            paper += strength * _guilloche(rng, height, width, capitals)
    if _chance(rng, 0.4):
        paper += (
            severity
            * bright
            * contrast
            * rng.uniform(0.02, 0.14)
            * _smooth(rng, height, width, capitals * rng.uniform(0.08, 1.0))
        )
    if _chance(rng, 0.35):
        paper += severity * bright * 0.12 * _smooth(rng, height, width, capitals * rng.uniform(1.5, 6))
    page = paper * (1 - contrast * ink)
    if _chance(rng, 0.22 * severity):  # the page's edge, a frame, a rule
        at = middle + (outer + capitals * (0.5 + rng.uniform(0.22, 1.0))) * rng.choice((-1, 1))
        row = int(np.clip(at, 0, height - 1))
        thick = max(1, round(capitals * rng.uniform(0.03, 0.15))) if _chance(rng, 0.5) else height
        other = rng.uniform(0, 255)
        if at > middle:
            page[row : row + thick] = other
        else:
            page[max(0, row - thick) : row] = other
    if _chance(rng, 0.1 * severity):  # a side's edge
        column = int(rng.uniform(0, 0.2) * width)
        page[:, :column] = rng.uniform(0, 255)
        if _chance(rng, 0.5):
            page = page[:, ::-1].copy() if not ink.any() else page
    for _ in range(int(rng.integers(1, 4)) if _chance(rng, 0.16 * severity) else 0):  # scratches, strokes of a pen
        ends = np.round(rng.uniform((-0.1 * width, -0.3 * height), (1.1 * width, 1.3 * height), (3, 2)) * 16)
        colour = float(rng.uniform(0, 255))
        thick = max(1, round(capitals * rng.uniform(0.02, 0.14)))
        cv2.polylines(page, [ends.astype(np.int32)], False, [colour], thick, cv2.LINE_AA, 4)
    return page


def _covered(rng: Rng, canvas: Floats, capitals: float, severity: float) -> tuple[Floats, Floats]:
    """The canvas with patches over the text, and how much of each pixel they hide.

    A finger, a label, a reflection that leaves nothing, a smudge: what is left of a character must not be believed
    too much.
    """
    height, width = canvas.shape
    cover: Floats = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(1, 4)) if _chance(rng, 0.2 * severity) else 0):
        high, wide = capitals * rng.uniform(0.3, 2.0), capitals * rng.uniform(0.3, 6.0)
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        patch: Floats = np.zeros((height, width), np.float32)
        if _chance(rng, 0.5):
            corner = (int(x - wide / 2), int(y - high / 2))
            cv2.rectangle(patch, corner, (int(x + wide / 2), int(y + high / 2)), [1.0], cv2.FILLED)
        else:
            axes = (int(wide / 2) + 1, int(high / 2) + 1)
            cv2.ellipse(patch, (int(x), int(y)), axes, float(rng.uniform(-30, 30)), 0, 360, [1.0], cv2.FILLED)
        if _chance(rng, 0.5):
            patch = np.asarray(cv2.GaussianBlur(patch, (0, 0), capitals * rng.uniform(0.03, 0.3)), np.float32)
        kind = int(rng.integers(6))
        match kind:
            case 0:
                over: Any = cv2.GaussianBlur(canvas, (0, 0), capitals * rng.uniform(0.1, 0.5))
            case 1:
                over = cv2.blur(canvas, (max(1, int(capitals * rng.uniform(0.3, 1.5))), 1))
            case 2:
                over = float(np.percentile(canvas[:: max(1, height // 20)], 85))
            case 3:
                over = rng.uniform(0, 90)
            case 4:
                over = 255.0
            case _:
                over = rng.uniform(0, 255) + rng.uniform(0, 20) * _smooth(rng, height, width, capitals * 0.2)
        canvas = canvas * (1 - patch) + np.asarray(over, np.float32) * patch
        if kind > 1:  # blurred is not hidden
            cover = np.maximum(cover, patch)
    return canvas, cover


def _guilloche(rng: Rng, height: int, width: int, capitals: float) -> Floats:
    """A family of waves, about -1 to 1."""
    y, x = np.ogrid[:height, :width]
    angle = rng.uniform(0, math.pi)
    along = (x * math.cos(angle) + y * math.sin(angle)).astype(np.float32) / np.float32(capitals)
    across = (y * math.cos(angle) - x * math.sin(angle)).astype(np.float32) / np.float32(capitals)
    bent = across + rng.uniform(0, 1.2) * np.sin(along * rng.uniform(0.2, 2.5) + rng.uniform(0, 6.3))
    wave = np.cos(bent * (2 * math.pi / rng.uniform(0.25, 1.6)))
    sharp = rng.integers(1, 5)
    return np.asarray(-(np.abs(wave) ** (2 * sharp)) if _chance(rng, 0.6) else wave, np.float32)


def _photograph(
    rng: Rng, canvas: Floats, capitals: float, finer: float, severity: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The canvas as a file shows it, and the affine map (3, 3) from its pixels to those of the file."""
    small = capitals / finer
    canvas = _light(rng, canvas, capitals, severity)
    optics = rng.gamma(1.6, 0.32) * severity + 0.2  # in pixels of the sensor
    optics = min(max(optics, small * rng.uniform(0, 0.075) * severity), 0.17 * small)
    if not _chance(rng, 0.06 * severity):  # else sampled without a filter, as cheap scaling does
        canvas = np.asarray(cv2.GaussianBlur(canvas, (0, 0), max(0.3, optics * finer)), np.float32)
    if _chance(rng, 0.15 * severity):
        canvas = _moved(rng, canvas, capitals)
    angle = rng.normal(0, 0.02)
    turn = np.array(((math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle)))) / finer
    height, width = canvas.shape
    corners = np.array(((0, 0), (width, 0), (width, height), (0, height))) @ turn.T
    offset = rng.uniform(0, 1, 2) - corners.min(axis=0)
    size = np.ceil(np.ptp(corners, axis=0)).astype(int) + 1
    matrix = np.eye(3)
    matrix[:2] = np.column_stack((turn, offset))
    image = cv2.warpAffine(
        canvas, matrix[:2], (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    image = _sense(rng, image, severity)
    if small < 16 and _chance(rng, 0.12):  # enlarged by somebody, and saved once more
        factor = rng.uniform(1.3, 2.6)
        how = int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST), p=(0.4, 0.45, 0.15)))
        before = image.shape
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=how)
        sx, sy = image.shape[1] / before[1], image.shape[0] / before[0]
        matrix = np.array(((sx, 0, 0.5 * sx - 0.5), (0, sy, 0.5 * sy - 0.5), (0, 0, 1))) @ matrix
        image = _compressed(rng, image, 60)
    return np.ascontiguousarray(image), matrix


def _light(rng: Rng, canvas: Floats, capitals: float, severity: float) -> Floats:
    height, width = canvas.shape
    if _chance(rng, 0.25 * severity):  # a shadow's edge
        angle, at = rng.uniform(0, math.pi), rng.uniform(0.1, 0.9) * width
        y, x = np.ogrid[:height, :width]
        edge = ((x - at) * math.cos(angle) + (y - height / 2) * math.sin(angle)) / (capitals * rng.uniform(0.1, 3))
        canvas = canvas * (1 - rng.uniform(0.2, 0.75) / (1 + np.exp(np.clip(edge, -30, 30)))).astype(np.float32)
    if _chance(rng, 0.12 * severity):  # a reflection
        y, x = np.ogrid[:height, :width]
        cx, cy = rng.uniform(0, width), rng.uniform(0, height)
        rx, ry = capitals * rng.uniform(0.5, 4), capitals * rng.uniform(0.3, 3)
        canvas = canvas + (rng.uniform(60, 400) * np.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2)).astype(
            np.float32
        )
    return canvas


def _moved(rng: Rng, canvas: Floats, capitals: float) -> Floats:
    reach = capitals * rng.uniform(0.05, 0.3)
    side = 2 * math.ceil(reach / 2) + 3
    angle = rng.uniform(0, math.pi)
    kernel = np.zeros((side, side), np.float32)
    way = np.array((math.cos(angle), math.sin(angle))) * reach / 2
    ends = np.round(np.stack((side // 2 - way, side // 2 + way)) * 16).astype(int)
    cv2.line(kernel, ends[0].tolist(), ends[1].tolist(), [1.0], 1, cv2.LINE_AA, 4)
    return np.asarray(cv2.filter2D(canvas, -1, kernel / kernel.sum()), np.float32)


def _sense(rng: Rng, image: Any, severity: float) -> NDArray[np.uint8]:
    """Exposure, noise, sharpening, compression."""
    if _chance(rng, 0.3):
        image = image * rng.uniform(0.2, 1.15)
    if _chance(rng, 0.3):
        image = 255 * (np.clip(image, 0, 255) / 255) ** math.exp(rng.uniform(-0.6, 0.6))
    deviation = rng.gamma(1.2, 4.0) * severity * (0.25 + image.mean() / 200)
    image = image + deviation * rng.standard_normal(image.shape, dtype=np.float32)
    if _chance(rng, 0.2):
        image = image + severity * deviation * _smooth(rng, image.shape[0], image.shape[1], 2.0)
    if _chance(rng, 0.3):
        image = image + rng.uniform(0.3, 1.8) * (image - cv2.GaussianBlur(image, (0, 0), rng.uniform(0.7, 1.6)))
    grey = np.clip(image + 0.5, 0, 255).astype(np.uint8)
    return _compressed(rng, grey, 28 if severity > 0.5 else 60) if _chance(rng, 0.75) else grey


def _compressed(rng: Rng, grey: Any, worst: int) -> NDArray[np.uint8]:
    quality = int(rng.uniform(worst, 96))
    return np.asarray(
        cv2.imdecode(cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE), np.uint8
    )
