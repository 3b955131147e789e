"""A few scenes of the spectral benchmark: other lights, cameras, prints and tone curves than the tests beside it."""

from __future__ import annotations

import pytest

pytest.importorskip("colour")
pytestmark = pytest.mark.slow


def test_the_true_substance_is_in_the_list_and_no_wrong_group_is_named() -> None:
    from benchmarks.drugkit_colour import TRUSTED, run

    counts = run(12, 11, TRUSTED)
    assert counts["read"] >= 10
    assert counts["in list"] >= counts["read"] - 1
    assert counts["wrong group"] == 0


def test_colours_of_no_group_are_consistent_with_none() -> None:
    from benchmarks.drugkit_colour import TRUSTED, run

    counts = run(8, 12, TRUSTED, outside=12)
    assert counts["read"] >= 6
    assert counts["none fits"] + counts["inconclusive"] >= counts["read"] - 1


def test_sodium_lamps_are_refused() -> None:
    from benchmarks.drugkit_colour import SODIUM, run

    counts = run(8, 13, SODIUM)
    assert counts["refused light_unfit"] >= 7
