"""From the likeness of spectra to what may be said: a match, one of several, a mixture, or no match.

A fixed threshold was measured to lie: between laboratories the right entry of a Raman library had a median correlation
of 0.93, and the best wrong one 0.94. So a match must be like its entry, and clearly less like every other substance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from scipy.optimize import nnls

from edge_agent.processing.spectra.prepare import Prepared
from edge_agent.processing.spectra.search import Hit, Shelf, search, sums_of
from edge_agent.processing.spectra.spectrum import Array

MIN_DERIVATIVE: Final = 0.6
MIN_CORRELATION: Final = 0.7
MIN_MARGIN: Final = 0.1
"""In the correlation of the derivative, to the next substance, for a spectrum that is as like as ``_ALIKE``."""
_ALIKE: Final = 0.9
_STEEPER: Final = 1.25
"""The less alike, the greater a lead is asked for: so much more of it for what is missing to ``_ALIKE``."""
_CHANCE: Final = 0.3
"""What some other substance always reaches in a large library, so that a small one is not taken for sure."""
_BEHIND: Final = 0.05
"""How much another substance may be ahead by the bands themselves."""

MIN_EXPLAINED: Final = 0.85
"""Share of the slope's square that a mixture must explain."""
_MIN_GAIN: Final = 0.5
"""What is left unexplained must at least halve against the best single entry."""
_MIN_SHARE: Final = 0.15
_MIN_LEAD: Final = 1.15
"""By how much more the next pair must leave unexplained."""
_FIRST: Final = 8
_SECOND: Final = 6


class Verdict(StrEnum):
    """What a library says of a spectrum."""

    MATCH = "match"
    SEVERAL = "several"
    MIXTURE = "mixture"
    NO_MATCH = "no_match"


@dataclass(frozen=True, slots=True)
class Mixture:
    """Two entries that together explain a spectrum.

    Attributes:
        entries: their indices, the stronger first.
        shares: of the signal, not of the mass; they sum to 1.
        explained: share of the slope's square, 0 to 1.

    """

    entries: tuple[int, int]
    shares: tuple[float, float]
    explained: float


@dataclass(frozen=True, slots=True)
class Identified:
    """What a library says of a spectrum.

    Attributes:
        hits: the entries most like it, best first.
        margin: by how much the first is ahead of the next substance; None without hits.
        together: the entries behind the verdict: those of a match, or all that are too close to tell.
        mixture: if the verdict is one.
        reason: why it is not more, in an officer's words.

    """

    verdict: Verdict
    hits: tuple[Hit, ...]
    margin: float | None
    together: tuple[int, ...] = ()
    mixture: Mixture | None = None
    reason: str = ""


def identify(shelf: Shelf, query: Prepared, substances: Sequence[str]) -> Identified:
    """Compare a spectrum with a library; ``substances`` tells which entries are of the same one."""
    hits = search(shelf, query)
    if not hits:
        return Identified(Verdict.NO_MATCH, (), None, reason="the library has nothing in this range")
    best = hits[0]
    others = [hit for hit in hits if substances[hit.entry] != substances[best.entry]]
    following = max((hit.derivative for hit in others), default=0.0)
    margin = best.derivative - following
    ahead = max((hit.correlation for hit in others), default=-1.0) - best.correlation
    asked = MIN_MARGIN + _STEEPER * max(0.0, _ALIKE - best.derivative)
    leads = best.derivative - max(following, _CHANCE) >= asked
    like = best.derivative >= MIN_DERIVATIVE and best.correlation >= MIN_CORRELATION
    mixture = mixed(shelf, query, hits, substances)
    if mixture is not None:
        reason = "two entries together explain it much better than any one"
        return Identified(Verdict.MIXTURE, tuple(hits), margin, mixture.entries, mixture, reason)
    if like and leads and ahead <= _BEHIND:
        return Identified(Verdict.MATCH, tuple(hits), margin, (best.entry,))
    if like:
        reason = f"the next substance is only {margin:.2f} behind, where {asked:.2f} is asked for"
        if leads:
            reason = "another substance is more like it by its bands"
        close = [hit for hit in hits if best.derivative - hit.derivative < asked or hit.correlation > best.correlation]
        return Identified(Verdict.SEVERAL, tuple(hits), margin, tuple(hit.entry for hit in close), reason=reason)
    reason = f"the best is like it only to {best.derivative:.2f} (derivative) and {best.correlation:.2f} (bands)"
    return Identified(Verdict.NO_MATCH, tuple(hits), margin, reason=reason)


