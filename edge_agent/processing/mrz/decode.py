"""From what a recognizer sees at each place to the lines of a zone: a search under all that its format says.

The alternatives of each place are weighed together: which characters may stand there, dates of the calendar, states
that exist, names made of words, and check digits. The sums of the check digits run along as states of the search, so
that its result is the likeliest zone, and the probabilities are those of all zones together. Within a class that check
digits cannot tell apart they weigh all alternatives alike, so that there only the picture and the place decide. What
breaks a rule is unlikely, not impossible: a zone that is plainly printed wrong is reported as it is printed.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz import kernels, priors
from edge_agent.processing.mrz.check_digits import ALPHABET, VALUES, WEIGHTS
from edge_agent.processing.mrz.formats import FORMATS, Format, recognize

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

WRONG_CHECK_DIGIT: Final = -10.0
"""Log probability that a check digit is printed wrong."""
_UNLIKELY: Final = -18.0
"""Alternatives that are less likely than the best one by this much (natural logarithm) are not looked at."""
_DAMAGE: Final = 0.006
"""Probability, for a character that is not seen at all, that the damage misleads in a way that nobody foresaw."""
_DISBELIEF: Final = -12.0
"""Log odds, before anything is seen, that a zone is not what its format says: cut off, in disorder, or no zone."""
_VALUES: Final = np.array([VALUES[character] for character in ALPHABET])
_TABLES: Final = (priors.states, priors.years, priors.days)


@dataclass(frozen=True, slots=True)
class Correction:
    """A position (counted from 1) at which the reader decided against what the picture looked like."""

    line: int
    column: int
    seen: str
    decided: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """The likeliest zone."""

    format: Format
    lines: tuple[str, ...]
    probabilities: tuple[tuple[float, ...], ...]
    """Of each character."""
    confidence: float
    """Probability that every character is right."""
    corrections: tuple[Correction, ...]
    likelihood: float
    """Logarithm; compares readings of the same zone by the same format, such as both ways up."""


@dataclass(frozen=True, slots=True)
class _Choices:
    """All alternatives of a zone by symbol: see ``kernels.alternatives``. Places count through all lines."""

    starts: Codes
    places: Codes
    letters: kernels.Letters
    odds: Floats


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a format says before anything is seen."""

    odds: Floats
    """Log probabilities of the characters at each place, shape (places, 37)."""
    names: tuple[slice, ...]
    """The places of names."""
    symbols: Codes
    """As for ``kernels.alternatives``."""


def decode(evidence: Sequence[NDArray[np.floating]]) -> Decoded | None:
    """The likeliest zone for this evidence; None if no format has lines of these lengths.

    ``evidence`` holds for each line the log probabilities of the 37 characters of ``ALPHABET``: shape (columns, 37).
    """
    lengths = tuple(map(len, evidence))
    formats = [fmt for fmt in FORMATS if fmt.lengths == lengths]
    if not formats:
        return None
    seen = np.concatenate(evidence).astype(np.float64)
    fmt = _likeliest(formats, seen)
    if fmt is None:
        return None
    choices = _choices(_plan(fmt), seen)
    weights, closing = _sums(fmt, _spell(fmt, _codes(choices, choices.starts[:-1])))
    sums = np.empty((2, len(choices.odds)), np.int64)
    kernels.added(choices.starts, choices.places, choices.letters, _VALUES, weights, sums)
    problem = (choices.starts, choices.odds, *sums, closing[choices.places], WRONG_CHECK_DIGIT)
    chosen = np.empty(len(choices.places), np.int64)
    best = kernels.best_path(*problem, chosen)
    marginals = np.empty(len(choices.odds))
    everything = kernels.posterior(*problem, marginals)
    shares = np.empty(len(seen))
    kernels.shares(choices.starts, choices.places, choices.letters, chosen, marginals, shares)
    codes = _codes(choices, chosen)
    here = seen[np.arange(len(seen)), codes]
    against = float((seen.max(axis=1) - here).sum())  # how much the picture speaks against this reading
    unseen = float((1 - np.exp(here)).sum())  # how many of its characters were inferred more than seen
    ends = list(accumulate(lengths, initial=0))
    return Decoded(
        fmt,
        _spell(fmt, codes),
        tuple(tuple(shares[a:b].tolist()) for a, b in pairwise(ends)),
        math.exp(min(0.0, best - everything) - _DAMAGE * unseen) / (1 + math.exp(min(_DISBELIEF + against, 700.0))),
        tuple(_corrections(seen, codes, ends)),
        float(best),
    )


def _likeliest(formats: Sequence[Format], seen: Floats) -> Format | None:
    """The format that these lines are likeliest to begin."""
    best: tuple[float, Format] | None = None
    for fmt in formats:
        masked = seen + _mask(fmt)
        likelihood = float(masked.max(axis=1).sum())
        if (best is None or likelihood > best[0]) and recognize(_spell(fmt, masked.argmax(axis=1))) is fmt:
            best = (likelihood, fmt)
    return best[1] if best else None


