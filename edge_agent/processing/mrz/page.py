"""The seam: a picture of a page goes in, the lines of its machine readable zone come out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz import second_opinion
from edge_agent.processing.mrz.check_digits import FILLER
from edge_agent.processing.mrz.formats import FORMATS
from edge_agent.processing.mrz.parse import parse
from edge_agent.processing.mrz.result import Mrz, Outcome
from edge_agent.processing.mrz.second_opinion import Opinion, ReaderError, TooSlowError

Quad = NDArray[np.float32]
"""Shape (4, 2): the corners x, y of a line in pixels, clockwise from the top left of its text."""

NOTHING_FOUND: Final = "No machine readable zone was found on the page."
NAMES_UNPROTECTED: Final = (
    "No check digit covers the names, and this reader often takes < for K, C, S or E: compare them with the page"
)
SECONDS: Final = 18.0
"""For one page, in all orientations."""

_RIGHT_IF_CHECKED: Final = 0.16
"""How often a zone is right when all its check digits are: 8 of 51 pages with Tesseract's English model."""
_TURNS: Final = (0, 1, 3)
"""Quarters to try. Upside down, PassportEye notices by itself."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A position (counted from 1) at which the reader decided against what the picture looked like."""

    line: int
    column: int
    seen: str
    decided: str


@dataclass(frozen=True, slots=True)
class PageReading:
    """What was read on a page.

    ``lines`` is empty if no zone was found; ``confidence`` is the probability that every character is right, and
    ``probabilities`` those of each character by line, empty where the reader does not say; so are ``quads``.
    ``problem`` is why the reader itself is not sure, in an officer's words.
    """

    lines: tuple[str, ...]
    confidence: float
    probabilities: tuple[tuple[float, ...], ...] = ()
    quads: tuple[Quad, ...] = ()
    corrections: tuple[Correction, ...] = ()
    problem: str | None = None


def engine() -> str:
    """What reads the pages, with its version."""
    return second_opinion.version()


def warm() -> None:
    """Load what every process that reads pages needs."""
    second_opinion.warm()


def read_page(image: NDArray[np.uint8]) -> PageReading:
    """Read the machine readable zone of a page, whichever way up it lies.

    ``image`` is BGR, shape (height, width, 3), or grey, shape (height, width).

    Raises:
        ReaderError: the reader itself is at fault, not the page.
    """
    deadline = time.monotonic() + SECONDS
    best: tuple[int, Mrz, Opinion] | None = None
    for quarters in _TURNS:
        left = deadline - time.monotonic()
        if best is not None and (best[1].valid or left < 1):
            break
        opinion = second_opinion.read(np.rot90(image, -quarters), seconds=left)
        if opinion is None:
            continue
        mrz = parse(_fitted(opinion.lines))
        passed = sum(outcome is Outcome.PASSED for outcome in mrz.checks.values())
        if best is None or passed > best[0]:
            best = (passed, mrz, opinion)
    if best is None or best[1].format is None:
        return PageReading((), 0.0, problem=NOTHING_FOUND)
    _, mrz, opinion = best
    return PageReading(
        mrz.lines,
        _RIGHT_IF_CHECKED if mrz.valid else 0.0,
        corrections=_corrections(opinion.seen, mrz.lines),
        problem=NAMES_UNPROTECTED,
    )


def _fitted(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The lines with the fillers at their ends counted right: in a row of them Tesseract easily miscounts.

    Only a line that ends in fillers is touched, so that no character is lost or moved.
    """
    near = [fmt.lengths for fmt in FORMATS if len(fmt.lengths) == len(lines)]
    lengths = min(
        near, key=lambda lengths: sum(abs(n - len(line)) for n, line in zip(lengths, lines, strict=True)), default=()
    )
    return tuple(
        line.rstrip(FILLER).ljust(length, FILLER) if line.endswith(FILLER * 2) else line
        for line, length in zip(lines, lengths or map(len, lines), strict=True)
    )


def _corrections(seen: tuple[str, ...], decided: tuple[str, ...]) -> tuple[Correction, ...]:
    return tuple(
        Correction(i, column, before, after)
        for i, (line, corrected) in enumerate(zip(seen, decided, strict=False), 1)
        for column, (before, after) in enumerate(zip(line, corrected, strict=False), 1)
        if before != after
    )


__all__ = ["Correction", "PageReading", "Quad", "ReaderError", "TooSlowError", "engine", "read_page", "warm"]
