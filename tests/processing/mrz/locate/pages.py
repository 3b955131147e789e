"""Pages with known zones, in the conditions that travellers bring, and how a found zone is held against the truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.formats import FormatName
from edge_agent.processing.mrz.locate import Zone
from edge_agent.processing.mrz.locate.zone import turned
from edge_agent.simulate.documents import FORMATS, specimen
from edge_agent.simulate.page import Page, Quad, turn
from edge_agent.simulate.photograph import photograph
from edge_agent.simulate.render import render

NAMES: Final = tuple(FORMATS)
COLUMNS: Final = {
    FormatName.TD1: 30,
    FormatName.TD2: 36,
    FormatName.TD3: 44,
    FormatName.MRV_A: 44,
    FormatName.MRV_B: 36,
}
Condition = Callable[[FormatName, np.random.Generator], Page]


def made(condition: Condition, seed: int) -> tuple[FormatName, Page]:
    """The formats take turns, so that five seeds see all of them."""
    name = NAMES[seed % len(NAMES)]
    return name, condition(name, np.random.default_rng(seed))


def grey(page: Page) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(page.image, cv2.COLOR_BGR2GRAY), np.uint8)


def flatbed(name: FormatName, rng: np.random.Generator) -> Page:
    return photograph(printed(name, rng), rng, 0.05)


def phone(name: FormatName, rng: np.random.Generator) -> Page:
    return quarters(photograph(printed(name, rng), rng, 0.5), rng)


def skewed(name: FormatName, rng: np.random.Generator) -> Page:
    page = on_a_desk(printed(name, rng), rng, degrees=rng.uniform(-45, 45))
    return quarters(photograph(page, rng, 0.2), rng)


def far_away(name: FormatName, rng: np.random.Generator) -> Page:
    return photograph(on_a_desk(printed(name, rng), rng, degrees=rng.uniform(-20, 20), larger=2.2), rng, 0.2)


def from_the_side(name: FormatName, rng: np.random.Generator) -> Page:
    page = printed(name, rng)
    squeezed = scaled(page, *((1.0, 0.65) if rng.random() < 0.5 else (0.65, 1.0)))
    return photograph(on_a_desk(squeezed, rng, degrees=rng.uniform(-20, 20), perspective=0.03), rng, 0.2)


def thumbnail(name: FormatName, rng: np.random.Generator) -> Page:
    """Characters 5 to 6 pixels wide."""
    page = photograph(printed(name, rng, 200.0), rng, 0.1)
    factor = rng.uniform(5, 6) * COLUMNS[name] / float(np.linalg.norm(page.quads[0][1] - page.quads[0][0]))
    return scaled(page, factor, factor)


def low_light(name: FormatName, rng: np.random.Generator) -> Page:
    page = printed(name, rng)
    dark = page.image * rng.uniform(0.06, 0.2) + rng.normal(0, 2, page.image.shape)
    return photograph(Page(dark.clip(0, 255).astype(np.uint8), page.quads), rng, 0.2)


def pale(name: FormatName, rng: np.random.Generator) -> Page:
    page = printed(name, rng)
    return photograph(Page((page.image * 0.25 + 120).astype(np.uint8), page.quads), rng, 0.1)


def cropped(name: FormatName, rng: np.random.Generator) -> Page:
    """The zone touches the border of the picture."""
    page = printed(name, rng)
    corners = np.concatenate(page.quads)
    height = page.quads[0][3, 1] - page.quads[0][0, 1]
    left, top = (np.maximum(corners.min(axis=0) - 0.2 * height, 0)).astype(int)
    right, bottom = (corners.max(axis=0) + 0.3 * height + 1).astype(int)
    return Page(np.ascontiguousarray(page.image[top:bottom, left:right]), tuple(q - (left, top) for q in page.quads))


def bent(name: FormatName, rng: np.random.Generator) -> Page:
    """A page that rises from the spine: its lines bend by most of their height."""
    page = printed(name, rng)
    height, width = page.image.shape[:2]
    swing = rng.uniform(0.008, 0.016) * width

    def bow(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return (swing * np.sin(2 * np.pi * x / (1.7 * width) + 0.5)).astype(np.float32)

    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    image = cv2.remap(page.image, x, y - bow(x), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    quads = tuple((q + np.stack((0 * q[:, 0], bow(q[:, 0])), axis=1)).astype(np.float32) for q in page.quads)
    return photograph(Page(np.asarray(image, np.uint8), quads), rng, 0.1)


def framed(name: FormatName, rng: np.random.Generator) -> Page:
    """A box around the zone, as explainers draw it, and as long as its lines."""
    page = printed(name, rng)
    corners = np.concatenate(page.quads)
    margin = page.quads[0][3, 1] - page.quads[0][0, 1]
    ends = [[int(v) for v in point] for point in (corners.min(axis=0) - margin, corners.max(axis=0) + margin)]
    image = cv2.rectangle(page.image.copy(), *ends, (30, 30, 220), max(2, int(0.15 * margin)))
    return photograph(Page(np.asarray(image, np.uint8), page.quads), rng, 0.1)


def spread(name: FormatName, rng: np.random.Generator) -> Page:
    """Two pages of a passport: the upper one has text of its own."""
    page = printed(name, rng)
    other = printed(FormatName.TD3, rng)
    upper = cv2.resize(other.image[: int(0.7 * len(other.image))], (page.image.shape[1], page.image.shape[0]))
    quads = tuple((quad + np.array((0, len(upper)))).astype(np.float32) for quad in page.quads)
    return photograph(Page(np.vstack((np.asarray(upper, np.uint8), page.image)), quads), rng, 0.2)


def without_zone(name: FormatName, rng: np.random.Generator) -> Page:
    page = printed(name, rng)
    return photograph(Page(page.image[: int(0.65 * len(page.image))], ()), rng, 0.3)


def printed(name: FormatName, rng: np.random.Generator, dpi: float | None = None) -> Page:
    return render(specimen(rng, name), rng, dpi or rng.uniform(120, 220))


def quarters(page: Page, rng: np.random.Generator) -> Page:
    return turn(page, int(rng.integers(4)))


def scaled(page: Page, x: float, y: float) -> Page:
    image = cv2.resize(page.image, None, fx=x, fy=y, interpolation=cv2.INTER_AREA)
    return Page(np.asarray(image, np.uint8), tuple(((q + 0.5) * (x, y) - 0.5).astype(np.float32) for q in page.quads))


def on_a_desk(
    page: Page, rng: np.random.Generator, *, degrees: float, larger: float = 1.0, perspective: float = 0.0
) -> Page:
    """The page turned, on a plain desk that is ``larger`` than it."""
    height, width = page.image.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)]) - 0.5
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    seen = corners @ np.array(((c, s), (-s, c))) + rng.uniform(-1, 1, (4, 2)) * perspective * width
    seen -= seen.min(axis=0)
    size = np.ceil(seen.max(axis=0) * larger + 4)
    seen += rng.uniform(0, 1, 2) * (size - seen.max(axis=0))
    desk = np.full((int(size[1]), int(size[0]), 3), rng.integers(10, 240, 3), np.uint8)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), seen.astype(np.float32))
    cv2.warpPerspective(page.image, matrix, desk.shape[1::-1], desk, cv2.INTER_AREA, cv2.BORDER_TRANSPARENT)
    return Page(desk, tuple(cv2.perspectiveTransform(q[None], matrix)[0].astype(np.float32) for q in page.quads))


def located(zone: Zone, truth: tuple[Quad, ...], *, cells: float = 1.5, overlap: float = 0.8) -> bool:
    """Whether each line of a zone ends within so many cells of the truth and covers so much of its height.

    A zone whose direction is unknown may be given from the other end.
    """
    ways = [zone.quads] if zone.upright > 0.5 else [zone.quads, turned(zone.quads)]
    return len(zone.quads) == len(truth) and any(
        all(_covers(found, quad, zone.columns, cells, overlap) for found, quad in zip(way, truth, strict=True))
        for way in ways
    )


def _covers(found: Quad, truth: Quad, columns: int, cells: float, overlap: float) -> bool:
    along = (truth[1] + truth[2] - truth[0] - truth[3]) / 2
    cell = float(np.linalg.norm(along)) / columns
    along /= np.linalg.norm(along)
    across = np.array((-along[1], along[0]))
    for top, base in ((0, 3), (1, 2)):
        off = (found[top] + found[base] - truth[top] - truth[base]) / 2
        if abs(off @ along) > cells * cell:
            return False
        height = (truth[base] - truth[top]) @ across
        # Compared where the truth ends, along the found line's own direction.
        direction = (found[1] + found[2] - found[0] - found[3]) / 2
        drift = (off @ along) * (direction @ across) / (direction @ along)
        first, last = ((found[i] - truth[top]) @ across - drift for i in (top, base))
        if min(last, height) - max(first, 0) < overlap * height or last - first > 1.3 * height:
            return False
    return True