@cache
def _mask(fmt: Format) -> Floats:
    """Log probabilities of the characters, shape (places, 37): those that do not belong there are unlikely."""
    return np.array([priors.mask(here) for line in fmt.allowed for here in line])


@cache
def _plan(fmt: Format) -> _Plan:
    odds = _mask(fmt).copy()
    names = []
    tabled: dict[int, tuple[int, int]] = {}  # table and width
    for field in fmt.fields:
        place = sum(fmt.lengths[: field.line]) + field.start
        part = odds[place : place + len(field.mask)]
        match field.name:
            case "names" | "surname":
                names.append(slice(place, place + len(field.mask)))
            case "sex":
                part += priors.SEXES
            case "document_number":
                part[2:] += priors.IN_NUMBERS  # it often begins with letters
            case "personal_number" | "optional_data" | "optional_data_2":
                part += priors.IN_NUMBERS
            case "document_code":
                part[0] += priors.initials(fmt.initials)
            case "birth_date" | "expiry_date":
                tabled |= {place: (_TABLES.index(priors.years), 2), place + 2: (_TABLES.index(priors.days), 4)}
            case "issuing_state" | "nationality":
                tabled[place] = kernels.STATE, 3
    covered = {place + i for place, (_, width) in tabled.items() for i in range(1, width)}
    alone = (kernels.ALONE, 1)
    symbols = [(place, tabled.get(place, alone)[0]) for place in range(len(odds)) if place not in covered]
    return _Plan(odds, tuple(names), np.array(symbols))


@cache
def _table() -> tuple[kernels.Letters, Floats, Codes]:
    """All tables, one below the other, the log probabilities of their rows, and where each begins and ends."""
    tables = [table() for table in _TABLES]
    rows = [np.pad(codes, ((0, 0), (0, kernels.WIDEST - codes.shape[1])), constant_values=-1) for codes, _ in tables]
    bounds = np.cumsum([0, *map(len, rows)])
    return np.concatenate(rows).astype(np.int8), np.concatenate([odds for _, odds in tables]), bounds


def _choices(plan: _Plan, seen: Floats) -> _Choices:
    """The alternatives of a zone."""
    odds = seen + plan.odds
    for part in plan.names:
        odds[part] = priors.names(odds[part])
    table, prior, bounds = _table()
    places, kinds = plan.symbols.T
    room = len(places) * len(ALPHABET) + (1 + int((kinds != kernels.ALONE).sum())) * len(table)
    starts = np.empty(len(places) + 1, np.int64)
    letters, likely = np.empty((room, kernels.WIDEST), np.int8), np.empty(room)
    rules = (priors.MISPLACED, priors.UNKNOWN_STATE, priors.FOREIGN, _UNLIKELY)
    kernels.alternatives(
        seen, odds, plan.symbols, table, prior, bounds, priors.is_state(), rules, starts, letters, likely
    )
    return _Choices(starts, places, letters[: starts[-1]], likely[: starts[-1]])


def _sums(fmt: Format, rough: Sequence[str]) -> tuple[Codes, Codes]:
    """The weight of each place in the sum of its own check digit and of the composite, and which sums end there.

    ``rough`` shows whether the document number is a long one.
    """
    before = [sum(fmt.lengths[:i]) for i in range(len(fmt.lengths))]
    weights, closing = np.zeros((2, sum(fmt.lengths)), np.int64), np.zeros(sum(fmt.lengths), np.int64)
    for digit in fmt.check_digits_of(rough):
        composite = digit.name == "composite"
        covered = np.concatenate([np.arange(start, end) + before[line] for line, start, end in digit.covers])
        weights[int(composite), covered] = np.resize(WEIGHTS, len(covered))
        place = before[digit.line] + digit.column
        weights[int(composite), place] = -1
        closing[place] |= 2 if composite else 1
    return weights, closing


def _codes(choices: _Choices, chosen: Codes) -> kernels.Letters:
    """The characters at all places if these alternatives are chosen."""
    letters = choices.letters[chosen]
    return letters[letters >= 0]


def _spell(fmt: Format, codes: NDArray[np.integer]) -> tuple[str, ...]:
    text = "".join([ALPHABET[i] for i in codes.tolist()])
    return tuple(text[a:b] for a, b in pairwise(accumulate(fmt.lengths, initial=0)))


def _corrections(seen: Floats, codes: kernels.Letters, ends: Sequence[int]) -> Iterator[Correction]:
    first_sight = seen.argmax(axis=1)
    for place in np.flatnonzero(first_sight != codes).tolist():
        line = bisect(ends, place)
        column = place - ends[line - 1] + 1
        yield Correction(line, column, ALPHABET[first_sight[place]], ALPHABET[codes[place]])


__all__ = ["Correction", "Decoded", "decode"]
