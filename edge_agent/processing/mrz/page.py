"""The seam: a picture of a page goes in, the lines of its machine readable zone come out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz import recognize
from edge_agent.processing.mrz.decode import Correction, Decoded, decode
from edge_agent.processing.mrz.locate import Zone, locate
from edge_agent.processing.mrz.locate import warm as warm_locate
from edge_agent.processing.mrz.parse import parse
from edge_agent.processing.mrz.picture import Picture
from edge_agent.processing.mrz.recognize import Evidence
from edge_agent.processing.mrz.result import Outcome

Quad = NDArray[np.float32]
"""Shape (4, 2): the corners x, y of a line in pixels, clockwise from the top left of its text."""

NOTHING_FOUND: Final = "No machine readable zone was found on the page."
SURE: Final = 0.99
"""Confidence from which a reading needs no second look; the benchmark shows how often such readings are wrong."""

_PLAIN: Final = 0.85
"""Quality of the evidence from which this is the zone, and no other place is tried."""
_HOPELESS: Final = 0.45
"""Quality of the evidence below which a place holds no zone at all."""
_LEGIBLE: Final = 0.7
"""Mean probability of the characters below which a zone is there, and cannot be read."""
_CLEAR: Final = 0.93
"""Mean probability of the characters from which a zone that contradicts itself is more than badly seen."""
_WEAK: Final = 0.98
"""Probability of a character below which an officer is told where it stands."""
_SMALL: Final = 8.5
"""Height of the capitals in pixels below which size is the likeliest reason for doubt."""
_DARK: Final = 110
"""Median grey level below which a page without dark print is looked at for light print."""
_WHITE: Final = 245
"""Grey level from which on a picture shows no print any more."""


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


@dataclass(frozen=True, slots=True)
class Candidate:
    """A zone as seen and as read."""

    evidence: Evidence
    decoded: Decoded

    @property
    def passed(self) -> int:
        """Check digits that hold."""
        checks = parse(self.decoded.lines).checks
        return sum(o is Outcome.PASSED for name, o in checks.items() if name not in {"characters", "dates"})

    @property
    def rank(self) -> tuple[bool, float]:
        return self.decoded.confidence > SURE, self.evidence.quality


def engine() -> str:
    """What reads the pages, with its version."""
    return f"edge-agent {version('edge-agent')}"


def warm() -> None:
    """Load what every process that reads pages needs."""
    Picture(np.zeros((2, 2, 3), np.uint8)).halved(1)
    recognize.warm()
    warm_locate()
    decode([np.zeros((44, 37))] * 2)


def read_page(image: NDArray[np.uint8]) -> PageReading:
    """Read the machine readable zone of a page, whichever way up it lies.

    ``image`` is BGR, shape (height, width, 3), or grey, shape (height, width).
    """
    picture = Picture(image)
    best = _best(picture)
    if best is None and np.median(picture.halved(3)) < _DARK:
        picture = picture.negative()  # or light print on dark ground
        best = _best(picture)
    if best is None:
        return PageReading((), 0.0, problem=NOTHING_FOUND)
    decoded, evidence = best.decoded, best.evidence
    problem = "" if decoded.confidence >= SURE else _doubt(picture, decoded, evidence)
    if evidence.plain < _LEGIBLE:
        return PageReading((), 0.0, quads=evidence.quads, problem=f"A zone was found but cannot be read: {problem}")
    return PageReading(
        decoded.lines, decoded.confidence, decoded.probabilities, evidence.quads, decoded.corrections, problem or None
    )


def _best(picture: Picture) -> Candidate | None:
    """The best reading of all places; None if none of them looks like a zone."""
    best: Candidate | None = None
    for zone in _places(picture):
        candidate = best_reading(picture, zone.quads, zone.columns, zone.sag)
        if candidate is not None and (best is None or candidate.rank > best.rank):
            best = candidate
        if best is not None and (best.decoded.confidence >= SURE or best.evidence.quality > _PLAIN):
            break
    return best if best is not None and (best.evidence.quality >= _LEGIBLE or best.passed) else None


def _places(picture: Picture) -> Iterator[Zone]:
    """Where a zone may be; at last the most plausible one as in a mirror."""
    zones = locate(picture)
    for zone in zones:
        if len(zone.quads) == 2 and zone.columns == 30:  # two lines of a card's three
            first, second = zone.quads
            yield replace(zone, quads=(first, second, 2 * second - first))
            yield replace(zone, quads=(2 * first - second, first, second))
        yield zone
    for zone in zones[:1]:
        yield replace(zone, quads=tuple(quad[[1, 0, 3, 2]] for quad in zone.quads), sag=zone.sag[::-1])


def best_reading(
    picture: Picture, quads: Sequence[Quad], columns: int | None = None, sag: Sequence[float] = ()
) -> Candidate | None:
    """The best reading of a zone among the views that its place leaves open; the arguments as for ``recognize.see``."""
    read = [
        Candidate(evidence, decoded)
        for evidence in recognize.see(picture, quads, columns, sag)
        if evidence.quality > _HOPELESS and (decoded := decode(evidence.lines)) is not None
    ]
    if not read:
        return None
    weights = np.array([one.evidence.score + one.decoded.likelihood for one in read])
    best = int(weights.argmax())
    share = float(1 / np.exp(weights - weights[best]).sum())
    return replace(read[best], decoded=replace(read[best].decoded, confidence=read[best].decoded.confidence * share))


def _doubt(picture: Picture, decoded: Decoded, evidence: Evidence) -> str:
    """Where the reader is not sure, and what may be the matter."""
    if evidence.plain > _CLEAR and not parse(decoded.lines).valid:
        return "the print is legible, but it breaks the rules of its format: misprinted, altered, or misread"
    weak = [
        (i, [column for column, p in enumerate(line, 1) if p < _WEAK])
        for i, line in enumerate(decoded.probabilities, 1)
    ]
    places = [f"line {i}, {_columns(columns)}" for i, columns in weak if columns]
    where = "; ".join(places) or "several characters"
    return f"{where} not certain: {_reason(picture, decoded, evidence)}"


def _columns(columns: Sequence[int]) -> str:
    runs = [[c for _, c in run] for _, run in groupby(enumerate(columns), key=lambda pair: pair[1] - pair[0])]
    if len(runs) > 4:
        return f"{len(columns)} characters"
    said = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    return ("character " if len(columns) == 1 else "characters ") + ", ".join(said)


def _reason(picture: Picture, decoded: Decoded, evidence: Evidence) -> str:
    height, width = picture.shape
    corners = np.concatenate(evidence.quads)
    if (corners < -1).any() or (corners > (width, height)).any():
        return "the zone is cut off at the edge of the picture; show all of it"
    if evidence.capitals < _SMALL:
        return (
            f"the characters are only {evidence.capitals:.0f} pixels high; hold the camera closer or scan finer "
            "(10 pixels are enough)"
        )
    if any(_washed_out(picture.halved(0), decoded, evidence)):
        return "a reflection hides them; tilt the document or move the lamp"
    return "they are blurred, faint or covered; compare them with the page, or read it once more"


def _washed_out(grey: NDArray[np.uint8], decoded: Decoded, evidence: Evidence) -> Iterator[bool]:
    """For each uncertain character whether its place is white."""
    for quad, line in zip(evidence.quads, decoded.probabilities, strict=True):
        for column, p in enumerate(line):
            if p < _WEAK:
                at = (column + 0.5) / len(line)
                x, y = ((quad[0] + quad[3]) * (1 - at) + (quad[1] + quad[2]) * at) / 2
                reach = max(1, int(evidence.capitals / 2))
                part = grey[max(0, int(y) - reach) : int(y) + reach, max(0, int(x) - reach) : int(x) + reach]
                yield bool(part.size and np.mean(part > _WHITE) > 0.5)


__all__ = ["Correction", "PageReading", "Quad", "engine", "read_page", "warm"]
