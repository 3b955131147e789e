"""From what a recognizer sees at each place to the lines of a zone: a search under all that its format says.

The alternatives of each place are weighed together: which characters may stand there, dates of the calendar, states
that exist, names made of words, and check digits. The sums of the check digits run along as states of the search, so
that its result is the likeliest zone, and the probabilities are those of all zones together. Within a class that check
digits cannot tell apart they weigh all alternatives alike, so that there only the picture and the place decide. What
breaks a rule is unlikely, not impossible: a zone that is plainly printed wrong is reported as it is printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz import priors
from edge_agent.processing.mrz.check_digits import ALPHABET, VALUES, WEIGHTS
from edge_agent.processing.mrz.formats import FORMATS, Format, recognize
from edge_agent.processing.mrz.recognize import kernels

Floats = NDArray[np.float64]

WRONG_CHECK_DIGIT: Final = -10.0
"""Log probability that a check digit is printed wrong."""
_UNLIKELY: Final = -18.0
"""Alternatives that are less likely than the best one by this much (natural logarithm) are not looked at."""
_DISBELIEF: Final = -12.0
"""Log odds, before anything is seen, that a zone is not what its format says: cut off, in disorder, or no zone."""
_MOST: Final = 64
"""Alternatives per symbol."""
_VALUES: Final = np.array([VALUES[character] for character in ALPHABET])


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
class _Symbol:
    """Some columns of a line that are decided together: alternatives (n, columns) and their log probabilities."""

    line: int
    column: int
    alternatives: NDArray[np.int64]
    odds: Floats


@dataclass(frozen=True, slots=True)
class _Sums:
    """What each place adds to the check sums: the own one's weight and the composite's, and which sums end there."""

    own: tuple[NDArray[np.int64], ...]
    whole: tuple[NDArray[np.int64], ...]
    closing: tuple[NDArray[np.int64], ...]


def decode(evidence: Sequence[NDArray[np.floating]]) -> Decoded | None:
    """The likeliest zone for this evidence; None if no format has lines of these lengths.

    ``evidence`` holds for each line the log probabilities of the 37 characters of ``ALPHABET``: shape (columns, 37).
    """
    seen = [np.asarray(line, np.float64) for line in evidence]
    fmt = _format(seen)
    if fmt is None:
        return None
    symbols = list(_symbols(fmt, seen))
    rough = _spell(fmt, symbols, [int(symbol.odds.argmax()) for symbol in symbols])
    sums = _sums(fmt, rough)
    starts = np.cumsum([0] + [len(symbol.odds) for symbol in symbols])
    own = np.concatenate([_added(symbol, sums.own) for symbol in symbols])
    whole = np.concatenate([_added(symbol, sums.whole) for symbol in symbols])
    closing = np.array([sums.closing[s.line][s.column : s.column + s.alternatives.shape[1]].max() for s in symbols])
    odds = np.concatenate([symbol.odds - symbol.odds.max() for symbol in symbols])
    chosen = np.empty(len(symbols), np.int64)
    best = kernels.best_path(starts, odds, own, whole, closing, WRONG_CHECK_DIGIT, chosen)
    marginals = np.empty(len(odds))
    everything = kernels.posterior(starts, odds, own, whole, closing, WRONG_CHECK_DIGIT, marginals)
    choice = [int(k - start) for k, start in zip(chosen, starts[:-1], strict=True)]
    lines = _spell(fmt, symbols, choice)
    return Decoded(
        fmt,
        lines,
        _probabilities(fmt, symbols, choice, np.split(marginals, starts[1:-1])),
        float(np.exp(min(0.0, best - everything))) / (1 + np.exp(min(_DISBELIEF + _against(seen, lines), 700.0))),
        tuple(_corrections(seen, lines)),
        float(best + sum(symbol.odds.max() for symbol in symbols)),
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


def _symbols(fmt: Format, seen: Sequence[Floats]) -> Iterator[_Symbol]:
    """The zone cut into symbols, in reading order."""
    masked = [line + mask for line, mask in zip(seen, _masks(fmt), strict=True)]
    initial = np.array([0.0 if c in fmt.initials else priors.UNUSUAL for c in ALPHABET])
    issuer: str | None = None
    starts = {(field.line, field.start): field for field in fmt.fields}
    for field in fmt.fields:
        part = masked[field.line][field.start : field.end]
        match field.name:
            case "names" | "surname":
                part[:] = priors.names(part)
            case "sex":
                part += [priors.SEX.get(character, 0.0) for character in ALPHABET]
            case "document_code":
                part[0] += initial
    for i, line in enumerate(masked):
        column = 0
        while column < len(line):
            field_here = starts.get((i, column))
            name = field_here.name if field_here else ""
            if name in {"birth_date", "expiry_date"}:
                yield _tabled(line, seen[i], i, column, *priors.years())
                yield _tabled(line, seen[i], i, column + 2, *priors.days())
                column += 6
            elif name in {"issuing_state", "nationality"}:
                symbol = _state(line, seen[i], i, column, issuer)
                issuer = "".join(ALPHABET[c] for c in symbol.alternatives[symbol.odds.argmax()])
                yield symbol
                column += 3
            else:
                yield _pruned(i, column, np.arange(len(ALPHABET))[:, None], line[column])
                column += 1


def _tabled(line: Floats, seen: Floats, i: int, column: int, table: NDArray[np.int64], prior: Floats) -> _Symbol:
    """A symbol with the alternatives of a table, and what it looks like at first sight, though that is none of them."""
    columns = np.arange(column, column + table.shape[1])
    odds = line[columns, table].sum(axis=1) + prior
    sight = seen[columns].argmax(axis=1)
    as_seen = seen[columns, sight].sum() + priors.MISPLACED
    same = (table == sight).all(axis=1)
    if same.any():
        odds[same] = np.maximum(odds[same], as_seen)
    else:
        table, odds = np.vstack((table, sight)), np.append(odds, as_seen)
    return _pruned(i, column, table, odds)


def _state(line: Floats, seen: Floats, i: int, column: int, issuer: str | None) -> _Symbol:
    """Known states, and combinations of letters that look much like what is printed."""
    known, prior = priors.states()
    if issuer is not None:
        prior = prior + np.where((known == priors.codes(issuer)).all(axis=1), 0.0, priors.FOREIGN)
    columns = np.arange(column, column + 3)
    best = np.argsort(line[columns], axis=1)[:, -3:]
    others = np.array(np.meshgrid(*best)).reshape(3, -1).T
    foreign = priors.FOREIGN if issuer is not None else 0.0
    unknown = np.full(len(others), priors.UNKNOWN_STATE + foreign)
    twice = (others[:, None] == known[None]).all(axis=2).any(axis=1)
    table, prior = np.vstack((known, others[~twice])), np.concatenate((prior, unknown[~twice]))
    return _tabled(line, seen, i, column, table, prior)


def _pruned(line: int, column: int, alternatives: NDArray[np.int64], odds: Floats) -> _Symbol:
    keep = np.flatnonzero(odds > odds.max() + _UNLIKELY)
    if len(keep) > _MOST:
        keep = keep[np.argsort(odds[keep])[-_MOST:]]
    return _Symbol(line, column, alternatives[keep], odds[keep])


def _sums(fmt: Format, rough: Sequence[str]) -> _Sums:
    """The sums of this zone; ``rough`` shows whether its document number is a long one."""
    own, whole, closing = ([np.zeros(n, np.int64) for n in fmt.lengths] for _ in range(3))
    for digit in fmt.check_digits_of(rough):
        composite = digit.name == "composite"
        weights = whole if composite else own
        places = [(line, column) for line, start, end in digit.covers for column in range(start, end)]
        for k, (line, column) in enumerate(places):
            weights[line][column] = WEIGHTS[k % 3]
        weights[digit.line][digit.column] = -1
        closing[digit.line][digit.column] |= 2 if composite else 1
    return _Sums(tuple(own), tuple(whole), tuple(closing))


def _added(symbol: _Symbol, weights: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    here = weights[symbol.line][symbol.column : symbol.column + symbol.alternatives.shape[1]]
    return np.asarray((_VALUES[symbol.alternatives] * here).sum(axis=1) % 10, np.int64)


def _spell(fmt: Format, symbols: Sequence[_Symbol], choice: Sequence[int]) -> tuple[str, ...]:
    lines = [""] * len(fmt.lengths)
    for symbol, k in zip(symbols, choice, strict=True):
        lines[symbol.line] += "".join(ALPHABET[i] for i in symbol.alternatives[k])
    return tuple(lines)


def _probabilities(
    fmt: Format, symbols: Sequence[_Symbol], choice: Sequence[int], marginals: Sequence[Floats]
) -> tuple[tuple[float, ...], ...]:
    """Of each character: the sum over all alternatives that have it in this place."""
    lines: list[list[float]] = [[] for _ in fmt.lengths]
    for symbol, k, likely in zip(symbols, choice, marginals, strict=True):
        same = symbol.alternatives == symbol.alternatives[k]
        lines[symbol.line] += (same * likely[:, None]).sum(axis=0).clip(0, 1).tolist()
    return tuple(map(tuple, lines))


def _against(seen: Sequence[Floats], lines: Sequence[str]) -> float:
    """How much the picture speaks against this reading: log odds of what each place looks like to what is read."""
    return float(
        sum(
            (evidence.max(axis=1) - evidence[np.arange(len(line)), priors.codes(line)]).sum()
            for evidence, line in zip(seen, lines, strict=True)
        )
    )


def _corrections(seen: Sequence[Floats], lines: Sequence[str]) -> Iterator[Correction]:
    for i, (evidence, line) in enumerate(zip(seen, lines, strict=True), 1):
        for column, (best, decided) in enumerate(zip(evidence.argmax(axis=1), line, strict=True), 1):
            if ALPHABET[best] != decided:
                yield Correction(i, column, ALPHABET[best], decided)


__all__ = ["Correction", "Decoded", "decode"]
