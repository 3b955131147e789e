"""Container codes in what an OCR read of a picture: which could stand there, and how far each can be believed.

An OCR takes O for 0 and the boxed check digit for nothing. What a place must hold, a letter or a digit, and the check
digit (ISO 6346) tell most of that; the rest is for a second picture to tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from edge_agent.processing.iso6346 import CODE, check_digit, is_valid

Check = Literal["passed", "failed", "not_read"]

_AS_LETTER: Final = str.maketrans("01256840", "OIZSGBAO")
_AS_DIGIT: Final = str.maketrans("OQDUILZSGBTA", "000011256874")
CORRECTED: Final = 0.8
"""Factor for each character that was read as one of the other kind."""
UNCHECKED: Final = 0.5
"""Factor where the check digit was not read: it is completed, but proves nothing."""
FAILED: Final = 0.05
"""Factor where the check digit contradicts the rest."""
MOST: Final = 5
"""Candidates that are worth telling."""


@dataclass(frozen=True, slots=True)
class Read:
    """A piece of text in a picture, pieces in reading order; ``confidence`` (0 to 1) as the OCR says."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A code that could stand in the picture. ``frames`` is in how many pictures it was read."""

    text: str
    confidence: float
    check: Check
    frames: int = 1


def candidates(reads: Sequence[Read]) -> list[Candidate]:
    """The codes that one picture could show, the likeliest first: pieces that follow each other are joined."""
    best: dict[str, Candidate] = {}
    for first in range(len(reads)):
        for last in range(first + 1, min(first + 4, len(reads) + 1)):
            pieces = reads[first:last]
            text = "".join(character for piece in pieces for character in piece.text.upper() if character.isalnum())
            confidence = min(piece.confidence for piece in pieces)
            for found in _windows(text, confidence):
                if found.text not in best or best[found.text].confidence < found.confidence:
                    best[found.text] = found
    return _ranked(best.values())


def agreed(pictures: Iterable[Sequence[Candidate]]) -> list[Candidate]:
    """The candidates of several pictures of the same thing: what was read twice is believed more, what once, less.

    One substitution in twenty passes the check digit, so that one picture alone is never believed beyond 0.9.
    """
    doubt: dict[str, float] = {}
    seen: dict[str, list[Candidate]] = {}
    for found in pictures:
        for candidate in found:
            doubt[candidate.text] = doubt.get(candidate.text, 1.0) * (1.0 - min(candidate.confidence, 0.9))
            seen.setdefault(candidate.text, []).append(candidate)
    return _ranked(Candidate(text, 1.0 - doubt[text], _best_check(each), len(each)) for text, each in seen.items())


def _best_check(found: Sequence[Candidate]) -> Check:
    checks = {candidate.check for candidate in found}
    return next(check for check in ("passed", "failed", "not_read") if check in checks)


def _ranked(found: Iterable[Candidate]) -> list[Candidate]:
    return sorted(found, key=lambda candidate: (-candidate.confidence, candidate.text))[:MOST]


def _windows(text: str, confidence: float) -> Iterable[Candidate]:
    for start in range(len(text) - 9):
        body, corrected = _as_code(text[start : start + 10])
        if not CODE.fullmatch(f"{body}0"):
            continue
        trust = confidence * CORRECTED**corrected
        digit = text[start + 10 : start + 11].translate(_AS_DIGIT)
        if digit.isdecimal() and digit.isascii():
            code = body + digit
            passed = is_valid(code)
            yield Candidate(code, trust * (1.0 if passed else FAILED), "passed" if passed else "failed")
        elif not text[start + 10 :]:
            yield Candidate(f"{body}{check_digit(body)}", trust * UNCHECKED, "not_read")


def _as_code(text: str) -> tuple[str, int]:
    """Ten characters with letters and digits where they belong, and how many had to be changed for that."""
    owner, serial = text[:4].translate(_AS_LETTER), text[4:].translate(_AS_DIGIT)
    if owner[3] == "V":  # painted alike
        owner = f"{owner[:3]}U"
    body = owner + serial
    return body, sum(a != b for a, b in zip(body, text, strict=True))
