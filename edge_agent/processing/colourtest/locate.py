"""Finds the reference card in a picture, turned and seen at an angle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.colourtest.card import DICTIONARY, MARKERS, SIZE, marker_corners

FLAT_SCALE: Final = 8.0
"""Pixels for a millimetre of the flattened card."""
_SEARCH_SIDES: Final = (1000, 2200)
"""Longest side in pixels of the reduced pictures that are searched: small, and where that fails larger."""
_FEWEST: Final = 3

Pixels = NDArray[Any]
"""BGR, shape (height, width, 3), uint8 or uint16."""


@dataclass(frozen=True, slots=True)
class Located:
    """Where the card lies. ``homography`` (3, 3) takes its millimetres to the picture's pixels (centres at integers).

    ``misfit`` is how far the corners of the marks are from where they should be, in millimetres (root mean square):
    a card that is bent has more.
    """

    homography: NDArray[np.float64]
    markers: int
    misfit: float

    @property
    def resolution(self) -> float:
        """Pixels of the picture for a millimetre of the card, in its middle, across the narrower direction."""
        middle = np.array((SIZE[0] / 2, SIZE[1] / 2))
        points = self.points(middle + np.array(((0, 0), (1, 0), (0, 1))))
        return float(np.linalg.svd(points[1:] - points[0], compute_uv=False).min())

    def points(self, millimetres: NDArray[np.float64]) -> NDArray[np.float64]:
        """Places of the card, shape (n, 2), as places in the picture."""
        mapped = cv2.perspectiveTransform(np.asarray(millimetres, np.float64)[None], self.homography)
        return np.asarray(mapped[0], np.float64)


def locate(image: Pixels) -> Located | None:
    """Find the card; None if fewer than three of its four marks are seen."""
    for side in _SEARCH_SIDES:
        found = _marks(image, side)
        if len(found) >= _FEWEST:
            return _fit(found)
        if side >= max(image.shape[:2]):
            break
    return None


def flatten(image: Pixels, located: Located) -> Pixels:
    """The card alone, upright, ``FLAT_SCALE`` pixels a millimetre."""
    to_card = np.array(((1 / FLAT_SCALE, 0, 0.5 / FLAT_SCALE), (0, 1 / FLAT_SCALE, 0.5 / FLAT_SCALE), (0, 0, 1)))
    size = (round(SIZE[0] * FLAT_SCALE), round(SIZE[1] * FLAT_SCALE))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPerspective(image, located.homography @ to_card, size, flags=flags))


def _marks(image: Pixels, side: int) -> dict[int, NDArray[np.float64]]:
    """Corners of the marks in the picture, by number."""
    factor = min(1.0, side / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else image
    if small.dtype == np.uint16:  # linear light of a raw file is dark: let the brightest tenth be white
        top = max(float(np.percentile(small[::4, ::4], 95)), 1.0)
        small = (np.sqrt(np.clip(small / top, 0, 1)) * 255).astype(np.uint8)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(DICTIONARY), parameters)
    corners, numbers, _ = detector.detectMarkers(grey)
    found = (
        {} if numbers is None else {int(number): quad for number, quad in zip(np.ravel(numbers), corners, strict=True)}
    )
    return {
        number: (np.asarray(quad, np.float64).reshape(4, 2) + 0.5) / factor - 0.5
        for number, quad in found.items()
        if number in MARKERS
    }


def _fit(found: dict[int, NDArray[np.float64]]) -> Located | None:
    card = np.concatenate([marker_corners(number) for number in found])
    seen = np.concatenate(list(found.values()))
    homography, _ = cv2.findHomography(card, seen, 0)
    back, _ = cv2.findHomography(seen, card, 0)
    if homography is None or back is None:
        return None
    off = cv2.perspectiveTransform(seen[None], back)[0] - card
    return Located(np.asarray(homography, np.float64), len(found), float(np.sqrt((off**2).sum(axis=1).mean())))
