"""A reading drawn over its page: what a technician wants to see who sets up a reader."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.page import PageReading, Quad
from edge_agent.processing.mrz.result import Mrz, Outcome

Image = NDArray[np.uint8]
"""BGR, shape (height, width, 3)."""

_SMALLEST_WIDTH: Final = 1200
"""Pixels to which smaller pictures are enlarged, so that the characters can be told."""
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_OUTCOME_COLOURS: Final = {
    Outcome.PASSED: (80, 200, 80),
    Outcome.FAILED: (60, 60, 230),
    Outcome.NOT_APPLICABLE: (150, 150, 150),
}
_WHITE: Final = (255, 255, 255)


def overlay(image: NDArray[np.uint8], reading: PageReading, mrz: Mrz) -> Image:
    """The page with the zone found, each character over its place in the colour of its probability, and the checks.

    ``image`` is BGR, shape (height, width, 3), or grey, shape (height, width): the picture of ``reading``. The result
    is enlarged to a width of at least 1,200 pixels, and has a panel with the checks below it.
    """
    colour = image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    scale = max(1.0, _SMALLEST_WIDTH / colour.shape[1])
    page = np.array(cv2.resize(colour, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)
    for number, quad in enumerate(reading.quads):
        corners = np.asarray(quad, np.float64) * scale
        line = reading.lines[number] if number < len(reading.lines) else ""
        probabilities = reading.probabilities[number] if number < len(reading.probabilities) else ()
        _draw_line(page, corners.astype(np.float32), line, probabilities)
    return np.asarray(np.vstack((page, _panel(page.shape[1], reading, mrz))), np.uint8)


def confidence_colour(probability: float) -> tuple[int, int, int]:
    """BGR: green from 0.99 on, yellow at 0.9, red from 0.5 down."""
    sure = float(np.interp(probability, (0.5, 0.9, 0.99), (0.0, 0.5, 1.0)))
    return 40, int(510 * min(sure, 0.5)), int(510 * min(1 - sure, 0.5))


def _draw_line(page: Image, quad: Quad, line: str, probabilities: tuple[float, ...]) -> None:
    tops = np.linspace(quad[0], quad[1], len(line) + 1)
    bases = np.linspace(quad[3], quad[2], len(line) + 1)
    shade = page.copy()
    for i, probability in enumerate(probabilities):
        cell = np.array((tops[i], tops[i + 1], bases[i + 1], bases[i]), np.int32)
        cv2.fillConvexPoly(shade, cell, confidence_colour(probability), cv2.LINE_AA)
    cv2.addWeighted(shade, 0.35, page, 0.65, 0, dst=page)
    cv2.polylines(page, [np.round(quad).astype(np.int32)], True, (200, 120, 0), 2, cv2.LINE_AA)
    height = float(np.linalg.norm(quad[3] - quad[0]))
    size, up = height / 32, (quad[0] - quad[3]) * 0.25
    for i, character in enumerate(line):
        colour = confidence_colour(probabilities[i]) if i < len(probabilities) else _WHITE
        x, y = np.round(tops[i] + up).astype(int).tolist()
        cv2.putText(page, character, (x, y), _FONT, size, (0, 0, 0), 4, cv2.LINE_AA)
        cv2.putText(page, character, (x, y), _FONT, size, colour, 2, cv2.LINE_AA)


def _panel(width: int, reading: PageReading, mrz: Mrz) -> Image:
    rows: list[tuple[str, tuple[int, int, int]]] = [
        (f"{mrz.format or 'no zone'}   confidence {reading.confidence:.4f}", _WHITE),
        *(
            (f"{name.replace('_', ' ')}: {o.value.replace('_', ' ')}", _OUTCOME_COLOURS[o])
            for name, o in mrz.checks.items()
        ),
        *((problem, _OUTCOME_COLOURS[Outcome.FAILED]) for problem in (reading.problem, mrz.problem) if problem),
        *(
            (f"line {c.line}, character {c.column}: seen {c.seen}, decided {c.decided}", confidence_colour(0.9))
            for c in reading.corrections
        ),
    ]
    panel = np.full((24 + 30 * len(rows), width, 3), 30, np.uint8)
    for i, (text, colour) in enumerate(rows):
        cv2.putText(panel, text, (16, 36 + 30 * i), _FONT, 0.7, colour, 1, cv2.LINE_AA)
    return panel
