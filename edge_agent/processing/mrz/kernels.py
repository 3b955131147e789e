"""Sums over all readings of a zone, compiled. Each has a NumPy reference in the tests that it must agree with."""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

STATES: Final = 100
"""Of both running sums together: each is a digit."""
NEVER: Final = -1e18

_TENS, _UNITS = np.divmod(np.arange(STATES), 10)
_NEXT: Final = (_TENS[:, None] + _TENS) % 10 * 10 + (_UNITS[:, None] + _UNITS) % 10
"""Shape (state, key): the state after both digits of the key were added to the sums."""
_CLOSED: Final = np.array([(not closing & 1) * _TENS * 10 + (not closing & 2) * _UNITS for closing in range(4)])
"""Shape (closing, state): the state after the sums that end were taken as zero."""
_WRONG: Final = np.array([(_TENS > 0) * (closing & 1) + (_UNITS > 0) * (closing >> 1) for closing in range(4)])
"""Shape (closing, state): how many of the sums that end are not zero."""

_jit: Any = numba.njit(cache=True, nogil=True, boundscheck=False)


@_jit
def best_path(
    starts: Codes, odds: Floats, own: Codes, whole: Codes, closing: Codes, failure: float, chosen: Codes
) -> float:
    """The likeliest choice of one alternative per symbol under two running check sums; returns its log probability.

    Alternatives ``starts[s]`` to ``starts[s + 1]`` belong to symbol s: ``odds`` are their log probabilities, ``own``
    and ``whole`` (0 to 9) what they add to the sum of the check digit that they stand under and to the composite's.
    ``closing[s]`` has bit 1 set if the own sum must be zero (modulo 10) after symbol s, bit 2 for the composite; where
    it is not, the choice is less likely by ``failure``, and goes on from zero. ``chosen`` receives the alternatives.
    """
    symbols = len(starts) - 1
    score = np.full(STATES, NEVER)
    score[0] = 0.0
    taken = np.zeros((symbols, STATES), np.int64)
    before = np.zeros((symbols, STATES), np.int64)
    best = np.empty(STATES, np.int64)
    keys = np.empty(STATES, np.int64)
    for s in range(symbols):
        # Of alternatives that add the same only the likeliest counts.
        best[:] = -1
        count = 0
        for k in range(starts[s], starts[s + 1]):
            key = own[k] * 10 + whole[k]
            if best[key] < 0:
                keys[count] = key
                count += 1
            if best[key] < 0 or odds[k] > odds[best[key]]:
                best[key] = k
        grown = np.full(STATES, NEVER)
        for state in range(STATES):
            if score[state] == NEVER:
                continue
            for i in range(count):
                k = best[keys[i]]
                sums = _NEXT[state, keys[i]]
                total = score[state] + odds[k] + _WRONG[closing[s], sums] * failure
                target = _CLOSED[closing[s], sums]
                if total > grown[target]:
                    grown[target] = total
                    taken[s, target] = k
                    before[s, target] = state
        score = grown
    state = int(np.argmax(score))
    result = float(score[state])
    for s in range(symbols - 1, -1, -1):
        chosen[s] = taken[s, state]
        state = before[s, state]
    return result


@_jit
def posterior(
    starts: Codes, odds: Floats, own: Codes, whole: Codes, closing: Codes, failure: float, marginals: Floats
) -> float:
    """As ``best_path``, summed over all choices: returns the log of the sum, and each alternative's probability."""
    symbols = len(starts) - 1
    ahead = np.zeros((symbols + 1, STATES))
    ahead[0, 0] = 1.0
    # Alternatives that add the same count together; those of symbol s are in row s.
    keys = np.empty((symbols, STATES), np.int64)
    counts = np.zeros(symbols, np.int64)
    shares = np.zeros((symbols, STATES))
    against = np.exp(failure * np.arange(3))
    scale = 0.0
    for s in range(symbols):
        for k in range(starts[s], starts[s + 1]):
            key = own[k] * 10 + whole[k]
            if shares[s, key] == 0.0:
                keys[s, counts[s]] = key
                counts[s] += 1
            shares[s, key] += np.exp(odds[k])
        total = 0.0
        for state in range(STATES):
            if ahead[s, state] > 0.0:
                for i in range(counts[s]):
                    key = keys[s, i]
                    sums = _NEXT[state, key]
                    way = ahead[s, state] * shares[s, key] * against[_WRONG[closing[s], sums]]
                    ahead[s + 1, _CLOSED[closing[s], sums]] += way
                    total += way
        scale += np.log(total)
        ahead[s + 1] /= total
    behind = np.ones(STATES)
    ways = np.empty(STATES)
    for s in range(symbols - 1, -1, -1):
        after = np.empty(STATES)
        for state in range(STATES):
            after[state] = behind[_CLOSED[closing[s], state]] * against[_WRONG[closing[s], state]]
        ways[:] = 0.0
        behind[:] = 0.0
        total = 0.0
        for state in range(STATES):
            if ahead[s, state] > 0.0:
                for i in range(counts[s]):
                    key = keys[s, i]
                    way = after[_NEXT[state, key]]
                    ways[key] += ahead[s, state] * way
                    behind[state] += shares[s, key] * way
        behind /= behind.max()
        for k in range(starts[s], starts[s + 1]):
            marginals[k] = np.exp(odds[k]) * ways[own[k] * 10 + whole[k]]
            total += marginals[k]
        for k in range(starts[s], starts[s + 1]):
            marginals[k] /= total
    return scale


@_jit
def words(letter: Floats, filler: Floats, by_letter: Floats, by_filler: Floats, first: Floats, out: Floats) -> None:
    """How likely each place of a text holds a letter, and a filler, by what all the others show.

    A text is a walk from state to state: with ``by_letter`` (from, to) where a letter stands, ``by_filler`` where a
    filler does; ``first`` are the probabilities of the states before it. ``letter`` and ``filler`` (places,) are how
    likely each place is seen as either. ``out`` receives both, shape (places, 2), up to a factor common to a place.
    """
    places, states = len(letter), len(first)
    ahead = np.zeros((places + 1, states))
    ahead[0] = first / first.sum()
    for i in range(places):
        for a in range(states):
            for b in range(states):
                ahead[i + 1, b] += ahead[i, a] * (by_letter[a, b] * letter[i] + by_filler[a, b] * filler[i])
        ahead[i + 1] /= ahead[i + 1].sum()
    behind = np.ones(states)
    for i in range(places - 1, -1, -1):
        out[i] = 0.0
        grown = np.zeros(states)
        for a in range(states):
            for b in range(states):
                out[i, 0] += ahead[i, a] * by_letter[a, b] * behind[b]
                out[i, 1] += ahead[i, a] * by_filler[a, b] * behind[b]
                grown[a] += (by_letter[a, b] * letter[i] + by_filler[a, b] * filler[i]) * behind[b]
        behind = grown / grown.max()
