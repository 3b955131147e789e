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