def mixed(shelf: Shelf, query: Prepared, hits: Sequence[Hit], substances: Sequence[str]) -> Mixture | None:
    """The two entries, of two substances, whose sum with weights that are not negative explains the slope best.

    None if no two explain enough, are needed both, and are ahead of other pairs.
    """
    firsts = [hit.entry for hit in hits[:_FIRST]]
    pairs = {pair for first in firsts for pair in _partners(shelf, query, first, substances)}
    fitted = sorted((_fit(shelf, query, pair) for pair in pairs), key=lambda mixture: -mixture.explained)
    if not fitted:
        return None
    best = fitted[0]
    single = max(hit.derivative for hit in hits) ** 2
    left = 1 - best.explained
    if best.explained < MIN_EXPLAINED or left > _MIN_GAIN * (1 - single) or best.shares[1] < _MIN_SHARE:
        return None
    names = {substances[entry] for entry in best.entries}
    others = (pair for pair in fitted[1:] if {substances[entry] for entry in pair.entries} != names)
    following = next(others, None)
    return best if following is None or 1 - following.explained >= _MIN_LEAD * left else None


def _partners(shelf: Shelf, query: Prepared, first: int, substances: Sequence[str]) -> list[tuple[int, int]]:
    """The entries that best explain what a first one leaves, in eight bits."""
    start, end = max(query.start, int(shelf.starts[first])), min(query.end, int(shelf.ends[first]))
    curve = np.asarray(shelf.slopes.exact[first], np.float64)
    _, scale, (product, _, ee) = sums_of(shelf, shelf.slopes, query.slope, start, end)
    qe = product / scale
    _, scale, (product, _, _) = sums_of(shelf, shelf.slopes, curve, start, end)
    fe = product / scale
    own = slice(start, end)
    ff, qf = float(curve[own] @ curve[own]), float(query.slope[own] @ curve[own])
    lengths = np.minimum(shelf.ends, end) - np.maximum(shelf.starts, start)
    determinant = ff * ee - fe * fe
    with np.errstate(invalid="ignore", divide="ignore"):
        of_first, of_second = (qf * ee - qe * fe) / determinant, (qe * ff - qf * fe) / determinant
        explained = of_first * qf + of_second * qe
    possible = (lengths >= 0.9 * (end - start)) & (of_first > 0) & (of_second > 0) & (determinant > 1e-9 * ff * ee)
    explained = np.where(possible, explained, -np.inf)
    order = np.argsort(-explained)[: _SECOND * 2]
    other = [int(each) for each in order if possible[each] and substances[each] != substances[first]]
    return [(min(first, each), max(first, each)) for each in other[:_SECOND]]


def _fit(shelf: Shelf, query: Prepared, pair: tuple[int, int]) -> Mixture:
    start = max(query.start, *(int(shelf.starts[each]) for each in pair))
    end = min(query.end, *(int(shelf.ends[each]) for each in pair))
    columns = np.array([shelf.slopes.exact[each][start:end] for each in pair], np.float64).T
    slope = query.slope[start:end]
    weights, rest = nnls(columns, slope)
    parts = weights * np.sqrt((columns**2).sum(axis=0))
    shares: Array = parts / (parts.sum() or 1.0)
    order = (0, 1) if shares[0] >= shares[1] else (1, 0)
    return Mixture(
        (pair[order[0]], pair[order[1]]),
        (float(shares[order[0]]), float(shares[order[1]])),
        1 - float(rest) ** 2 / (float(slope @ slope) or 1.0),
    )
