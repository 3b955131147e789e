"""A page as a camera or a cheap scanner sees it: on a desk, tilted, badly lit, blurred, noisy, compressed."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.simulate.page import Image, Page

_GAUSSIAN: Final = np.array([NormalDist().inv_cdf((i + 0.5) / 256) for i in range(256)])
"""Turns a uniform byte into normal noise."""


def photograph(page: Page, rng: np.random.Generator, severity: float = 0.4) -> Page:
    """The page photographed, with its quads moved along.

    ``severity`` is 0 (a good scanner) to 1 (hardly readable): each fault is drawn at random up to this much.
    """
    image, quads = _lay_down(page, rng, severity)
    image = _light(image, rng, severity)
    image = _blur(image, rng, severity)
    image = _sense(image, rng, severity)
    quality = int(rng.uniform(95 - 70 * severity, 97))
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return Page(_bytes(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)), quads)


def _bytes(image: object) -> Image:
    """What OpenCV returns, as the type that it is here."""
    return np.asarray(image, np.uint8)


def _lay_down(page: Page, rng: np.random.Generator, severity: float) -> tuple[Image, tuple[NDArray[np.float32], ...]]:
    """Lay the page on a desk, turned and seen at an angle; all of it stays in the picture."""
    height, width = page.image.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64) - 0.5
    angle = math.radians(rng.uniform(-1, 1) * (1 + 14 * severity))
    turned = corners @ np.array(((math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))))
    seen = turned + rng.uniform(-1, 1, size=(4, 2)) * 0.06 * severity * width
    border = rng.uniform(0.005, 0.03 + 0.2 * severity, size=2) * width
    seen += border - seen.min(axis=0)
    size = np.ceil(seen.max(axis=0) + rng.uniform(0.005, 0.03 + 0.2 * severity, size=2) * width).astype(int)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), seen.astype(np.float32))
    image = _desk(rng, int(size[0]), int(size[1]))
    cv2.warpPerspective(
        page.image, matrix, (image.shape[1], image.shape[0]), image, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT
    )
    quads = tuple(cv2.perspectiveTransform(quad[None], matrix)[0].astype(np.float32) for quad in page.quads)
    return image, quads


def _desk(rng: np.random.Generator, width: int, height: int) -> Image:
    """Wood, cloth or plastic: a colour, with grain along one direction."""
    colour = rng.integers(15, 235, size=3)
    along, across = rng.integers(2, 60, size=2)
    grain = rng.normal(0, rng.uniform(1, 18), size=(int(across) + 2, int(along) + 2, 1))
    return _bytes(cv2.resize(np.clip(colour + grain, 0, 255).astype(np.uint8), (width, height)))


def _light(image: Image, rng: np.random.Generator, severity: float) -> Image:
    """Uneven light, a shadow's edge, a colour cast, and now and then a reflection that hides what is under it."""
    height, width = image.shape[:2]
    light = 1 + severity * rng.uniform(-0.5, 0.25, size=(3, 3)).astype(np.float32)
    field = cv2.resize(light, (width // 8 + 1, height // 8 + 1), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.6 * severity:
        angle, at = rng.uniform(0, 2 * math.pi), rng.uniform(-0.3, 0.3)
        y, x = np.ogrid[-0.5 : 0.5 : field.shape[0] * 1j, -0.5 : 0.5 : field.shape[1] * 1j]
        edge = (x * math.cos(angle) + y * math.sin(angle) - at) / rng.uniform(0.01, 0.1)
        field *= (1 - rng.uniform(0.2, 0.6) / (1 + np.exp(-np.clip(edge, -30, 30)))).astype(np.float32)
    cast = (rng.uniform(1 - 0.12 * severity, 1, size=3) * rng.uniform(1 - 0.4 * severity, 1)).astype(np.float32)
    full = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
    lit = cv2.multiply(image, cv2.merge([full * float(c) for c in cast]), dtype=cv2.CV_8U)
    if rng.random() < 0.25 * severity:
        small = np.zeros((height // 8 + 1, width // 8 + 1), np.float32)
        centre = (int(rng.integers(small.shape[1])), int(rng.integers(small.shape[0])))
        axes = tuple(int(a) for a in (rng.uniform(0.02, 0.12, size=2) * small.shape[1]).astype(int) + 1)
        cv2.ellipse(small, centre, axes, rng.uniform(0, 180), 0, 360, [rng.uniform(80, 400)], cv2.FILLED)
        glare = cv2.resize(cv2.GaussianBlur(small, (0, 0), 1 + 0.02 * small.shape[1]), (width, height))
        lit = cv2.add(lit, cv2.merge([glare] * 3), dtype=cv2.CV_8U)
    return _bytes(lit)


def _blur(image: Image, rng: np.random.Generator, severity: float) -> Image:
    """Out of focus, moved, or photographed from farther away than the resolution says."""
    focus = rng.uniform(0.2, 0.3 + 1.1 * severity)
    image = _bytes(cv2.GaussianBlur(image, (0, 0), focus))
    if rng.random() < 0.4 * severity:
        length = rng.uniform(1, 1 + 4 * severity)
        angle = rng.uniform(0, math.pi)
        kernel = np.zeros((9, 9), np.float32)
        reach = np.array((math.cos(angle), math.sin(angle))) * length / 2
        ends = np.round(np.stack((4 - reach, 4 + reach)) * 16).astype(int)
        cv2.line(kernel, ends[0].tolist(), ends[1].tolist(), [1.0], 1, cv2.LINE_AA, 4)
        image = _bytes(cv2.filter2D(image, -1, kernel / kernel.sum()))
    return image


def _sense(image: Image, rng: np.random.Generator, severity: float) -> Image:
    """The sensor: exposure curve, noise, some of them without colour."""
    gamma = math.exp(rng.uniform(-0.35, 0.35) * severity)
    low, high = rng.uniform(0, 35 * severity), rng.uniform(255 - 45 * severity, 255)
    curve = (low + (high - low) * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    image = _bytes(cv2.LUT(image, curve))
    if rng.random() < 0.15:
        image = _bytes(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))
    table = np.round(_GAUSSIAN * rng.uniform(0.5, 1 + 14 * severity)).astype(np.int16)
    noise = table[rng.integers(0, 256, size=image.shape, dtype=np.uint8)]
    return _bytes(cv2.add(image, noise, dtype=cv2.CV_8U))
