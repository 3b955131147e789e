"""What is known of a zone before it is looked at: which dates, states and names there are, as log probabilities."""

from __future__ import annotations

from calendar import monthrange
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz import kernels
from edge_agent.processing.mrz.check_digits import ALPHABET, DIGITS, FILLER, LETTERS
from edge_agent.processing.mrz.states import STATES

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
"""Indices into ``ALPHABET``."""

MISPLACED: Final = -12.0
"""A character that the format does not allow in its place: printed so by mistake, or on a forgery."""
UNKNOWN_PART: Final = -4.0
"""A year, month or day that the zone leaves open."""
UNKNOWN_STATE: Final = -6.0
FOREIGN: Final = -2.0
"""The holder is not a national of the issuing state."""
UNUSUAL: Final = -5.0
"""A document code that does not begin as the standard says."""
SEXES: Final = np.array([{"<": -2.0, "X": -3.0}.get(character, 0.0) for character in ALPHABET])
"""Unspecified is rarer than female or male."""

_FILLER: Final = ALPHABET.index(FILLER)
_LEAP: Final = 2000


def codes(text: str) -> list[int]:
    """The indices of these characters."""
    return [ALPHABET.index(character) for character in text]


def mask(allowed: str) -> Floats:
    """Log probabilities of the 37 characters where only ``allowed`` ones belong."""
    result = np.full(len(ALPHABET), MISPLACED)
    result[codes(allowed)] = 0.0
    return result


IN_NUMBERS: Final = np.array([-1.5 if character in LETTERS else 0.0 for character in ALPHABET])
"""Numbers of documents and persons have far more digits than letters."""


@cache
def initials(usual: str) -> Floats:
    """Log probabilities of the 37 characters where a document code begins."""
    return np.array([0.0 if character in usual else UNUSUAL for character in ALPHABET])


@cache
def years() -> tuple[Codes, Floats]:
    """Two columns: all years, and the unknown one."""
    texts = [f"{year:02d}" for year in range(100)] + [FILLER * 2]
    return _table(texts, [0.0] * 100 + [UNKNOWN_PART])


@cache
def days() -> tuple[Codes, Floats]:
    """Four columns: the days of the calendar, months without a day, days without a month, and neither."""
    texts, odds = [], []
    for month in range(13):
        for day in range(32):
            if month and day > monthrange(_LEAP, month)[1]:
                continue
            texts.append(f"{month:02d}{day:02d}" if month else f"00{day:02d}")
            texts[-1] = (FILLER * 2 if not month else texts[-1][:2]) + (FILLER * 2 if not day else texts[-1][2:])
            odds.append(UNKNOWN_PART * ((not month) + (not day)))
    return _table(texts, odds)


@cache
def states() -> tuple[Codes, Floats]:
    """Three columns: the codes that are known."""
    texts = [code.ljust(3, FILLER) for code in STATES]
    return _table(texts, [0.0] * len(texts))


@cache
def is_state() -> NDArray[np.bool_]:
    """Whether three characters are a known code, shape (37, 37, 37)."""
    result = np.zeros((len(ALPHABET),) * 3, bool)
    result[*states()[0].T] = True
    return result


def _table(texts: list[str], odds: list[float]) -> tuple[Codes, Floats]:
    return np.array([codes(text) for text in texts]), np.array(odds)


_LETTERS: Final = np.array([character in LETTERS for character in ALPHABET])
_DIGITS: Final = np.array([character in DIGITS for character in ALPHABET])
_RARE: Final = 0.004
_VERY_RARE: Final = 0.0003

# The words of a name: in the surname, after a filler in it, between surname and given names, in these, after a filler
# in these, in the fillers at the end. From each (row) to each (column), by a letter and by a filler.
_BY_LETTER: Final = np.array(
    (
        (1, 0, 0, 0, 0, 0),
        (1, 0, 0, 0, 0, 0),
        (0, 0, 0, 1, 0, 0),
        (0, 0, 0, 1, 0, 0),
        (0, 0, 0, 1, 0, 0),
        (0, 0, 0, _VERY_RARE, 0, 0),
    ),
    float,
)
_BY_FILLER: Final = np.array(
    (
        (0, 1, 0, 0, 0, 0),
        (0, 0, 1, 0, 0, 0),
        (0, 0, 0, 0, 0, 1),
        (0, 0, 0, 0, 1, 0),
        (0, 0, 0, 0, 0, 1),
        (0, 0, 0, 0, 0, 1),
    ),
    float,
)
_FIRST: Final = np.array((_RARE, 1.0, _RARE, 0.0, 0.0, 0.0))
"""Before the first character, as if after a filler within the surname."""


def names(evidence: Floats) -> Floats:
    """Log probabilities of a names field (columns, 37), now that names are words between fillers.

    Each column's odds between letters and the filler take its neighbours into account; a letter at the end of a long
    row of fillers has to be plain.
    """
    likely = np.exp(evidence)
    floor = 1e-9
    letter, filler = likely[:, _LETTERS].sum(axis=1) + floor, likely[:, _FILLER] + floor
    found = np.empty((len(evidence), 2))
    kernels.words(letter, filler, _BY_LETTER, _BY_FILLER, _FIRST, found)
    is_letter, is_filler = found.T
    total = is_letter + is_filler
    result = evidence.copy()
    result[:, _LETTERS] += np.log(2 * is_letter / total + 1e-12)[:, None]
    result[:, _FILLER] += np.log(2 * is_filler / total + 1e-12)
    return result
