"""From what a recognizer sees at each place to the lines of a zone: a search under all that its format says.

The alternatives of each place are weighed together: which characters may stand there, dates of the calendar, states
that exist, names made of words, and check digits. The sums of the check digits run along as states of the search, so
that its result is the likeliest zone, and the probabilities are those of all zones together. Within a class that check
digits cannot tell apart they weigh all alternatives alike, so that there only the picture and the place decide. What
breaks a rule is unlikely, not impossible: a zone that is plainly printed wrong is reported as it is printed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, product
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
WIDEST: Final = 4
"""Places of a symbol at most: month and day."""
_TRIPLES: Final = np.array(list(product(range(3), repeat=3)))
_VALUES: Final = np.array([*(VALUES[character] for character in ALPHABET), 0])
"""Of each character; the last one is for the -1 that fills up alternatives."""


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
    """All alternatives of a zone, by symbol: some places that are decided together, such as the three of a state.

    Places count through all lines. The alternatives of a symbol stand together, the likeliest first; those of symbol s
    from ``starts[s]`` to ``starts[s + 1]``.
    """

    starts: Codes
    places: Codes
    """The first place of each symbol."""
    letters: Codes
    """Shape (alternatives, WIDEST): what each alternative puts there, filled up with -1."""
    odds: Floats
    """Of each alternative, the log probability."""

    @property
    def symbols(self) -> Codes:
        """The symbol of each alternative."""
        return np.repeat(np.arange(len(self.places)), np.diff(self.starts))


def decode(evidence: Sequence[NDArray[np.floating]]) -> Decoded | None:
    """The likeliest zone for this evidence; None if no format has lines of these lengths.

    ``evidence`` holds for each line the log probabilities of the 37 characters of ``ALPHABET``: shape (columns, 37).
    """
    seen = [np.asarray(line, np.float64) for line in evidence]
    fmt = _format(seen)
    if fmt is None:
        return None
    choices = _choices(fmt, seen)
    rough = _spell(fmt, choices, choices.starts[:-1])
    own, whole, closing = _sums(fmt, rough)
    at = choices.places[choices.symbols, None] + np.arange(WIDEST)
    worth = _VALUES[choices.letters]
    problem = (
        choices.starts,
        choices.odds,
        (worth * own[at]).sum(axis=1) % 10,
        (worth * whole[at]).sum(axis=1) % 10,
        closing[choices.places],
        WRONG_CHECK_DIGIT,
    )
    chosen = np.empty(len(choices.places), np.int64)
    best = kernels.best_path(*problem, chosen)
    marginals = np.empty(len(choices.odds))
    everything = kernels.posterior(*problem, marginals)
    lines = _spell(fmt, choices, chosen)
    against = _against(seen, lines)
    return Decoded(
        fmt,
        lines,
        _probabilities(fmt, choices, chosen, marginals),
        math.exp(min(0.0, best - everything) - _DAMAGE * _unseen(seen, lines))
        / (1 + math.exp(min(_DISBELIEF + against, 700.0))),
        tuple(_corrections(seen, lines)),
        float(best),
    )


def _format(seen: Sequence[Floats]) -> Format | None:
    """The format that these lines are likeliest to begin."""
    best: tuple[float, Format] | None = None
    for fmt in FORMATS:
        if fmt.lengths != tuple(map(len, seen)):
            continue
        masked = [line + mask for line, mask in zip(seen, _masks(fmt), strict=True)]
        lines = ["".join(ALPHABET[i] for i in line.argmax(axis=1)) for line in masked]
        likelihood = float(sum(line.max(axis=1).sum() for line in masked))
        if recognize(lines) is fmt and (best is None or likelihood > best[0]):
            best = (likelihood, fmt)
    return best[1] if best else None


@cache
def _masks(fmt: Format) -> tuple[Floats, ...]:
    return tuple(np.array([priors.mask(here) for here in allowed]) for allowed in fmt.allowed)


def _choices(fmt: Format, seen: Sequence[Floats]) -> _Choices:
    """The alternatives of a zone."""
    masked = [line + mask for line, mask in zip(seen, _masks(fmt), strict=True)]
    symbols: list[_Symbol] = []
    issuer: str | None = None
    for field in fmt.fields:
        line, bare = masked[field.line], seen[field.line]
        place = sum(fmt.lengths[: field.line]) + field.start
        part = line[field.start : field.end]
        match field.name:
            case "names" | "surname":
                part[:] = priors.names(part)
            case "sex":
                part += priors.SEXES
            case "document_number":
                part[2:] += priors.IN_NUMBERS  # it often begins with letters
            case "personal_number" | "optional_data" | "optional_data_2":
                part += priors.IN_NUMBERS
            case "document_code":
                part[0] += priors.initials(fmt.initials)
            case "birth_date" | "expiry_date":
                symbols.append(_tabled(part[:2], bare[field.start :], place, *priors.years()))
                symbols.append(_tabled(part[2:], bare[field.start + 2 :], place + 2, *priors.days()))
            case "issuing_state" | "nationality":
                symbols.append(_state(part, bare[field.start :], place, issuer))
                issuer = "".join(ALPHABET[c] for c in symbols[-1].letters[symbols[-1].odds.argmax()])
    odds = np.concatenate(masked)
    single = np.ones(len(odds), bool)
    for symbol in symbols:
        single[symbol.place : symbol.place + symbol.letters.shape[1]] = False
    columns, codes = np.nonzero((odds > odds.max(axis=1, keepdims=True) + _UNLIKELY) & single[:, None])
    places = np.concatenate([columns, *(np.full(len(symbol.odds), symbol.place) for symbol in symbols)])
    letters = np.full((len(places), WIDEST), -1)
    letters[: len(codes), 0] = codes
    at = len(codes)
    for symbol in symbols:
        letters[at : at + len(symbol.odds), : symbol.letters.shape[1]] = symbol.letters
        at += len(symbol.odds)
    likely = np.concatenate([odds[columns, codes], *(symbol.odds for symbol in symbols)])
    order = np.lexsort((-likely, places))
    firsts, starts = np.unique(places[order], return_index=True)
    return _Choices(np.append(starts, len(order)), firsts, letters[order], likely[order])


@dataclass(frozen=True, slots=True)
class _Symbol:
    """Some places that are decided together: the alternatives (n, places) and their log probabilities."""

    place: int
    letters: Codes
    odds: Floats


def _tabled(part: Floats, bare: Floats, place: int, table: Codes, prior: Floats) -> _Symbol:
    """A symbol with the alternatives of a table, and what it looks like at first sight, though that is none of them.

    ``part`` is the evidence where only what belongs there is likely, ``bare`` the same without this knowledge.
    """
    columns = np.arange(table.shape[1])
    odds = part[columns, table].sum(axis=1) + prior
    sight = bare[columns].argmax(axis=1)
    as_seen = bare[columns, sight].sum() + priors.MISPLACED
    same = (table == sight).all(axis=1)
    if same.any():
        odds[same] = np.maximum(odds[same], as_seen)
    else:
        table, odds = np.vstack((table, sight)), np.append(odds, as_seen)
    keep = np.flatnonzero(odds > odds.max() + _UNLIKELY)
    return _Symbol(place, table[keep], odds[keep])


def _state(part: Floats, bare: Floats, place: int, issuer: str | None) -> _Symbol:
    """Known states, and combinations of letters that look much like what is printed."""
    known, prior = priors.states()
    foreign = priors.FOREIGN if issuer is not None else 0.0
    if issuer is not None:
        prior = prior + np.where((known == priors.codes(issuer)).all(axis=1), 0.0, foreign)
    alike = np.argsort(part[:3], axis=1)[:, -3:]
    others = alike[[0, 1, 2], _TRIPLES]
    others = others[~priors.is_state()[*others.T]]
    prior = np.append(prior, np.full(len(others), priors.UNKNOWN_STATE + foreign))
    return _tabled(part, bare, place, np.vstack((known, others)), prior)


def _sums(fmt: Format, rough: Sequence[str]) -> tuple[Codes, Codes, Codes]:
    """The weight of each place in the sum of its own check digit and of the composite, and which sums end there.

    ``rough`` shows whether the document number is a long one.
    """
    before = [sum(fmt.lengths[:i]) for i in range(len(fmt.lengths))]
    own, whole, closing = (np.zeros(sum(fmt.lengths) + WIDEST, np.int64) for _ in range(3))
    for digit in fmt.check_digits_of(rough):
        composite = digit.name == "composite"
        weights = whole if composite else own
        covered = np.concatenate([np.arange(start, end) + before[line] for line, start, end in digit.covers])
        weights[covered] = np.resize(WEIGHTS, len(covered))
        place = before[digit.line] + digit.column
        weights[place] = -1
        closing[place] |= 2 if composite else 1
    return own, whole, closing


def _spell(fmt: Format, choices: _Choices, chosen: Codes) -> tuple[str, ...]:
    letters = choices.letters[chosen]
    text = "".join(ALPHABET[i] for i in letters[letters >= 0])
    ends = list(accumulate(fmt.lengths))
    return tuple(text[end - length : end] for end, length in zip(ends, fmt.lengths, strict=True))


def _probabilities(fmt: Format, choices: _Choices, chosen: Codes, marginals: Floats) -> tuple[tuple[float, ...], ...]:
    """Of each character: the sum over all alternatives that have it in this place."""
    same = choices.letters == choices.letters[chosen][choices.symbols]
    sums = np.add.reduceat(same * marginals[:, None], choices.starts[:-1])
    flat = sums[choices.letters[chosen] >= 0].clip(0, 1)
    return tuple(tuple(part.tolist()) for part in np.split(flat, np.cumsum(fmt.lengths)[:-1]))


def _against(seen: Sequence[Floats], lines: Sequence[str]) -> float:
    """How much the picture speaks against this reading: log odds of what each place looks like to what is read."""
    return float(
        sum(
            (evidence.max(axis=1) - evidence[np.arange(len(line)), priors.codes(line)]).sum()
            for evidence, line in zip(seen, lines, strict=True)
        )
    )


def _unseen(seen: Sequence[Floats], lines: Sequence[str]) -> float:
    """How many characters of this reading were inferred more than seen."""
    return float(
        sum(
            (1 - np.exp(evidence[np.arange(len(line)), priors.codes(line)])).sum()
            for evidence, line in zip(seen, lines, strict=True)
        )
    )


def _corrections(seen: Sequence[Floats], lines: Sequence[str]) -> Iterator[Correction]:
    for i, (evidence, line) in enumerate(zip(seen, lines, strict=True), 1):
        for column, (best, decided) in enumerate(zip(evidence.argmax(axis=1), line, strict=True), 1):
            if ALPHABET[best] != decided:
                yield Correction(i, column, ALPHABET[best], decided)


__all__ = ["Correction", "Decoded", "decode"]
