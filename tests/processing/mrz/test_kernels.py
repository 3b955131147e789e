"""Each compiled kernel against what NumPy says."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from edge_agent.processing.mrz import kernels


def _search_problem(seed: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 4, 6)
    starts = np.concatenate(([0], np.cumsum(counts)))
    odds = np.log(rng.dirichlet(np.ones(starts[-1])))
    own, whole = rng.integers(0, 10, starts[-1]), rng.integers(0, 10, starts[-1])
    closing = np.array((0, 0, 1, 0, 1, 2))
    return starts, odds, own, whole, closing


def _all_choices(
    starts: np.ndarray, odds: np.ndarray, own: np.ndarray, whole: np.ndarray, closing: np.ndarray, failure: float
) -> dict[tuple[int, ...], float]:
    result = {}
    for choice in product(*(range(a, b) for a, b in pairwise(starts))):
        a = b = 0
        total = 0.0
        for k, close in zip(choice, closing, strict=True):
            a, b, total = (a + own[k]) % 10, (b + whole[k]) % 10, total + odds[k]
            if close & 1:
                total, a = total + failure * (a != 0), 0
            if close & 2:
                total, b = total + failure * (b != 0), 0
        result[choice] = total
    return result


@pytest.mark.parametrize("seed", range(8))
def test_the_search_agrees_with_trying_everything(seed: int) -> None:
    problem = _search_problem(seed)
    everything = _all_choices(*problem, failure=-3.0)
    chosen = np.empty(6, np.int64)
    best = kernels.best_path(*problem, -3.0, chosen)
    assert best == pytest.approx(max(everything.values()))
    assert everything[tuple(chosen.tolist())] == pytest.approx(best)
    marginals = np.empty(len(problem[1]))
    total = kernels.posterior(*problem, -3.0, marginals)
    likely = np.exp(list(everything.values()))
    assert total == pytest.approx(np.log(likely.sum()))
    for k in range(len(marginals)):
        share = sum(p for choice, p in zip(everything, likely, strict=True) if k in choice) / likely.sum()
        assert marginals[k] == pytest.approx(share)


def test_words_are_weighed_as_all_walks_together_say() -> None:
    rng = np.random.default_rng(5)
    letter, filler = rng.random(4), rng.random(4)
    by_letter, by_filler = rng.random((3, 3)) * (rng.random((3, 3)) < 0.6), rng.random((3, 3))
    first = rng.random(3)
    out = np.empty((4, 2))
    kernels.words(letter, filler, by_letter, by_filler, first, out)
    for place in range(4):
        likely = np.empty(2)
        for kind, table in enumerate((by_letter, by_filler)):
            walk = first
            for i in range(4):
                walk = walk @ (table if i == place else by_letter * letter[i] + by_filler * filler[i])
            likely[kind] = walk.sum()
        assert out[place] / out[place].sum() == pytest.approx(likely / likely.sum())


MISPLACED, UNKNOWN, FOREIGN, UNLIKELY = RULES = (-12.0, -6.0, -2.0, -18.0)
YEARS, STATES = np.array([(1, 2), (9, 9), (36, 36)]), np.array([(30, 29, 24), (13, 36, 36), (15, 27, 10)])


def _table(rows: np.ndarray) -> np.ndarray:
    return np.pad(rows, ((0, 0), (0, kernels.WIDEST - rows.shape[1])), constant_values=-1).astype(np.int8)


def _reference(
    seen: np.ndarray, odds: np.ndarray, rows: dict[tuple[int, ...], float], issuer: bool
) -> dict[tuple[int, ...], float]:
    """Rows of a table with what they look like, the states that are unknown, and what it looks like at first sight."""
    wide = len(next(iter(rows)))
    if wide == 3:
        likeliest = [np.argsort(line)[-3:] for line in odds[:3]]
        others = {tuple(int(c) for c in three) for three in product(*likeliest)} - set(rows)
        rows = rows | dict.fromkeys(others, UNKNOWN + issuer * FOREIGN)
    found = {row: prior + sum(odds[i, c] for i, c in enumerate(row)) for row, prior in rows.items()}
    sight = tuple(int(line.argmax()) for line in seen[:wide])
    as_seen = MISPLACED + seen[:wide].max(axis=1).sum()
    found[sight] = max(found.get(sight, -np.inf), as_seen)
    return {row: total for row, total in found.items() if total > max(found.values()) + UNLIKELY}


@pytest.mark.parametrize("seed", range(20))
def test_alternatives_are_all_that_may_stand_in_a_place(seed: int) -> None:
    rng = np.random.default_rng(seed)
    seen = np.log(rng.dirichlet(np.full(37, 0.1), 9) + 1e-6)
    if seed % 2:
        seen[range(1, 4), STATES[seed % 3]] = seen[range(6, 9), STATES[seed % 3]] = 3
    odds = seen + rng.normal(0, 1, seen.shape)
    known = np.zeros((37, 37, 37), bool)
    known[*STATES.T] = True
    prior = rng.normal(-1, 1, 6)
    symbols = np.array([(0, kernels.ALONE), (1, kernels.STATE), (4, 1), (6, kernels.STATE)])
    starts, letters, likely = np.empty(5, np.int64), np.empty((200, kernels.WIDEST), np.int8), np.empty(200)
    table, bounds = np.concatenate((_table(STATES), _table(YEARS))), np.array((0, 3, 6))
    kernels.alternatives(seen, odds, symbols, table, prior, bounds, known, RULES, starts, letters, likely)
    states = dict(zip(map(tuple, STATES.tolist()), prior[:3].tolist(), strict=True))
    issuers = _reference(seen[1:], odds[1:], states, issuer=False)
    issuer = max(issuers, key=lambda row: issuers[row])
    expected = [
        {(c,): odds[0, c] for c in range(37) if odds[0, c] > odds[0].max() + UNLIKELY},
        issuers,
        _reference(
            seen[4:], odds[4:], dict(zip(map(tuple, YEARS.tolist()), prior[3:].tolist(), strict=True)), issuer=False
        ),
        _reference(seen[6:], odds[6:], {row: p + (row != issuer) * FOREIGN for row, p in states.items()}, issuer=True),
    ]
    for (a, b), wanted in zip(pairwise(starts), expected, strict=True):
        rows = [tuple(row[row >= 0].tolist()) for row in letters[a:b]]
        assert dict(zip(rows, likely[a:b].tolist(), strict=True)) == pytest.approx(wanted)
        assert likely[a] == likely[a:b].max()


def test_sums_and_shares_of_alternatives() -> None:
    rng = np.random.default_rng(3)
    starts, places = np.array((0, 3, 5, 9)), np.array((0, 1, 3))
    letters = rng.integers(0, 37, (9, kernels.WIDEST)).astype(np.int8)
    letters[:3, 1:] = letters[3:5, 2:] = -1
    values, weights = rng.integers(0, 36, 37), rng.choice((-1, 0, 1, 3, 7), (2, 7))
    sums = np.empty((2, 9), np.int64)
    kernels.added(starts, places, letters, values, weights, sums)
    marginals, chosen, out = rng.random(9) / 4, np.array((1, 4, 6)), np.full(7, -1.0)
    kernels.shares(starts, places, letters, chosen, marginals, out)
    for place, (a, b), pick in zip(places, pairwise(starts), chosen, strict=True):
        wide = int((letters[a] >= 0).sum())
        for k in range(a, b):
            worth = values[letters[k, :wide]] * weights[:, place : place + wide]
            assert sums[:, k].tolist() == (worth.sum(axis=1) % 10).tolist()
        for i in range(wide):
            same = letters[a:b, i] == letters[pick, i]
            assert out[place + i] == pytest.approx(marginals[a:b][same].sum())
    assert (out >= 0).all()
