"""Half a page in grey, least squares, and sums over all readings of a zone, compiled.

Each kernel has a NumPy reference in the tests that it must agree with.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Letters = NDArray[np.int8]
"""Characters by their place in the alphabet, -1 for none."""
Floats = NDArray[np.float64]

STATES: Final = 100
"""Of both running sums together: each is a digit."""
NEVER: Final = -1e18
WIDEST: Final = 4
"""Places of a symbol at most: month and day."""
ALONE: Final = -1
STATE: Final = 0
"""What decides a symbol: its place alone, the table of states, or another table."""

_TENS, _UNITS = np.divmod(np.arange(STATES), 10)
_NEXT: Final = (_TENS[:, None] + _TENS) % 10 * 10 + (_UNITS[:, None] + _UNITS) % 10
"""Shape (state, key): the state after both digits of the key were added to the sums."""
_CLOSED: Final = np.array([(not closing & 1) * _TENS * 10 + (not closing & 2) * _UNITS for closing in range(4)])
"""Shape (closing, state): the state after the sums that end were taken as zero."""
_WRONG: Final = np.array([(_TENS > 0) * (closing & 1) + (_UNITS > 0) * (closing >> 1) for closing in range(4)])
"""Shape (closing, state): how many of the sums that end are not zero."""

_jit: Any = numba.njit(cache=True, nogil=True, boundscheck=False)

_BLUE: Final = np.uint16(7)
_GREEN: Final = np.uint16(38)
_RED: Final = np.uint16(19)
"""Of 64: how much each adds to grey (ITU-R BT.601), so that the sum over four pixels just stays within 16 bits."""


@_jit
def half_in_grey(rows: NDArray[np.uint8], half: NDArray[np.uint8]) -> None:
    """Half of a colour picture in grey, in one pass over its pixels: the mean grey of each four of them, rounded.

    ``rows`` has shape (2 h or more, 6 w or more): blue, green and red of the pixels of each row in turn; ``half``
    (h, w) receives the grey.
    """
    height, width = half.shape
    columns = np.empty(2 * width, np.uint16)
    for y in range(height):
        upper, lower, out = rows[2 * y], rows[2 * y + 1], half[y]
        # NumPy's integers become wider when they are added: all is put back to 16 bits, of which vectors hold most.
        for x in range(2 * width):
            blue = np.uint16(np.uint16(upper[3 * x]) + np.uint16(lower[3 * x]))
            green = np.uint16(np.uint16(upper[3 * x + 1]) + np.uint16(lower[3 * x + 1]))
            red = np.uint16(np.uint16(upper[3 * x + 2]) + np.uint16(lower[3 * x + 2]))
            columns[x] = np.uint16(np.uint16(_BLUE * blue) + np.uint16(_GREEN * green)) + np.uint16(_RED * red)
        for x in range(width):
            out[x] = np.uint16(columns[2 * x] + columns[2 * x + 1] + np.uint16(128)) >> np.uint16(8)


@_jit
def solved(matrix: Floats) -> Floats:
    """Solve normal equations, shape (terms, terms + 1) with the right side last; ``matrix`` is used up.

    A sum of squares needs no pivots; a trace of one is added to the diagonal, for what is nearly not determined.
    """
    terms = len(matrix)
    for a in range(terms):
        matrix[a, a] += 1e-9
    for a in range(terms):
        for b in range(a + 1, terms):
            factor = matrix[b, a] / matrix[a, a]
            for c in range(a, terms + 1):
                matrix[b, c] -= factor * matrix[a, c]
    out = np.empty(terms)
    for a in range(terms - 1, -1, -1):
        out[a] = matrix[a, terms]
        for b in range(a + 1, terms):
            out[a] -= matrix[a, b] * out[b]
        out[a] /= matrix[a, a]
    return out


@_jit
def alternatives(
    seen: Floats,
    odds: Floats,
    symbols: Codes,
    table: Letters,
    prior: Floats,
    bounds: Codes,
    known: NDArray[np.bool_],
    rules: tuple[float, float, float, float],
    starts: Codes,
    letters: Letters,
    likely: Floats,
) -> None:
    """What may stand in each symbol: in one place, or in some that are decided together, such as the three of a state.

    Args:
        seen: Log probabilities of the 37 characters at each place, shape (places, 37).
        odds: The same where only what belongs there is likely.
        symbols: Shape (s, 2): the first place of each symbol, and ``ALONE`` or its table.
        table: What may stand there by all tables, one below the other: shape (rows, WIDEST).
        prior: The log probability of each row.
        bounds: Rows ``bounds[t]`` to ``bounds[t + 1]`` are table t.
        known: Whether three characters are a state, shape (37, 37, 37).
        rules: Log probabilities: that characters stand where they do not belong, of a state that is not known, of one
            that differs from the first; and by how much an alternative may be less likely than the best.
        starts: Receives where the alternatives of each symbol begin, shape (s + 1,). The likeliest comes first.
        letters: Receives the alternatives, like ``table``, and has room for all rows of all symbols.
        likely: Receives their log probabilities.
    """
    misplaced, unknown, foreign, unlikely = rules
    issuer = np.full(WIDEST, -1, np.int8)
    n = 0
    for s in range(len(symbols)):
        place, kind = symbols[s]
        first = starts[s] = n
        if kind == ALONE:
            for c in range(odds.shape[1]):
                letters[n] = -1
                letters[n, 0] = c
                likely[n] = odds[place, c]
                n += 1
        else:
            second = kind == STATE and issuer[0] >= 0
            for row in range(bounds[kind], bounds[kind + 1]):
                letters[n] = table[row]
                likely[n] = prior[row]
                if second and not _same(letters[n], issuer):
                    likely[n] += foreign
                n += 1
            if kind == STATE:
                n = _lookalikes(odds[place : place + 3], known, unknown + second * foreign, letters, likely, n)
            n = _weighed(seen[place:], odds[place:], misplaced, first, n, letters, likely)
        best = first + np.argmax(likely[first:n])
        least, end = likely[best] + unlikely, n
        letters[n], likely[n] = letters[best], likely[best]
        letters[best], likely[best] = letters[first], likely[first]
        letters[first], likely[first] = letters[n], likely[n]
        n = first + 1
        for k in range(first + 1, end):
            if likely[k] > least:
                letters[n], likely[n] = letters[k], likely[k]
                n += 1
        if kind == STATE:
            issuer = letters[first].copy()
    starts[len(symbols)] = n


@_jit
def _same(a: Letters, b: Letters) -> bool:
    same = True
    for i in range(WIDEST):  # NumPy's comparison would make an array of what is different
        same &= a[i] == b[i]
    return same


@_jit
def _lookalikes(odds: Floats, known: NDArray[np.bool_], prior: float, letters: Letters, likely: Floats, n: int) -> int:
    """Combinations of the three likeliest characters in each place of a state that are none, as alternatives from n."""
    likeliest = np.empty((3, 3), np.int8)
    for i in range(3):
        likeliest[i] = np.argsort(odds[i])[-3:]
    for a in likeliest[0]:
        for b in likeliest[1]:
            for c in likeliest[2]:
                if not known[a, b, c]:
                    letters[n, 0], letters[n, 1], letters[n, 2], letters[n, 3] = a, b, c, -1
                    likely[n] = prior
                    n += 1
    return n


@_jit
def _weighed(seen: Floats, odds: Floats, misplaced: float, first: int, n: int, letters: Letters, likely: Floats) -> int:
    """Add to alternatives from ``first`` up to n how they look, and what it looks like at first sight if it is none."""
    sight = np.full(WIDEST, -1, np.int8)
    as_seen = misplaced
    for i in range(WIDEST):
        if letters[first, i] >= 0:
            sight[i] = np.argmax(seen[i])
            as_seen += seen[i, sight[i]]
    met = False
    for k in range(first, n):
        for i in range(WIDEST):
            if letters[k, i] >= 0:
                likely[k] += odds[i, letters[k, i]]
        if _same(letters[k], sight):
            met = True
            likely[k] = max(likely[k], as_seen)
    if not met:
        letters[n], likely[n] = sight, as_seen
        n += 1
    return n


@_jit
def added(starts: Codes, places: Codes, letters: Letters, values: Codes, weights: Codes, out: Codes) -> None:
    """What each alternative adds to sums of check digits, modulo 10: shape (sums, alternatives) in ``out``.

    ``values`` (37,) are those of the characters, ``weights`` (sums, places) what each place is multiplied with.
    """
    for s in range(len(places)):
        for k in range(starts[s], starts[s + 1]):
            for i in range(len(weights)):
                out[i, k] = 0
                for j in range(WIDEST):
                    if letters[k, j] >= 0:
                        out[i, k] += values[letters[k, j]] * weights[i, places[s] + j]
                out[i, k] %= 10


@_jit
def shares(starts: Codes, places: Codes, letters: Letters, chosen: Codes, marginals: Floats, out: Floats) -> None:
    """How likely the chosen characters are at each place (``out``): all alternatives that have them there count."""
    for s in range(len(places)):
        for i in range(WIDEST):
            letter = letters[chosen[s], i]
            if letter >= 0:
                total = 0.0
                for k in range(starts[s], starts[s + 1]):
                    if letters[k, i] == letter:
                        total += marginals[k]
                out[places[s] + i] = min(total, 1.0)


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
